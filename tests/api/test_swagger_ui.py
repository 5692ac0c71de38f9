"""/docs and /openapi.json."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.api.conftest import Service

METHODS = {"get", "post", "delete"}


def test_the_page_and_all_it_names_come_from_the_service_itself(service: Service) -> None:
    stranger = service.stranger()
    page = stranger.get("/docs")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 4
    for address in addresses:
        assert address.startswith("/docs/")
        assert stranger.get(address).status_code == 200
    assert "//" not in page.text.replace("<!doctype html>", "")
    assert "'self'" in page.headers["content-security-policy"]
    assert "http" not in page.headers["content-security-policy"]
    assert 'url: "/openapi.json"' in stranger.get("/docs/start.js").text


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    document: dict[str, Any] = service.stranger().get("/openapi.json").json()
    return document


def test_every_endpoint_of_the_design_is_described(document: dict[str, Any]) -> None:
    assert document["paths"].keys() == {
        "/v1/verifications",
        "/v1/identifications",
        "/v1/persons/{person}/encounters",
        "/v1/persons/{person}",
        "/v1/persons/{person}/accesses",
        "/v1/galleries",
        "/v1/duplicate-searches",
        "/v1/duplicate-searches/{search}",
        "/v1/duplicate-searches/{search}/report",
        "/v1/duplicate-searches/{search}/run",
        "/oauth/token",
        "/.well-known/jwks.json",
        "/healthz",
        "/readyz",
    }


@pytest.mark.parametrize(
    ("path", "field"),
    [("/v1/verifications", "image"), ("/v1/identifications", "image"), ("/v1/persons/{person}/encounters", "images")],
)
def test_photographs_are_described_in_both_forms(document: dict[str, Any], path: str, field: str) -> None:
    content = document["paths"][path]["post"]["requestBody"]["content"]
    assert content.keys() == {"multipart/form-data", "application/json"}
    assert field in content["application/json"]["example"]
    part = content["multipart/form-data"]["schema"]["properties"][field]
    assert part.get("items", part)["format"] == "binary"


def test_every_error_is_described_as_a_problem_document(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                if path == "/oauth/token" and status in ("400", "401"):
                    continue  # in the form of RFC 6749
                if status.startswith("4") or (path.startswith("/v1/") and status.startswith("5")):
                    assert "application/problem+json" in answer["content"], (path, method, status)
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    names = re.findall(r"#/components/schemas/(\w+)", str(document))
    assert set(names) <= document["components"]["schemas"].keys()


def test_everything_under_v1_asks_for_the_key(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert ("security" in operation) == path.startswith("/v1/"), path
