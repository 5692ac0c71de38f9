"""GET /v1/galleries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idverify.clients.agencies import Scope
from idverify.ids import PersonId
from idverify.storage import galleries as table
from tests.api.conftest import ADMINISTRATION

if TYPE_CHECKING:
    from tests.api.conftest import Service


def test_only_the_clients_own_galleries_are_listed(service: Service) -> None:
    service.enrol(81, gallery="demo-payroll")
    body = service.client(Scope.VERIFY, galleries=("demo-payroll",)).get("/v1/galleries").json()
    (gallery,) = body["galleries"]
    assert gallery["gallery"] == "demo-payroll"
    assert (gallery["demonstration"], gallery["population"]) == (True, "rendered")
    assert gallery["people"] >= 1
    assert gallery["verification_fmr"] == 1e-4


def test_people_are_those_of_now_and_are_not_counted_in_the_store(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "counts", lambda *_: pytest.fail("a million people would take seconds to count"))
    caller = service.client(Scope.VERIFY, galleries=("demo-payroll",))

    def people() -> int:
        (gallery,) = caller.get("/v1/galleries").json()["galleries"]
        return int(gallery["people"])

    before = people()
    person = service.enrol(82, gallery="demo-payroll")
    assert people() == before + 1
    service.engine.persons.erase(PersonId(person), ADMINISTRATION)
    assert people() == before
