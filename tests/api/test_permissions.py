"""Every endpoint against every right and every agency's objects: what a caller may not see, no answer tells of."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest

from api.app import create_app
from idverify.clients.agencies import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

PURPOSE, GALLERY, OTHER_GALLERY = "tax-filing", "demo-register", "demo-payroll"
WHY = {"purpose": PURPOSE}
CHANGES_WITH_EVERY_ANSWER = {
    "request_id",
    "audit_position",
    "decided_at",
    "expires_at",
    "receipt",
    "encounter",
    "duplicates",  # each enrolment of a face is one more
    "search",
    "started_at",
    "pairs",  # and so are these
    "expected_false_pairs",
    "false_pairs_high",
    "fmr",
    "policy",  # names the rate that follows from the gallery's size, which each enrolment changes
    "jti",
    "iat",
    "exp",
}
OF_THE_REQUEST = {"person", "sub", "aud"}

Call = Callable[..., httpx.Response]
# Every operation of the OpenAPI document stands here or in OPEN: method, path, and the scopes of which it needs one.
ENDPOINTS = {
    "verify": ("POST", "/v1/verifications", {Scope.VERIFY}),
    "identify": ("POST", "/v1/identifications", {Scope.IDENTIFY}),
    "enrol": ("POST", "/v1/persons/{person}/encounters", {Scope.ENROL}),
    "show": ("GET", "/v1/persons/{person}", {Scope.ENROL, Scope.AUDIT_READ}),
    "accesses": ("GET", "/v1/persons/{person}/accesses", {Scope.AUDIT_READ}),
    "erase": ("DELETE", "/v1/persons/{person}", {Scope.PERSONS_ERASE}),
    "galleries": ("GET", "/v1/galleries", set(Scope)),
    "search": ("POST", "/v1/duplicate-searches", {Scope.DUPLICATES_READ}),
    "search progress": ("GET", "/v1/duplicate-searches/{search}", {Scope.DUPLICATES_READ}),
    "search on": ("POST", "/v1/duplicate-searches/{search}/run", {Scope.DUPLICATES_READ}),
    "search report": ("GET", "/v1/duplicate-searches/{search}/report", {Scope.DUPLICATES_READ}),
    "cancel search": ("DELETE", "/v1/duplicate-searches/{search}", {Scope.DUPLICATES_READ}),
}
OF_SEARCHES = tuple(name for name in ENDPOINTS if "search" in name)
OF_ONE_SEARCH = tuple(name for name in OF_SEARCHES if name != "search")
# For anybody, and without anybody's data.
OPEN = {
    ("POST", "/oauth/token"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/start.js"),
    ("GET", "/"),
    ("GET", "/staff"),
}
WITH_BODY = ("verify", "identify", "enrol", "search")
NOT_LISTING = tuple(name for name in ENDPOINTS if name != "galleries")
ABOUT_SOMEBODY = tuple(name for name in NOT_LISTING if name not in OF_SEARCHES)
ROLES: dict[str, set[Scope]] = {"none": set(), **{scope.value: {scope} for scope in Scope}, "all": set(Scope)}


@pytest.fixture(scope="module")
def person(service: Service) -> str:
    return service.enrol(51)


def searched(service: Service, gallery: str) -> str:
    """A search of that gallery that is through."""
    client = service.client(Scope.DUPLICATES_READ, galleries=(gallery,))
    body = {"gallery": gallery, "purpose": PURPOSE, "budget": 1}
    answer = client.post("/v1/duplicate-searches", json=body)
    assert answer.status_code == 202, answer.text
    name = str(answer.json()["search"])
    for _ in range(600):
        shown = client.get(f"/v1/duplicate-searches/{name}", params=WHY).json()
        assert shown["progress"] in ("running", "finished"), shown
        if shown["progress"] == "finished":
            return name
        time.sleep(0.05)
    pytest.fail("the search did not come to an end")


@pytest.fixture(scope="module")
def search(service: Service, person: str) -> str:
    return searched(service, GALLERY)


@pytest.fixture
def call(service: Service, person: str, search: str, photo: Photo) -> Call:
    def _call(
        name: str,
        client: httpx.Client,
        *,
        who: str | None = None,
        gallery: str = GALLERY,
        face: int = 51,
        of_search: str | None = None,
    ) -> httpx.Response:
        method, path, _ = ENDPOINTS[name]
        who = who or person
        path = path.replace("{search}", of_search or search)
        image = base64.b64encode(photo(face, 2)).decode()
        body = {"gallery": gallery, "purpose": PURPOSE}
        more: dict[str, dict[str, object]] = {
            "verify": {"person": who, "image": image},
            "identify": {"image": image},
            "enrol": {"images": [image]},
            "search": {"budget": 1},
        }
        if name in WITH_BODY:
            return client.request(method, path.format(person=who), json={**body, **more[name]})
        return client.request(method, path.format(person=who), params=WHY)

    return _call


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer idv.agency-0.AAAA",
        "Bearer idv..",
        "Bearer \u00e9",
        "Basic YWdlbmN5LTA6eA==",
        "Bearer idv.agency-0." + "A" * 43,
    ],
)
def test_a_caller_without_a_valid_key_is_nobody(
    service: Service, call: Call, problem: Problem, name: str, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = call(name, service.stranger(headers))
    problem(answer, 401, "credential_invalid")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="idverify"')


@pytest.mark.parametrize("name", NOT_LISTING)
@pytest.mark.parametrize("who", [None, "C-nobody"])
def test_without_the_scope_it_is_forbidden(
    service: Service, call: Call, problem: Problem, name: str, who: str | None
) -> None:
    client = service.client(*(set(Scope) - ENDPOINTS[name][2]))
    problem(call(name, client, who=who), 403, "not_permitted")


@pytest.mark.parametrize("name", NOT_LISTING)
def test_without_the_purpose_it_is_forbidden(service: Service, call: Call, problem: Problem, name: str) -> None:
    problem(call(name, service.client(*Scope, purposes=("payroll-check",))), 403, "not_permitted")


@pytest.mark.parametrize("name", WITH_BODY)
def test_without_the_gallery_it_is_forbidden_whether_the_gallery_exists_or_not(
    service: Service, call: Call, problem: Problem, name: str
) -> None:
    client = service.client(*Scope, galleries=("never-made",))
    problem(call(name, client), 403, "not_permitted")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_suspended_client_is_refused(service: Service, call: Call, problem: Problem, name: str) -> None:
    client = service.client(*Scope)
    service.suspend(client.headers["x-client"])
    problem(call(name, client), 401, "credential_invalid")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_two_keys_at_once_are_refused(service: Service, call: Call, problem: Problem, name: str) -> None:
    key = service.client(*Scope).headers["authorization"]
    twice = httpx.Client(
        base_url=service.url, headers=[("Authorization", key), ("Authorization", key)], trust_env=False
    )
    with twice:
        problem(call(name, twice), 401, "credential_invalid")


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_stranger_is_turned_away_before_the_body_is_looked_at(service: Service, problem: Problem, name: str) -> None:
    _, path, _ = ENDPOINTS[name]
    answer = service.stranger().post(path.format(person="C-1"), content=b"{", headers={"Content-Type": "text/plain"})
    problem(answer, 401, "credential_invalid")


@pytest.mark.parametrize("name", [name for name in ENDPOINTS if name not in ("erase", "cancel search")])
def test_with_every_right_it_is_answered(service: Service, call: Call, name: str) -> None:
    assert call(name, service.client(*ENDPOINTS[name][2], sees_scores=name == "search report")).is_success


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", OF_ONE_SEARCH)
def test_a_search_of_another_agency_answers_like_none(
    service: Service, call: Call, others_search: str, name: str, role: str
) -> None:
    client = service.client(*ROLES[role], sees_scores=True)
    theirs = call(name, client, of_search=others_search)
    assert alike(theirs) == alike(call(name, client, of_search="00000000-0000-4000-8000-000000000000"))
    assert theirs.status_code == (404 if Scope.DUPLICATES_READ in ROLES[role] else 403)
    assert OTHER_GALLERY not in theirs.text


def test_a_search_against_another_agencys_gallery_is_forbidden(service: Service, problem: Problem) -> None:
    client = service.client(Scope.DUPLICATES_READ)
    for other in (OTHER_GALLERY, "never-made"):
        body = {"gallery": GALLERY, "against": other, "budget": 1, "purpose": PURPOSE}
        problem(client.post("/v1/duplicate-searches", json=body), 403, "not_permitted")


def test_a_report_holds_scores_and_is_for_those_who_may_see_them(
    service: Service, call: Call, problem: Problem
) -> None:
    problem(call("search report", service.client(Scope.DUPLICATES_READ)), 403, "not_permitted")


def test_every_operation_that_is_served_has_its_row_here(service: Service) -> None:
    """A new endpoint fails this until somebody has said who may use it; the other tests hold it to that."""
    listed = {(method, path) for method, path, _ in ENDPOINTS.values()} | OPEN
    document = service.stranger().get("/openapi.json").json()
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described <= listed
    assert {path for _, path in described} == {path for _, path in listed} - {
        "/metrics",
        "/openapi.json",
        "/docs",
        "/docs/start.js",
        "/",
        "/staff",
    }
    # What is served and not described, too.
    for route in create_app(service.engine).routes:
        for method in getattr(route, "methods", None) or ():
            assert method == "HEAD" or (method, route.path) in listed, route.path  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def roles(service: Service) -> dict[str, httpx.Client]:
    """One client of GALLERY for each role."""
    return {role: service.client(*scopes) for role, scopes in ROLES.items()}


@pytest.fixture(scope="module")
def others_search(service: Service, others_person: str) -> str:
    """A search of the gallery of another agency."""
    return searched(service, OTHER_GALLERY)


@pytest.fixture(scope="module")
def others_person(service: Service) -> str:
    """Somebody who stands in the gallery of another agency only."""
    return service.enrol(52, gallery=OTHER_GALLERY)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", ABOUT_SOMEBODY)
def test_a_person_of_another_agency_answers_like_nobody(
    service: Service, call: Call, roles: dict[str, httpx.Client], others_person: str, name: str, role: str
) -> None:
    client, nobody = roles[role], f"C-nobody-{name}-{role}"
    # Who is enrolled here too is no longer of the other agency alone: those who may enrol get somebody else for it.
    who = service.enrol(52, gallery=OTHER_GALLERY) if name == "enrol" else others_person
    theirs = call(name, client, who=who)
    assert alike(theirs) == alike(call(name, client, who=nobody))
    assert OTHER_GALLERY not in theirs.text
    if name != "verify":  # it says back whom it was asked about
        assert who not in theirs.text
    if ENDPOINTS[name][2].isdisjoint(ROLES[role]):
        assert theirs.status_code == 403
    elif name in ("show", "accesses", "erase"):
        assert theirs.status_code == 404


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", WITH_BODY)
def test_a_gallery_of_another_agency_answers_like_none(
    call: Call, roles: dict[str, httpx.Client], others_person: str, name: str, role: str
) -> None:
    theirs = call(name, roles[role], who=others_person, gallery=OTHER_GALLERY, face=52)
    none = call(name, roles[role], who=others_person, gallery="never-made", face=52)
    assert theirs.status_code == 403
    assert alike(theirs) == alike(none)


@pytest.mark.parametrize("role", ROLES)
def test_a_search_finds_nobody_of_another_agency(
    call: Call, roles: dict[str, httpx.Client], others_person: str, role: str
) -> None:
    for answer in (call("identify", roles[role], face=52), call("enrol", roles[role], who="C-new-face", face=52)):
        assert others_person not in answer.text
        assert OTHER_GALLERY not in answer.text


@pytest.mark.parametrize("role", ROLES)
def test_the_galleries_of_another_agency_are_not_listed(call: Call, roles: dict[str, httpx.Client], role: str) -> None:
    listed = call("galleries", roles[role]).json()["galleries"]
    assert [one["gallery"] for one in listed] == [GALLERY]


def test_the_person_of_another_agency_is_still_there_after_all_that(
    service: Service, call: Call, others_person: str
) -> None:
    theirs = service.client(Scope.AUDIT_READ, galleries=(OTHER_GALLERY,))
    assert call("show", theirs, who=others_person).json()["encounters"]


@pytest.mark.parametrize("path", sorted(path for method, path in OPEN if method == "GET"))
def test_what_is_open_names_nobody(service: Service, person: str, others_person: str, path: str) -> None:
    text = service.stranger().get(path).text
    assert person not in text
    assert others_person not in text
    assert "agency-" not in text


def alike(answer: httpx.Response) -> tuple[int, set[str], Any]:
    """What tells two answers apart, but for ids and times, and for what the caller itself sent."""
    told = answer.json()
    receipt = told.get("receipt")
    signed = None if receipt is None else stripped(jwt.decode(receipt, options={"verify_signature": False}))
    return answer.status_code, set(answer.headers), [stripped(told), signed]


def stripped(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key not in CHANGES_WITH_EVERY_ANSWER | OF_THE_REQUEST}
