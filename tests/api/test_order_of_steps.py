"""An act takes the same steps in the same order with an Idempotency-Key and without one; the key only keeps the answer.

The answer is made and signed before the act's transaction commits, and nothing that takes long is done in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from analysis.deduplication.background_searches import BackgroundSearches
from api import identifications, verifications
from api.duplicate_searches import DuplicateSearchAnswer
from api.response_schemas import EnrolmentAnswer, ErasureAnswer, IdentificationAnswer, VerificationAnswer
from idverify.clients.agencies import Scope
from idverify.clients.limits import AttemptLimits
from idverify.persons import Persons
from idverify.receipts import Receipts
from idverify.storage.database import Connection, Database
from idverify.stored.audit_journal import Journal
from idverify.stored.kept_answers import KeptAnswers

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Service

FORM = {"gallery": "demo-register", "purpose": "tax-filing"}
PURPOSE = {"purpose": "tax-filing"}
ANSWERS = (VerificationAnswer, IdentificationAnswer, EnrolmentAnswer, ErasureAnswer, DuplicateSearchAnswer)
KEPT = "answer kept"

Ask = Callable[["Service", "Photo", dict[str, str]], httpx.Response]


@pytest.fixture
def steps(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the service does from here on, step by step."""
    seen: list[str] = []

    def spy(owner: object, method: str, step: Callable[..., str]) -> None:
        real = getattr(owner, method)

        def spied(*arguments: Any, **named: Any) -> Any:
            seen.append(step(*arguments))
            return real(*arguments, **named)

        monkeypatch.setattr(owner, method, spied)

    spy(type(service.engine.reader), "read", lambda *_: "photograph read")
    spy(AttemptLimits, "count", lambda *_: "attempt counted")
    spy(AttemptLimits, "note", lambda *_: "outcome noted")
    spy(AttemptLimits, "count_search", lambda *_: "search counted")
    spy(Journal, "record", lambda _self, _connection, kind, *_: f"{kind} recorded")
    spy(Receipts, "sign", lambda *_: "receipt signed")
    spy(Persons, "finish_erasure", lambda *_: "erasure finished")
    spy(KeptAnswers, "keep", lambda *_: KEPT)
    for answer in ANSWERS:
        spy(answer, "__init__", lambda *_: "answer made")
    for endpoint in (verifications, identifications):
        spy(endpoint, "digest_of", lambda *_: "photograph digested")
    write = Database.write

    @contextmanager
    def spied_write(database: Database) -> Iterator[Connection]:
        with write(database) as connection:
            seen.append("transaction begun")
            yield connection
            seen.append("last step done")
        seen.append("committed")

    monkeypatch.setattr(Database, "write", spied_write)

    monkeypatch.setattr(BackgroundSearches, "resume", lambda *_: seen.append("search is resumed"))
    return seen


def _verification(service: Service, photo: Photo, headers: dict[str, str]) -> httpx.Response:
    form = FORM | {"person": service.enrol(80)}
    client = service.client(Scope.VERIFY)
    return client.post("/v1/verifications", data=form, files={"image": photo(80, 2)}, headers=headers)


def _identification(service: Service, photo: Photo, headers: dict[str, str]) -> httpx.Response:
    client = service.client(Scope.IDENTIFY)
    return client.post("/v1/identifications", data=FORM, files={"image": photo(999, 2)}, headers=headers)


def _encounter(service: Service, photo: Photo, headers: dict[str, str]) -> httpx.Response:
    address = f"/v1/persons/C-81-{uuid4()}/encounters"
    return service.client(Scope.ENROL).post(address, data=FORM, files=[("images", photo(81, 1))], headers=headers)


def _erasure(service: Service, photo: Photo, headers: dict[str, str]) -> httpx.Response:
    person = service.enrol(82)
    return service.client(Scope.PERSONS_ERASE).delete(f"/v1/persons/{person}", params=PURPOSE, headers=headers)


def _duplicate_search(service: Service, photo: Photo, headers: dict[str, str]) -> httpx.Response:
    client = service.client(Scope.DUPLICATES_READ)
    return client.post("/v1/duplicate-searches", json=FORM | {"fmr": 1e-4}, headers=headers)


def _steps_of(ask: Ask, service: Service, photo: Photo, steps: list[str], headers: dict[str, str]) -> list[str]:
    """The steps of the act itself: what was done before it, to get a person and a client, is left out."""
    answer = ask(service, photo, headers)
    assert answer.is_success, answer.text
    assert "idempotent-replayed" not in answer.headers
    taken = steps[_start_of_the_act(steps) :]
    steps.clear()
    return taken


def _start_of_the_act(steps: list[str]) -> int:
    """The last transaction, and what was done for it: back to the commit before it."""
    last = len(steps) - 1 - steps[::-1].index("committed")
    return 1 + max((place for place in range(last) if steps[place] == "committed"), default=-1)


@pytest.mark.parametrize("ask", [_verification, _identification, _encounter, _erasure, _duplicate_search])
def test_the_steps_are_the_same_with_a_key_and_without_one(
    service: Service, photo: Photo, steps: list[str], ask: Ask
) -> None:
    without = _steps_of(ask, service, photo, steps, {})
    keyed = _steps_of(ask, service, photo, steps, {"Idempotency-Key": str(uuid4())})
    assert keyed.count(KEPT) == 1
    place = keyed.index(KEPT)
    assert keyed[place - 1 : place + 3] == ["answer made", KEPT, "last step done", "committed"]
    assert [step for step in keyed if step != KEPT] == without
    begun, committed = without.index("transaction begun"), without.index("committed")
    within = without[begun:committed]
    assert within[-2:] == ["answer made", "last step done"]
    assert not {"photograph read", "photograph digested"}.intersection(within)


def test_a_verification_is_read_counted_recorded_signed_and_committed_in_this_order(
    service: Service, photo: Photo, steps: list[str]
) -> None:
    assert _steps_of(_verification, service, photo, steps, {}) == [
        "photograph digested",
        "photograph read",
        "transaction begun",
        "attempt counted",
        "outcome noted",
        "person.verified recorded",
        "receipt signed",
        "answer made",
        "last step done",
        "committed",
    ]


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "a-key-of-a-failing-signer"}])
def test_what_cannot_be_signed_is_not_on_record(
    service: Service, photo: Photo, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    person = service.enrol(83)

    def fail(*_: object, **_named: object) -> str:
        raise OSError("no signer")

    client, auditor = service.client(Scope.VERIFY), service.client(Scope.AUDIT_READ)
    ask: dict[str, Any] = {"data": FORM | {"person": person}, "files": {"image": photo(83, 2)}, "headers": headers}
    with monkeypatch.context() as broken:
        broken.setattr(Receipts, "sign", fail)
        assert client.post("/v1/verifications", **ask).status_code == 500
    accesses = auditor.get(f"/v1/persons/{person}/accesses", params=PURPOSE).json()["accesses"]
    assert [one["event"] for one in accesses] == ["encounter.enrolled", "person.accesses_read"]
    assert client.post("/v1/verifications", **ask).status_code == 200
