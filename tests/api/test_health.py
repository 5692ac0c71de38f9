"""/healthz and /readyz."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from idverify.clients.agencies import Scope
from idverify.engine import Engine
from idverify.settings import Settings
from tests.api.conftest import GALLERY, PURPOSE, served

if TYPE_CHECKING:
    from pathlib import Path

    from tests.api.conftest import Photo, Service


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


def test_a_service_that_loads_says_how_far_it_is_and_answers_1_to_1(
    deployment_with_a_person: tuple[Path, Path, str, str], photo: Photo
) -> None:
    folder, model_dir, key, person = deployment_with_a_person
    reached, opened = threading.Event(), threading.Event()

    def held(_what: str, _done: int, _total: int) -> None:
        reached.set()
        assert opened.wait(60)

    with (
        Engine.open(Settings.read(data_dir=folder, model_dir=model_dir), serving=True) as engine,
        served(engine) as service,
    ):
        engine.follower.start(held, refused=lambda: None)
        assert reached.wait(60)
        stranger = service.stranger()
        loading = stranger.get("/readyz")
        assert (loading.status_code, loading.json()["checks"]["galleries"]) == (503, "loading")
        assert set(loading.json()["loading"]) == {"step", "percent"}
        assert stranger.get("/readyz", params={"to": "verify"}).status_code == 200
        answer = stranger.post(
            "/v1/verifications",
            headers={"Authorization": f"Bearer {key}"},
            data={"gallery": GALLERY, "person": person, "purpose": PURPOSE},
            files={"image": photo(101, 2)},
        )
        assert answer.json()["outcome"] == "match"
        with service.client(Scope.IDENTIFY) as analyst:
            refused = analyst.post(
                "/v1/identifications", data={"gallery": GALLERY, "purpose": PURPOSE}, files={"image": photo(101, 2)}
            )
        assert (refused.status_code, refused.json()["code"]) == (503, "gallery_loading")
        assert int(refused.headers["Retry-After"]) > 0
        opened.set()
        assert engine.follower.await_loaded()
        ready = stranger.get("/readyz")
        assert (ready.status_code, ready.json().get("loading")) == (200, None)
