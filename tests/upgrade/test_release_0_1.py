"""What release 0.1 stored of people and agencies means the same after the upgrade: faces, answers, caps, keys."""

import json
from pathlib import Path

import pytest

from idverify.ids import PersonId
from tests.commands import Commands
from tests.deployments import PAYROLL, access
from tests.proofs import assertion, flipped
from tests.upgrade.callers import PURPOSE, agency, search, verify
from tests.upgrade.upgrading import Upgraded

_TOKEN_FORM = {
    "grant_type": "client_credentials",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
}


@pytest.mark.parametrize("person", ["C-1", "C-2", "C-3", "C-8", "V-31"])
def test_a_face_is_found_under_its_number(shared: Upgraded, person: str) -> None:
    assert shared.register.found(shared.photograph(person)) == [person]


def test_a_face_that_is_in_two_galleries_is_found_in_both(shared: Upgraded) -> None:
    assert shared.register.found(shared.photograph("C-2"), gallery=PAYROLL) == ["C-2"]


def test_who_was_erased_is_not_found_and_not_known(shared: Upgraded) -> None:
    assert shared.register.found(shared.photograph("C-10")) == []
    for person in ("C-9", "C-10"):
        answer = shared.held_of(person)
        assert (answer.status_code, answer.json()["code"]) == (404, "person_not_found")


def test_of_everybody_the_same_is_held(shared: Upgraded) -> None:
    before = {person: told for person, told in shared.facts["people"].items() if told is not None}
    held = {person: shared.held_of(person).json() for person in before}
    assert held == before
    assert len(held) == 21
    assert held["C-5"]["status"] == "deceased"
    assert [one["galleries"] for one in held["C-2"]["encounters"]] == [["civil-register"], ["payroll"]]
    assert [[one["review"] for one in held[person]["encounters"]] for person in ("C-1", "C-4", "GHOST-21")] == [
        ["none", "none"],
        ["none", "pending"],
        ["pending"],
    ]


def test_a_person_sees_who_looked_at_them_before(shared: Upgraded) -> None:
    before = shared.facts["accesses_of_C-1"]
    with shared.agency("registration-office") as office:
        seen = office.get("/v1/persons/C-1/accesses", params={"purpose": PURPOSE}).json()["accesses"]
    assert len(before) >= 5
    assert seen[: len(before)] == before


def test_a_person_is_verified_and_somebody_else_is_not(own: Upgraded) -> None:
    with own.agency("revenue-authority") as office:
        assert verify(office, "C-3", own.photograph("C-3")).json()["outcome"] == "match"
        assert verify(office, "C-3", own.photograph("C-2")).json()["outcome"] == "no_match"


@pytest.mark.parametrize("name", ["before", "after"])
def test_a_kept_answer_is_given_again(shared: Upgraded, name: str) -> None:
    kept = shared.facts["answers"][name]
    with shared.agency("revenue-authority") as office:
        again = verify(office, kept["person"], shared.photograph(kept["person"]), once=kept["once"])
        other = verify(office, kept["person"], shared.photograph("C-3"), once=kept["once"])
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == shared.file(kept["file"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_kept_answer_is_gone_a_day_later(own: Upgraded) -> None:
    kept = own.facts["answers"]["after"]
    own.register.clock.advance(hours=24)
    with own.agency("revenue-authority") as office:
        anew = verify(office, kept["person"], own.photograph(kept["person"]), once=kept["once"])
    assert "idempotent-replayed" not in anew.headers
    assert anew.json()["outcome"] == "match"


def test_a_kept_answer_is_emptied_when_its_person_is_erased(own: Upgraded) -> None:
    kept = own.facts["answers"]["after"]
    own.register.engine.persons.erase(PersonId(kept["person"]), access())
    with own.agency("revenue-authority") as office:
        again = verify(office, kept["person"], own.photograph(kept["person"]), once=kept["once"])
    assert (again.status_code, again.json()["code"]) == (410, "answer_erased")


@pytest.mark.parametrize("name", ["before", "after"])
def test_a_receipt_is_genuine_by_the_keys_of_then_and_of_now(
    shared: Upgraded, commands: Commands, tmp_path: Path, name: str
) -> None:
    kept = shared.facts["answers"][name]
    answer, photograph = shared.kept / kept["file"], shared.kept / f"{kept['person']}.jpg"
    for options in ((), ("--jwks", shared.kept / kept["jwks"])):
        told = commands.done("receipt", "verify", answer, *options, "--photograph", photograph)
        assert "GENUINE" in told
        assert "NOT GENUINE" not in told
    altered = tmp_path / "altered.jws"
    altered.write_text(flipped(json.loads(shared.file(kept["file"]))["receipt"]))
    assert commands.idverify("receipt", "verify", altered).status == 20


def test_every_key_that_receipts_were_signed_by_is_still_published(shared: Upgraded) -> None:
    with agency(shared.site, "") as anybody:
        published = anybody.get("/.well-known/jwks.json").json()["keys"]
    for name, number in (("before", 1), ("after", 2)):
        then = json.loads(shared.file(shared.facts["answers"][name]["jwks"]))["keys"]
        assert len(then) == number
        assert all(key in published for key in then)


def test_attempts_that_are_used_up_stay_so_until_midnight(own: Upgraded) -> None:
    with own.agency("revenue-authority") as office:
        refused = verify(office, "C-6", own.photograph("C-6"))
        assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
        own.register.clock.advance(days=1)
        assert verify(office, "C-6", own.photograph("C-6")).json()["outcome"] == "match"


@pytest.mark.parametrize(("person", "photograph"), [("C-7", "C-7"), ("C-4", "almost-C-4")])
def test_a_locked_channel_stays_locked_until_it_is_released(own: Upgraded, person: str, photograph: str) -> None:
    """C-7 by failures in a row, C-4 by close calls."""
    own.register.clock.advance(days=1)
    with own.agency("revenue-authority") as office:
        refused = verify(office, person, own.photograph(photograph))
        assert (refused.status_code, refused.json()["code"]) == (423, "channel_locked")
        own.register.engine.persons.release(PersonId(person), access())
        assert verify(office, person, own.photograph(photograph)).status_code == 200


def test_failures_of_before_count_with_those_of_after(own: Upgraded) -> None:
    with own.agency("revenue-authority") as office:
        assert verify(office, "C-8", own.photograph("C-1")).json()["outcome"] == "no_match"
        assert verify(office, "C-8", own.photograph("C-8")).status_code == 423


def test_a_used_up_quota_of_searches_stays_so_until_midnight(own: Upgraded) -> None:
    with own.agency("police") as police:
        refused = search(police, own.photograph("C-3"))
        assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
        own.register.clock.advance(days=1)
        assert [search(police, own.photograph("C-3")).status_code for _ in range(3)] == [200, 200, 429]


def test_a_clients_key_lets_in_that_client_only(shared: Upgraded) -> None:
    for name, key in shared.facts["keys"].items():
        with agency(shared.site, key) as client, agency(shared.site, key[:-2] + "xx") as stranger:
            # Let in or not, each of them: what it may not do is refused by another code.
            assert client.get("/v1/persons/C-1", params={"purpose": PURPOSE}).status_code in (200, 403), name
            assert stranger.get("/v1/persons/C-1", params={"purpose": PURPOSE}).status_code == 401


def test_an_access_token_of_before_is_taken_until_it_expires(own: Upgraded) -> None:
    with agency(own.site, own.facts["gateway"]["token"]) as gateway:
        assert verify(gateway, "C-3", own.photograph("C-3")).json()["outcome"] == "match"
        own.register.clock.advance(minutes=3)
        assert verify(gateway, "C-3", own.photograph("C-3")).status_code == 401


def test_a_client_proves_itself_by_its_own_key_and_by_no_used_assertion(own: Upgraded) -> None:
    gateway, now_s = own.facts["gateway"], own.register.clock.now.timestamp()
    fresh = assertion(gateway["private_key"], gateway["client"], gateway["issuer"], now_s=now_s)
    with agency(own.site, "") as nobody:
        used = nobody.post("/oauth/token", data=_TOKEN_FORM | {"client_assertion": gateway["used_assertion"]})
        assert (used.status_code, used.json()["error"]) == (401, "invalid_client")
        token = nobody.post("/oauth/token", data=_TOKEN_FORM | {"client_assertion": fresh}).json()["access_token"]
    with agency(own.site, token) as client:
        assert verify(client, "C-3", own.photograph("C-3")).json()["outcome"] == "match"
