"""GET and DELETE /v1/persons/{person}, and its accesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idverify.clients.agencies import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

WHY = {"purpose": "tax-filing"}


def test_a_person_is_shown_without_any_picture_or_template(service: Service) -> None:
    person = service.enrol(41)
    body = service.client(Scope.ENROL).get(f"/v1/persons/{person}", params=WHY).json()
    assert (body["person"], body["status"]) == (person, "active")
    assert [encounter["galleries"] for encounter in body["encounters"]] == [["demo-register"]]
    assert body.keys() == {"person", "status", "created_at", "encounters"}


def test_every_access_is_told_with_agency_purpose_and_outcome(service: Service, photo: Photo) -> None:
    person = service.enrol(42)
    verifier, auditor = service.client(Scope.VERIFY), service.client(Scope.AUDIT_READ)
    verifier.post(
        "/v1/verifications",
        data={"gallery": "demo-register", "person": person, **WHY},
        files={"image": photo(42, 2)},
        headers={"X-Request-ID": "tax-2026-11-0001"},
    )
    lines = auditor.get(f"/v1/persons/{person}/accesses", params=WHY).json()["accesses"]
    assert [line["event"] for line in lines] == ["encounter.enrolled", "person.verified", "person.accesses_read"]
    assert lines[1]["client"] == verifier.headers["x-client"]
    assert (lines[1]["purpose"], lines[1]["outcome"], lines[1]["gallery"]) == ("tax-filing", "match", "demo-register")


def test_an_erased_person_is_gone(service: Service, problem: Problem) -> None:
    person = service.enrol(43)
    client = service.client(Scope.PERSONS_ERASE, Scope.AUDIT_READ)
    receipt = client.delete(f"/v1/persons/{person}", params=WHY)
    assert receipt.status_code == 200, receipt.text
    assert (receipt.json()["encounters"], receipt.json()["templates"]) == (1, 1)
    for answer in (
        client.get(f"/v1/persons/{person}", params=WHY),
        client.get(f"/v1/persons/{person}/accesses", params=WHY),
        client.delete(f"/v1/persons/{person}", params=WHY),
    ):
        problem(answer, 404, "person_not_found")


def test_people_of_other_galleries_are_as_unknown_as_nobody(service: Service, problem: Problem) -> None:
    person = service.enrol(44)
    client = service.client(Scope.ENROL, Scope.AUDIT_READ, Scope.PERSONS_ERASE, galleries=("demo-payroll",))
    for method, path in (("GET", ""), ("GET", "/accesses"), ("DELETE", "")):
        theirs, nobody = (
            problem(client.request(method, f"/v1/persons/{who}{path}", params=WHY), 404, "person_not_found")
            for who in (person, "C-nobody")
        )
        assert theirs | {"request_id": ""} == nobody | {"request_id": ""}


def test_a_purpose_is_asked_for(service: Service, problem: Problem) -> None:
    person = service.enrol(45)
    answer = service.client(Scope.ENROL).get(f"/v1/persons/{person}")
    assert problem(answer, 422, "request_invalid")["errors"] == [{"field": "purpose", "problem": "Field required"}]
