"""The table of problems, and the documents made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from api import response_schemas
from api.problems import INTERNAL, KINDS, kind_of
from idverify import errors
from idverify.clients.agencies import Scope
from idverify.errors import StorageUnavailable

if TYPE_CHECKING:
    from tests.api.conftest import Problem, Service


def every_error() -> list[type[errors.IdverifyError]]:
    found, new = {errors.IdverifyError}, [errors.IdverifyError]
    while new:
        new = [child for parent in new for child in parent.__subclasses__()]
        found |= set(new)
    return sorted(found, key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("kind", every_error())
def test_every_error_has_a_place_in_the_table_or_is_internal(kind: type[errors.IdverifyError]) -> None:
    error = kind.__new__(kind)
    code, row = kind_of(error)
    ours = (errors.ConfigurationInvalid, errors.SealBroken, errors.RecordRolledBack, errors.AuditBroken)
    internal = issubclass(kind, (*ours, errors.OperatingPointMissing, errors.ModelDownloadFailed))
    assert (row is INTERNAL) == (internal or kind is errors.IdverifyError)
    assert code == ("internal_error" if row is INTERNAL else kind.code)


def test_what_integrity_errors_are_about_never_leaves() -> None:
    assert kind_of(errors.SealBroken("row 7"))[0] == "internal_error"


def test_a_rejected_photograph_keeps_its_own_code() -> None:
    code, row = kind_of(errors.ImageTooSmall("sides"))
    assert (code, row.status) == ("image_too_small", 422)


@pytest.mark.parametrize("code", KINDS)
def test_rows_are_complete(code: str) -> None:
    row = KINDS[code]
    assert 400 <= row.status <= 503
    assert row.title[0].isupper()
    assert row.detail.endswith(".")


def test_addresses_and_methods_that_are_not_there_are_problems_too(service: Service, problem: Problem) -> None:
    stranger = service.stranger()
    problem(stranger.get("/nowhere"), 404, "route_not_found")
    problem(stranger.get("/v1/galleries/"), 404, "route_not_found")


@pytest.mark.parametrize(
    ("path", "methods"), [("/v1/verifications", "POST"), ("/v1/persons/C-1", "DELETE, GET"), ("/docs", "GET")]
)
def test_a_wrong_method_is_told_the_right_ones(service: Service, problem: Problem, path: str, methods: str) -> None:
    answer = service.stranger().put(path)
    problem(answer, 405, "method_not_allowed")
    assert answer.headers.get_list("allow") == [methods]


def test_documents_fit_the_published_schema(service: Service) -> None:
    for answer in (service.stranger().get("/v1/galleries"), service.client().post("/v1/verifications", json={})):
        response_schemas.Problem.model_validate(answer.json())


def test_what_the_database_said_stays_with_us(
    service: Service, problem: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> NoReturn:
        raise StorageUnavailable("database unavailable: connection to server at 10.0.0.5 failed for user idverify")

    monkeypatch.setattr(type(service.engine.clients), "authenticate", unreachable)
    answer = service.client(Scope.VERIFY).get("/v1/galleries")
    assert "10.0.0.5" not in problem(answer, 503, "storage_unavailable")["detail"]
