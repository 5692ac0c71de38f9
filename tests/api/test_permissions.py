"""Every endpoint against every right that it needs: without one the answer is 401 or 403, and it tells nothing."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from idverify.clients import Scope

if TYPE_CHECKING:
    from tests.api.conftest import Photo, Problem, Service

PURPOSE, GALLERY = "tax-filing", "demo-register"
WHY = {"purpose": PURPOSE}


Call = Callable[..., httpx.Response]
ENDPOINTS = {
    "verify": ("POST", "/v1/verifications", {Scope.VERIFY}),
    "identify": ("POST", "/v1/identifications", {Scope.IDENTIFY}),
    "enrol": ("POST", "/v1/persons/{person}/encounters", {Scope.ENROL}),
    "show": ("GET", "/v1/persons/{person}", {Scope.ENROL, Scope.AUDIT_READ}),
    "accesses": ("GET", "/v1/persons/{person}/accesses", {Scope.AUDIT_READ}),
    "erase": ("DELETE", "/v1/persons/{person}", {Scope.PERSONS_ERASE}),
}
WITH_BODY = ("verify", "identify", "enrol")


@pytest.fixture(scope="module")
def person(service: Service) -> str:
    return service.enrol(51)


@pytest.fixture
def call(service: Service, person: str, photo: Photo) -> Call:
    def _call(name: str, client: httpx.Client, *, who: str | None = None) -> httpx.Response:
        method, path, _ = ENDPOINTS[name]
        who = who or person
        image = base64.b64encode(photo(51, 2)).decode()
        body = {"gallery": GALLERY, "purpose": PURPOSE}
        more: dict[str, dict[str, object]] = {
            "verify": {"person": who, "image": image},
            "identify": {"image": image},
            "enrol": {"images": [image]},
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


def test_the_list_of_galleries_needs_a_key_too(service: Service, problem: Problem) -> None:
    problem(service.stranger().get("/v1/galleries"), 401, "credential_invalid")


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("who", [None, "C-nobody"])
def test_without_the_scope_it_is_forbidden(
    service: Service, call: Call, problem: Problem, name: str, who: str | None
) -> None:
    client = service.client(*(set(Scope) - ENDPOINTS[name][2]))
    problem(call(name, client, who=who), 403, "not_permitted")


@pytest.mark.parametrize("name", ENDPOINTS)
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


@pytest.mark.parametrize("name", [name for name in ENDPOINTS if name != "erase"])
def test_with_every_right_it_is_answered(service: Service, call: Call, name: str) -> None:
    assert call(name, service.client(*ENDPOINTS[name][2])).is_success
