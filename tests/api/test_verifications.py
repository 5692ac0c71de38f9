"""POST /v1/verifications."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import jwt

from api.response_schemas import VerificationAnswer
from idverify.clients.agencies import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

GALLERY, PURPOSE = "demo-register", "tax-filing"


def form(person: str, **more: str) -> dict[str, str]:
    return {"gallery": GALLERY, "person": person, "purpose": PURPOSE, **more}


def test_the_enrolled_person_matches(service: Service, photo: Photo) -> None:
    person = service.enrol(1)
    answer = service.client(Scope.VERIFY).post("/v1/verifications", data=form(person), files={"image": photo(1, 2)})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["outcome"], body["reason"]) == ("match", "similarity_at_or_above_threshold")
    assert (body["person"], body["gallery"], body["purpose"]) == (person, GALLERY, PURPOSE)
    assert (body["demonstration"], body["population"]) == (True, "rendered")
    assert body["request_id"] == answer.headers["x-request-id"]
    VerificationAnswer.model_validate(body)


def test_another_person_does_not_match(service: Service, photo: Photo) -> None:
    person = service.enrol(3)
    answer = service.client(Scope.VERIFY).post("/v1/verifications", data=form(person), files={"image": photo(4, 1)})
    assert answer.json()["outcome"] == "no_match"


def test_json_and_multipart_give_the_same_answer(service: Service, photo: Photo) -> None:
    person, client = service.enrol(5), service.client(Scope.VERIFY)
    multipart = client.post("/v1/verifications", data=form(person), files={"image": photo(5, 2)})
    encoded = base64.b64encode(photo(5, 2)).decode()
    as_json = client.post("/v1/verifications", json=form(person, image=encoded))
    assert _without_circumstances(as_json.json()) == _without_circumstances(multipart.json())


def test_an_unknown_person_answers_like_a_non_match(service: Service, photo: Photo) -> None:
    known, client = service.enrol(6), service.client(Scope.VERIFY)
    stranger, nobody = (
        client.post("/v1/verifications", data=form(person), files={"image": photo(7, 1)})
        for person in (known, "C-nobody")
    )
    assert stranger.status_code == nobody.status_code == 200
    assert _without_circumstances(stranger.json()) == _without_circumstances(nobody.json())
    assert _names(stranger.json()) == _names(nobody.json())
    assert stranger.headers.keys() == nobody.headers.keys()


def test_a_person_of_another_gallery_answers_like_an_unknown_one(service: Service, photo: Photo) -> None:
    person = service.enrol(8, gallery="demo-payroll")
    answer = service.client(Scope.VERIFY).post("/v1/verifications", data=form(person), files={"image": photo(8, 2)})
    assert answer.json()["outcome"] == "no_match"


def test_a_photograph_without_a_face_is_a_result_and_not_an_error(service: Service, empty_room: bytes) -> None:
    person = service.enrol(9)
    answer = service.client(Scope.VERIFY).post("/v1/verifications", data=form(person), files={"image": empty_room})
    assert answer.status_code == 200
    assert (answer.json()["outcome"], answer.json()["reason"]) == ("not_processed", "no_face")


def test_the_receipt_says_what_was_answered_to_whom_about_which_photograph(service: Service, photo: Photo) -> None:
    person, client = service.enrol(10), service.client(Scope.VERIFY)
    body = client.post("/v1/verifications", data=form(person), files={"image": photo(10, 2)}).json()
    keys = jwt.PyJWKSet.from_dict(service.stranger().get("/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(body["receipt"])["kid"]]
    claims = jwt.decode(body["receipt"], key, algorithms=["EdDSA"], audience=client.headers["x-client"])
    assert claims["sub"] == person
    assert claims["request_digest"] == f"sha256:{hashlib.sha256(photo(10, 2)).hexdigest()}"
    same = (
        "outcome",
        "reason",
        "gallery",
        "purpose",
        "policy",
        "audit_position",
        "demonstration",
        "population",
        "presentation_attack",
    )
    assert {name: claims[name] for name in same} == {name: body[name] for name in same}
    assert claims["jti"] == body["request_id"]
    assert claims["exp"] - claims["iat"] == 300


def test_the_caps_count_every_attempt_and_say_when_to_come_back(
    strict_service: Service, photo: Photo, problem: Problem
) -> None:
    person = strict_service.enrol(11)
    clients = [strict_service.client(Scope.VERIFY) for _ in range(3)]
    answers = [c.post("/v1/verifications", data=form(person), files={"image": photo(11, 2)}) for c in clients]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    problem(answers[2], 429, "quota_exceeded")
    assert 0 < int(answers[2].headers["retry-after"]) <= 86_400


def test_a_gallery_that_is_gone_is_not_found(service: Service, photo: Photo, problem: Problem) -> None:
    client = service.client(Scope.VERIFY, galleries=("never-made",))
    answer = client.post("/v1/verifications", data=form("C-1", gallery="never-made"), files={"image": photo(1, 1)})
    problem(answer, 404, "gallery_not_found")


def _without_circumstances(body: dict[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in body.items() if n not in _CIRCUMSTANCES}


def _names(body: dict[str, Any]) -> tuple[set[str], set[str]]:
    """The fields, and the claims of the receipt."""
    return set(body), set(jwt.decode(body["receipt"], options={"verify_signature": False}))


_CIRCUMSTANCES = {"person", "request_id", "decided_at", "expires_at", "audit_position", "receipt"}
