"""POST /v1/identifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt

from idverify.clients.agencies import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

FORM = {"gallery": "demo-register", "purpose": "tax-filing"}


def test_an_enrolled_person_is_found(service: Service, photo: Photo) -> None:
    person = service.enrol(21)
    answer = service.client(Scope.IDENTIFY).post("/v1/identifications", data=FORM, files={"image": photo(21, 2)})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["outcome"] == "match"
    assert body["candidates"][0]["person"] == person
    assert body["enrolled"] >= 1
    claims = jwt.decode(body["receipt"], options={"verify_signature": False})
    assert claims["candidates"] == [candidate["person"] for candidate in body["candidates"]]


def test_somebody_who_is_not_enrolled_is_not_found(service: Service, photo: Photo) -> None:
    service.enrol(22)
    body = service.client(Scope.IDENTIFY).post("/v1/identifications", data=FORM, files={"image": photo(23, 1)}).json()
    assert (body["outcome"], body["candidates"]) == ("no_match", [])


def test_the_caller_names_the_error_rate(service: Service, photo: Photo) -> None:
    service.enrol(24)
    client = service.client(Scope.IDENTIFY)
    answer = client.post(
        "/v1/identifications", data=FORM | {"fpir": "0.01", "most": "1"}, files={"image": photo(24, 2)}
    )
    assert answer.json()["fpir"] == 0.01
    assert len(answer.json()["candidates"]) == 1


def test_an_error_rate_out_of_range_is_refused(service: Service, photo: Photo, problem: Problem) -> None:
    client = service.client(Scope.IDENTIFY)
    for fpir in ("1.5", "5e-324"):  # the second one, over many people, is a rate of nothing
        answer = client.post("/v1/identifications", data=FORM | {"fpir": fpir}, files={"image": photo(24, 2)})
        assert problem(answer, 422, "request_invalid")["errors"][0]["field"] == "fpir"


def test_an_erased_person_is_not_found_any_more(service: Service, photo: Photo) -> None:
    person = service.enrol(25)
    eraser = service.client(Scope.PERSONS_ERASE)
    assert eraser.delete(f"/v1/persons/{person}", params={"purpose": "tax-filing"}).status_code == 200
    body = service.client(Scope.IDENTIFY).post("/v1/identifications", data=FORM, files={"image": photo(25, 2)}).json()
    assert person not in [candidate["person"] for candidate in body["candidates"]]
