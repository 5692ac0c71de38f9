"""Idempotency-Key: asking again acts once and is answered alike, also when the service died in between."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from idverify.clients.agencies import Scope
from idverify.engine import Engine
from idverify.settings import Settings
from idverify.storage import audit_log
from tests.api.conftest import served

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

GALLERY, PURPOSE = "demo-register", "tax-filing"
FORM = {"gallery": GALLERY, "purpose": PURPOSE}


def key() -> dict[str, str]:
    return {"Idempotency-Key": str(uuid4())}


def leaves(service: Service) -> int:
    with service.engine.database.read() as connection:
        return audit_log.size(connection)


def alike(first: httpx.Response, again: httpx.Response) -> bool:
    """The same answer to the byte, marked as given before."""
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    return (first.status_code, first.content) == (again.status_code, again.content)


def test_a_verification_sent_again_is_one_attempt_and_one_answer(service: Service, photo: Photo) -> None:
    person, client, once = service.enrol(60), service.client(Scope.VERIFY), key()
    ask: dict[str, Any] = {"data": FORM | {"person": person, "nonce": "n-0123456789"}, "files": {"image": photo(60, 2)}}
    first = client.post("/v1/verifications", **ask, headers=once)
    before = leaves(service)
    again = client.post("/v1/verifications", **ask, headers=once)
    encoded = FORM | {"person": person, "nonce": "n-0123456789", "image": base64.b64encode(photo(60, 2)).decode()}
    as_json = client.post("/v1/verifications", json=encoded, headers=once)
    assert first.status_code == 200, first.text
    assert alike(first, again)
    assert alike(first, as_json)
    assert leaves(service) == before
    anew = client.post("/v1/verifications", **ask, headers=key())
    assert anew.json()["audit_position"] > first.json()["audit_position"]


def test_a_search_sent_again_is_one_search(service: Service, photo: Photo) -> None:
    person, client, once = service.enrol(61), service.client(Scope.IDENTIFY), key()
    first = client.post("/v1/identifications", data=FORM, files={"image": photo(61, 2)}, headers=once)
    before = leaves(service)
    again = client.post("/v1/identifications", data=FORM, files={"image": photo(61, 2)}, headers=once)
    assert person in [one["person"] for one in first.json()["candidates"]]
    assert alike(first, again)
    assert leaves(service) == before


def test_an_enrolment_sent_again_gives_one_encounter_and_the_same_status(
    service: Service, photo: Photo, empty_room: bytes
) -> None:
    client = service.client(Scope.ENROL, Scope.AUDIT_READ)
    for person, picture, status in (("C-62-once", photo(62, 1), 201), ("C-62-never", empty_room, 200)):
        once, address = key(), f"/v1/persons/{person}/encounters"
        first = client.post(address, data=FORM, files=[("images", picture)], headers=once)
        again = client.post(address, data=FORM, files=[("images", picture)], headers=once)
        assert first.status_code == status, first.text
        assert alike(first, again)
    shown = client.get("/v1/persons/C-62-once", params={"purpose": PURPOSE}).json()
    assert len(shown["encounters"]) == 1


def test_an_erasure_sent_again_shows_the_same_tombstone(service: Service, problem: Problem) -> None:
    person, client, once = service.enrol(63), service.client(Scope.PERSONS_ERASE), key()
    first = client.delete(f"/v1/persons/{person}", params={"purpose": PURPOSE}, headers=once)
    again = client.delete(f"/v1/persons/{person}", params={"purpose": PURPOSE}, headers=once)
    assert first.json()["person"] == person
    assert alike(first, again)
    problem(client.delete(f"/v1/persons/{person}", params={"purpose": PURPOSE}, headers=key()), 404, "person_not_found")


@pytest.mark.parametrize("change", [{"person": "C-other"}, {"nonce": "another-nonce"}, {"image": True}])
def test_a_key_with_another_request_is_refused(
    service: Service, photo: Photo, problem: Problem, change: dict[str, object]
) -> None:
    client, once = service.client(Scope.VERIFY), key()
    form = FORM | {"person": "C-nobody"}
    assert client.post("/v1/verifications", data=form, files={"image": photo(1, 2)}, headers=once).status_code == 200
    picture = photo(1, 3 if change.pop("image", None) else 2)
    answer = client.post("/v1/verifications", data=form | change, files={"image": picture}, headers=once)
    problem(answer, 422, "idempotency_key_reused")


def test_a_key_belongs_to_one_address(service: Service, problem: Problem) -> None:
    one, other = service.enrol(64), service.enrol(65)
    client, once = service.client(Scope.PERSONS_ERASE), key()
    assert client.delete(f"/v1/persons/{one}", params={"purpose": PURPOSE}, headers=once).status_code == 200
    answer = client.delete(f"/v1/persons/{other}", params={"purpose": PURPOSE}, headers=once)
    problem(answer, 422, "idempotency_key_reused")


def test_two_clients_may_choose_the_same_key(service: Service, photo: Photo) -> None:
    once = key()
    answers = [
        service.client(Scope.VERIFY).post(
            "/v1/verifications", data=FORM | {"person": "C-nobody"}, files={"image": photo(1, 2)}, headers=once
        )
        for _ in range(2)
    ]
    assert ["idempotent-replayed" in answer.headers for answer in answers] == [False, False]


def test_of_many_at_once_one_acts_and_the_others_are_in_flight_or_hear_its_answer(
    service: Service, photo: Photo
) -> None:
    person, client, once, picture = service.enrol(66), service.client(Scope.VERIFY), key(), photo(66, 2)

    def ask(_: int) -> httpx.Response:
        return client.post("/v1/verifications", data=FORM | {"person": person}, files={"image": picture}, headers=once)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(6)))
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    others = {answer.json()["code"] for answer in answers if answer.status_code != 200}
    assert others <= {"request_in_flight"}
    accesses = service.client(Scope.AUDIT_READ).get(f"/v1/persons/{person}/accesses", params={"purpose": PURPOSE})
    assert [line["event"] for line in accesses.json()["accesses"]].count("person.verified") == 1


def test_after_an_erasure_the_answers_that_named_the_person_are_gone_and_nobody_comes_back(
    service: Service, photo: Photo, problem: Problem
) -> None:
    client = service.client(Scope.ENROL, Scope.PERSONS_ERASE, Scope.IDENTIFY)
    enrolled, searched, address = key(), key(), "/v1/persons/C-67-gone/encounters"
    assert client.post(address, data=FORM, files=[("images", photo(67, 1))], headers=enrolled).status_code == 201
    found = client.post("/v1/identifications", data=FORM, files={"image": photo(67, 2)}, headers=searched)
    assert "C-67-gone" in found.text
    assert client.delete("/v1/persons/C-67-gone", params={"purpose": PURPOSE}).status_code == 200
    problem(client.post(address, data=FORM, files=[("images", photo(67, 1))], headers=enrolled), 410, "answer_erased")
    again = client.post("/v1/identifications", data=FORM, files={"image": photo(67, 2)}, headers=searched)
    problem(again, 410, "answer_erased")
    problem(client.get("/v1/persons/C-67-gone", params={"purpose": PURPOSE}), 404, "person_not_found")


def test_a_refusal_is_judged_anew(strict_service: Service, photo: Photo, problem: Problem) -> None:
    person, client, once = strict_service.enrol(68), strict_service.client(Scope.VERIFY), key()
    ask: dict[str, Any] = {"data": FORM | {"person": person}, "files": {"image": photo(68, 2)}}
    for _ in range(2):
        assert client.post("/v1/verifications", **ask, headers=key()).status_code == 200
    for _ in range(2):
        problem(client.post("/v1/verifications", **ask, headers=once), 429, "quota_exceeded")


@pytest.mark.parametrize("bad", ["short", "a" * 129, "sixteen charact\u00e9rs", "with blanks in it"])
def test_a_key_of_another_form_is_named(service: Service, photo: Photo, problem: Problem, bad: str) -> None:
    answer = service.client(Scope.VERIFY).post(
        "/v1/verifications",
        data=FORM | {"person": "C-1"},
        files={"image": photo(1, 2)},
        headers=[(b"Idempotency-Key", bad.encode("latin-1"))],
    )
    assert problem(answer, 422, "request_invalid")["errors"][0]["field"] == "Idempotency-Key"
    assert bad not in answer.text


def test_two_keys_are_refused(service: Service, photo: Photo, problem: Problem) -> None:
    answer = service.client(Scope.VERIFY).post(
        "/v1/verifications",
        data=FORM | {"person": "C-1"},
        files={"image": photo(1, 2)},
        headers=[("Idempotency-Key", "a" * 20), ("Idempotency-Key", "b" * 20)],
    )
    assert problem(answer, 422, "request_invalid")["errors"][0]["field"] == "Idempotency-Key"


_DIES_BEFORE_IT_ANSWERS = """
    import os, signal, sys
    from api import idempotency
    from api.__main__ import cli

    answer = idempotency.Once.answer

    def answer_and_die(self, *arguments, **named):
        shown = answer(self, *arguments, **named)
        if self.key is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return shown

    idempotency.Once.answer = answer_and_die
    cli(["--port", "0"])
"""


def test_a_service_killed_between_commit_and_answer_gives_that_answer_when_asked_again(
    registrar_of_an_empty_deployment: tuple[Path, Path, str], photo: Photo
) -> None:
    folder, model_dir, credential = registrar_of_an_empty_deployment
    kept = {name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_DIES_BEFORE_IT_ANSWERS)],
        env=kept | {"IDVERIFY_DATA_DIR": str(folder), "IDVERIFY_MODEL_DIR": str(model_dir)},
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    url = next(line for line in process.stderr if "running on" in line).split("running on ")[1].split(" ")[0].strip('"')
    ask: dict[str, Any] = {"data": FORM, "files": [("images", photo(69, 1))], "headers": key()}
    authorised = {"Authorization": f"Bearer {credential}"}
    with httpx.Client(headers=authorised, timeout=30, trust_env=False) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(f"{url}/v1/persons/C-69/encounters", **ask)
        assert process.wait(10) == -signal.SIGKILL
        process.stderr.close()
        with Engine.open(Settings.read(data_dir=folder, model_dir=model_dir)) as engine, served(engine) as service:
            answer = client.post(f"{service.url}/v1/persons/C-69/encounters", **ask)
            shown = client.get(f"{service.url}/v1/persons/C-69", params={"purpose": PURPOSE}).json()
    assert (answer.status_code, answer.headers["idempotent-replayed"]) == (201, "true")
    assert [one["encounter"] for one in shown["encounters"]] == [answer.json()["encounter"]]
