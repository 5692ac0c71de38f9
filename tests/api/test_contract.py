"""The API keeps what it promised in earlier releases: docs/api-versioning.md has the rules."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.api.contract import broken, promises

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.api.conftest import Service

RELEASES = sorted(Path(__file__).parent.glob("contract_*.txt"))
"""Each made of that release's own document; never made anew."""
ANSWER = "VerificationAnswer"


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    published: dict[str, Any] = service.stranger().get("/openapi.json").json()
    return published


@pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.stem)
def test_what_a_release_promised_is_kept(document: dict[str, Any], release: Path) -> None:
    before = set(release.read_text(encoding="utf-8").splitlines())
    assert len(before) > 300
    assert broken(before, promises(document)) == []


def _drop_a_path(document: dict[str, Any]) -> None:
    del document["paths"]["/v1/galleries"]


def _drop_a_field(document: dict[str, Any]) -> None:
    del document["components"]["schemas"][ANSWER]["properties"]["expires_at"]


def _turn_a_field_into_text(document: dict[str, Any]) -> None:
    document["components"]["schemas"][ANSWER]["properties"]["audit_position"]["type"] = "string"


def _leave_a_field_out_at_times(document: dict[str, Any]) -> None:
    document["components"]["schemas"][ANSWER]["required"].remove("receipt")


def _drop_a_field_of_problems(document: dict[str, Any]) -> None:
    del document["components"]["schemas"]["Problem"]["properties"]["code"]


def _need_one_more(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/verifications"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["required"].append("nonce")


def _refuse_a_parameter(document: dict[str, Any]) -> None:
    document["paths"]["/v1/persons/{person}"]["get"]["parameters"].pop()


@pytest.mark.parametrize(
    "change",
    [
        _drop_a_path,
        _drop_a_field,
        _turn_a_field_into_text,
        _leave_a_field_out_at_times,
        _drop_a_field_of_problems,
        _need_one_more,
        _refuse_a_parameter,
    ],
)
def test_a_change_that_breaks_callers_is_named(
    document: dict[str, Any], change: Callable[[dict[str, Any]], None]
) -> None:
    changed = copy.deepcopy(document)
    change(changed)
    assert broken(promises(document), promises(changed))


def test_what_is_added_breaks_nobody(document: dict[str, Any]) -> None:
    changed = copy.deepcopy(document)
    changed["paths"]["/v1/new"] = changed["paths"]["/v1/verifications"]
    changed["components"]["schemas"][ANSWER]["properties"]["new"] = {"type": "string"}
    changed["components"]["schemas"]["Reason"]["enum"].append("a_new_reason")
    changed["paths"]["/v1/galleries"]["get"]["responses"]["418"] = {"content": {}}
    assert broken(promises(document), promises(changed)) == []
