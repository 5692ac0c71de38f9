"""What every page refuses, and puts on record: forged requests, foreign origins, cookies of the past."""

import re

import pytest

from idverify.audit.events import EventKind
from idverify.ids import StaffId
from staff.accounts.accounts import Role
from staff.accounts.sessions import csrf_of, new_token
from staff.app import create_pages
from tests.browser import ADMINISTRATION, PASSWORD, Served
from tests.deployments import Register
from tests.visitors import Visitor, leaves, told, visiting

WITHOUT_A_SESSION = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-in/passkey"),
    ("POST", "/sign-in/passkey-options"),
    ("POST", "/sign-in/station-challenge"),
    ("GET", "/first-sign-in"),
    ("POST", "/first-sign-in"),
    ("POST", "/language"),
    ("GET", "/station/worker.js"),  # a file like those of /static, at the address that browsers want it at
}
"""Everything that anybody may ask for; a new page is refused to strangers unless somebody writes it down here."""


def _operations(register: Register) -> list[tuple[str, str]]:
    """(method, path) of every page and every form, from the application's own description of itself."""
    paths = create_pages(register.engine).openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def _some(path: str) -> str:
    return "/staff" + re.sub(r"\{\w+\}", "x", path)


def test_every_form_is_refused_without_a_csrf_token(site: Served, visitor: Visitor, empty_register: Register) -> None:
    forms = [path for method, path in _operations(empty_register) if method != "GET"]
    assert len(forms) > 10
    script = {"Origin": site.url, "Accept": "application/json"}
    answers = {path: visitor.http.post(_some(path), headers=script, json={}).json() for path in forms}
    assert {path: answer.get("code") for path, answer in answers.items()} == dict.fromkeys(forms, "request_forged")


def test_a_stranger_is_shown_nothing_but_the_way_in(site: Served, visitor: Visitor, empty_register: Register) -> None:
    shown = set()
    script = {"Accept": "application/json", "X-CSRF-Token": visitor.csrf(), "Origin": site.url}
    for method, path in _operations(empty_register):
        answer = visitor.http.request(method, _some(path), headers=script)
        refused = answer.status_code == 401 and answer.json()["code"] == "not_signed_in"
        if method == "GET":
            page = visitor.get(_some(path))
            refused &= page.status_code == 303 and page.headers["location"].startswith("/staff/sign-in?next=")
        if not refused:
            shown.add((method, path))
    assert shown == WITHOUT_A_SESSION


@pytest.mark.parametrize(
    ("headers", "let_in"),
    [
        ({}, True),
        ({"Origin": "https://elsewhere.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),  # a browser that says nothing of where this is from
        ({"Origin": "", "Sec_Fetch_Site": "same-origin"}, True),
        ({"Origin": "", "Sec_Fetch_Site": "same-site"}, False),
        ({"Origin": "", "Sec_Fetch_Site": "cross-site"}, False),
        ({"Origin": "https://elsewhere.example", "Sec_Fetch_Site": "same-origin"}, False),
    ],
)
def test_what_another_site_sends_is_refused(
    site: Served, visitor: Visitor, headers: dict[str, str], let_in: bool
) -> None:
    site.add_clerk("thabo")
    answer = visitor.post("/staff/sign-in", {"name": "thabo", "password": PASSWORD}, **headers)
    assert answer.status_code == (303 if let_in else 403)
    refused = told(site.engine, EventKind.STAFF_REFUSED)
    assert refused == ([] if let_in else [(None, "request_forged")])


@pytest.mark.parametrize("token", ["", "x", "other"])
def test_a_form_without_this_sessions_token_is_refused_and_audited(site: Served, visitor: Visitor, token: str) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    forged = csrf_of(new_token()) if token == "other" else token
    answer = visitor.post("/staff/sign-out", {"csrf_token": forged})
    assert answer.status_code == 403
    assert told(site.engine, EventKind.STAFF_REFUSED) == [("thabo", "request_forged")]
    assert visitor.get("/staff/").status_code == 200  # still signed in
    answer = visitor.http.post("/staff/sign-out", headers={"Origin": site.url, "X-CSRF-Token": forged})
    assert answer.status_code == 403


def test_a_cookie_that_was_planted_before_signing_in_opens_nothing(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    visitor.get("/staff/sign-in")
    planted = visitor.token
    assert planted is not None
    visitor.sign_in("thabo")
    assert visitor.token not in (None, planted)
    with visiting(site) as attacker:
        attacker.get("/staff/sign-in")
        attacker.bring(planted)
        assert attacker.get("/staff/").headers["location"].startswith("/staff/sign-in")


def test_the_cookie_is_host_only_secure_and_out_of_reach(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    for answer in (visitor.get("/staff/sign-in"), visitor.sign_in("thabo")):
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-idverify=")
        assert {part.strip().lower() for part in cookie.split(";")[1:]} == {
            "path=/",
            "secure",
            "httponly",
            "samesite=strict",
        }


def test_a_cookie_after_sign_out_is_refused_and_audited(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    kept = visitor.token
    assert kept is not None
    assert visitor.post("/staff/sign-out", {}).status_code == 303
    with visiting(site) as thief:
        thief.get("/staff/sign-in")
        thief.bring(kept)
        assert thief.get("/staff/").headers["location"].startswith("/staff/sign-in")
    assert told(site.engine, EventKind.STAFF_SIGNED_OUT) == [("thabo", None)]
    assert told(site.engine, EventKind.STAFF_REFUSED) == [("thabo", "session_ended")]


def test_an_account_that_is_suspended_in_mid_session_is_out_at_once(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    assert visitor.get("/staff/").status_code == 200
    site.staff.accounts.suspend(StaffId("thabo"), ADMINISTRATION)
    assert visitor.get("/staff/").headers["location"].startswith("/staff/sign-in")
    assert told(site.engine, EventKind.STAFF_REFUSED) == [("thabo", "session_ended")]
    site.staff.accounts.resume(StaffId("thabo"), ADMINISTRATION)
    assert visitor.get("/staff/").status_code == 303  # the old session does not come back


def test_a_session_ends_after_its_lifetime(site: Served, visitor: Visitor, empty_register: Register) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    for _ in range(59):
        empty_register.clock.advance(minutes=10)
        assert visitor.get("/staff/").status_code == 200
    empty_register.clock.advance(minutes=10)
    assert visitor.get("/staff/").headers["location"].startswith("/staff/sign-in")


def test_the_wrong_role_is_refused_in_the_persons_language_and_audited(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo", language="st")
    site.add_clerk("palesa", Role.SUPERVISOR)
    visitor.sign_in("thabo")
    answer = visitor.get("/staff/supervisor")
    assert answer.status_code == 403
    assert "Ha ua lumelloa ho etsa sena" in answer.text
    assert told(site.engine, EventKind.STAFF_REFUSED) == [("thabo", "role_missing")]
    with visiting(site) as other:
        other.sign_in("palesa")
        assert other.get("/staff/supervisor").status_code == 200
    assert [event.clerk for event in leaves(site.engine, EventKind.STAFF_LISTS_READ)] == ["palesa"]


def test_errors_are_pages_for_people_and_problems_for_scripts(site: Served, visitor: Visitor) -> None:
    page = visitor.get("/staff/no-such-page")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page" in page.text
    assert page.headers["x-request-id"] in page.text
    problem = visitor.get("/staff/no-such-page", headers={"Accept": "application/json"})
    assert (problem.status_code, problem.headers["content-type"]) == (404, "application/problem+json")
    assert problem.json()["code"] == "not_found"
    assert visitor.http.put("/staff/sign-in").status_code == 405
    assert visitor.post("/staff/sign-in", {"name": "x" * 70_000, "password": "y"}).status_code == 413
    assert visitor.post("/staff/sign-in", {"name": "thabo"}).status_code == 422


def test_signing_in_leads_to_no_other_site(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    elsewhere = {"name": "thabo", "password": PASSWORD, "next": "https://elsewhere.example/"}
    assert visitor.post("/staff/sign-in", elsewhere).headers["location"] == "/staff/"
    assert visitor.post("/staff/language", {"language": "en", "next": "//elsewhere"}).headers["location"] == "/staff/"
    lock = visitor.post("/staff/lock", {"next": "/\\elsewhere"})
    assert lock.headers["location"] == "/staff/locked?next=/staff/"


def test_every_answer_has_the_security_headers(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    answers = [visitor.get(path) for path in ("/staff/sign-in", "/staff/nowhere", "/staff/static/pages/kit.css")]
    answers.append(visitor.sign_in("thabo"))
    answers.append(visitor.get("/staff/"))
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        is_file = "/static/" in answer.url.path
        assert answer.headers["cache-control"] == ("no-cache" if is_file else "no-store")


def test_the_language_follows_choice_account_and_browser(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo", language="st")
    swahili = {"Accept-Language": "fr-FR, sw-TZ;q=0.9, en;q=0.8"}
    assert '<html lang="sw">' in visitor.get("/staff/sign-in", headers=swahili).text
    visitor.post("/staff/language", {"language": "en", "next": "/staff/sign-in"})
    assert '<html lang="en">' in visitor.get("/staff/sign-in", headers=swahili).text
    visitor.sign_in("thabo")
    assert '<html lang="st">' in visitor.get("/staff/").text
    visitor.post("/staff/language", {"language": "sw", "next": "/staff/"})
    assert '<html lang="sw">' in visitor.get("/staff/").text
    assert [account.language for account in site.staff.accounts.list()] == ["sw"]
    assert visitor.post("/staff/language", {"language": "xx"}).status_code == 422


def test_metrics_name_the_pages_by_their_routes(site: Served, visitor: Visitor) -> None:
    for path in ("/staff/sign-in?next=/staff/P-1024-7", "/staff/P-1024-7", "/staff/static/pages/kit.css", "/staff"):
        visitor.get(path)
    told_by_metrics = visitor.get("/metrics").text
    routes = set(re.findall(r'idverify_requests_total\{[^}]*route="([^"]*)"', told_by_metrics))
    assert routes == {"/staff/sign-in", "(none)", "/staff"}
