"""POST /v1/persons/{person}/encounters."""

from __future__ import annotations

import base64
from collections import Counter
from typing import TYPE_CHECKING

from api.response_schemas import EnrolmentAnswer
from idverify.clients.agencies import Scope
from idverify.vision.stages import Stage

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

FORM = {"gallery": "demo-register", "purpose": "tax-filing"}


def test_the_best_of_several_photographs_is_enrolled(service: Service, photo: Photo, empty_room: bytes) -> None:
    answer = service.client(Scope.ENROL).post(
        "/v1/persons/C-several/encounters",
        data=FORM,
        files=[("images", empty_room), ("images", photo(31, 1)), ("images", photo(31, 2))],
    )
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["outcome"] == "enrolled"
    assert body["encounter"]
    assert 0 <= body["quality"] <= 100
    EnrolmentAnswer.model_validate(body)


def test_each_photograph_is_assessed_once_and_the_best_embedded_once(service: Service, photo: Photo) -> None:
    stages: Counter[Stage] = Counter()
    service.engine.reader.stages.listen(lambda stage, _duration_s: stages.update([stage]))
    answer = service.client(Scope.ENROL).post(
        "/v1/persons/C-five/encounters",
        data=FORM,
        files=[("images", photo(36, day)) for day in range(1, 6)],
    )
    assert answer.status_code == 201, answer.text
    assert (stages[Stage.DECODE], stages[Stage.QUALITY], stages[Stage.EMBED]) == (5, 5, 1)


def test_photographs_may_come_as_json(service: Service, photo: Photo) -> None:
    images = [base64.b64encode(photo(32, 1)).decode()]
    answer = service.client(Scope.ENROL).post("/v1/persons/C-json/encounters", json={**FORM, "images": images})
    assert answer.status_code == 201, answer.text


def test_a_refusal_is_a_result_that_stores_nothing(service: Service, empty_room: bytes, problem: Problem) -> None:
    client = service.client(Scope.ENROL)
    answer = client.post("/v1/persons/C-refused/encounters", data=FORM, files=[("images", empty_room)])
    assert answer.status_code == 200
    assert (answer.json()["outcome"], answer.json()["reason"]) == ("refused", "no_face")
    assert "encounter" not in answer.json()
    problem(client.get("/v1/persons/C-refused", params={"purpose": "tax-filing"}), 404, "person_not_found")


def test_a_face_that_is_enrolled_already_needs_review_and_names_nobody(service: Service, photo: Photo) -> None:
    first = service.enrol(33)
    answer = service.client(Scope.ENROL).post(
        "/v1/persons/C-33-again/encounters", data=FORM, files=[("images", photo(33, 2))]
    )
    assert answer.status_code == 201
    assert answer.json()["outcome"] == "needs_review"
    assert "duplicates" not in answer.json()
    assert first not in answer.text


def test_who_may_read_duplicates_sees_the_other_number(service: Service, photo: Photo) -> None:
    first = service.enrol(34)
    client = service.client(Scope.ENROL, Scope.DUPLICATES_READ)
    answer = client.post("/v1/persons/C-34-again/encounters", data=FORM, files=[("images", photo(34, 2))])
    assert first in [duplicate["person"] for duplicate in answer.json()["duplicates"]]


def test_one_to_five_photographs_are_taken(service: Service, photo: Photo, problem: Problem) -> None:
    client = service.client(Scope.ENROL)
    none = client.post("/v1/persons/C-none/encounters", json={**FORM, "images": []})
    six = client.post("/v1/persons/C-six/encounters", data=FORM, files=[("images", photo(35, 1))] * 6)
    for answer in (none, six):
        assert problem(answer, 422, "request_invalid")["errors"][0]["field"] == "images"
