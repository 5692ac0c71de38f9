"""/healthz and /readyz."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.api.conftest import Service


def test_a_living_process_says_so(service: Service) -> None:
    assert service.stranger().get("/healthz").json() == {"status": "ok"}


def test_a_loaded_service_is_ready(service: Service) -> None:
    answer = service.stranger().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert set(answer.json()["checks"].values()) == {"ok"}


def test_a_service_that_lacks_something_is_not_ready(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(service.engine), "check", lambda _: {"database": "ok", "galleries": "loading"})
    answer = service.stranger().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not_ready", "checks": {"database": "ok", "galleries": "loading"}}


def test_what_is_wrong_with_the_database_is_not_told_to_everybody(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"database": "database unavailable: connection to server at 10.0.0.5 failed for user idverify"}
    monkeypatch.setattr(type(service.engine), "check", lambda _: said)
    assert service.stranger().get("/readyz").json() == {"status": "not_ready", "checks": {"database": "unavailable"}}
