"""GET /v1/galleries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idverify.clients import Scope

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
