"""A running API for the tests: the real engine on SQLite, rendered citizens, uvicorn on loopback."""

import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import uvicorn

from api.app import create_app
from api.certificates import CertificateSource
from api.server import server_config, tls_context
from citizens import portrait_jpeg
from enrolment import composition
from enrolment.enroller import EnrolmentRequest
from idverify import keys
from idverify.access import Access
from idverify.administration.deployment import utc_now
from idverify.clients.agencies import Scope
from idverify.engine import Engine
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import ClientId, GalleryId, PersonId, RequestId, gallery_id
from idverify.settings import Settings
from idverify.storage.database import Database

ADMINISTRATION = Access(RequestId("tests-api"), "administration")
GALLERY = GalleryId("demo-register")
OTHER_GALLERY = GalleryId("demo-payroll")
PURPOSE = "tax-filing"

Serve = Callable[..., AbstractContextManager["Service"]]
Photo = Callable[[int, int], bytes]
Problem = Callable[[httpx.Response, int, str], dict[str, Any]]

photograph = functools.lru_cache(maxsize=None)(portrait_jpeg)


@dataclass
class Service:
    """A served engine, and clients of it."""

    engine: Engine
    url: str
    _numbers: Iterator[int] = field(default_factory=count)
    _open: list[httpx.Client] = field(default_factory=list)

    def client(
        self,
        *scopes: Scope,
        galleries: Iterable[str] = (GALLERY,),
        purposes: Iterable[str] = (PURPOSE,),
        sees_scores: bool = False,
    ) -> httpx.Client:
        """A new agency's HTTP client, its key in place; its name is client.headers["x-client"]."""
        name = f"agency-{next(self._numbers)}"
        _, key = self.engine.clients.add(
            name,
            scopes=scopes,
            galleries=map(gallery_id, galleries),
            purposes=purposes,
            sees_scores=sees_scores,
            access=ADMINISTRATION,
        )
        return self.stranger({"Authorization": f"Bearer {key}", "X-Client": name})

    def stranger(self, headers: Mapping[str, str | bytes] | None = None) -> httpx.Client:
        """An HTTP client with these headers only."""
        encoded = [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in (headers or {}).items()
        ]
        client = httpx.Client(base_url=self.url, headers=encoded, timeout=30, trust_env=False)
        self._open.append(client)
        return client

    def enrol(self, seed: int, *captures: int, gallery: str = GALLERY) -> str:
        """Enrol rendered citizen `seed` through the API under a number of their own; returns the number."""
        person = f"C-{seed}-{next(self._numbers)}"
        answer = self.client(Scope.ENROL, galleries=(gallery,)).post(
            f"/v1/persons/{person}/encounters",
            data={"gallery": gallery, "purpose": PURPOSE},
            files=[("images", photograph(seed, capture)) for capture in captures or (1,)],
        )
        assert answer.status_code == 201, answer.text
        return person

    def suspend(self, name: str) -> None:
        self.engine.clients.suspend(ClientId(name), ADMINISTRATION)

    def close(self) -> None:
        for client in self._open:
            client.close()


def open_engine(folder: Path, model_dir: Path, **settings: Any) -> Engine:
    """A new deployment in `folder` with two demonstration galleries."""
    read = Settings.read(data_dir=folder, model_dir=model_dir, **settings)
    database = Database.open(read.database)
    database.migrate()
    keys.create(database, read.root_keys, utc_now, ADMINISTRATION)
    database.close()
    engine = Engine.open(read)
    for gallery in (GALLERY, OTHER_GALLERY):
        engine.galleries.add(gallery, demonstration=True, policy=GalleryPolicy(), access=ADMINISTRATION)
    return engine


@contextmanager
def served(engine: Engine, **changes: Any) -> Iterator[Service]:
    """`engine` behind uvicorn on a free port of loopback; `changes` to the settings of the server."""
    settings = engine.settings.model_copy(update={"port": 0, **changes})
    tls = tls_context(settings)
    app = create_app(engine)
    app.state.certificates = CertificateSource.of(settings)
    server = uvicorn.Server(server_config(app, settings, tls, logs=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    service = Service(engine, f"{'https' if tls else 'http'}://127.0.0.1:{port}")
    try:
        yield service
    finally:
        service.close()
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Service]:
    """One service for all tests; each uses people and clients of its own."""
    with (
        open_engine(tmp_path_factory.mktemp("api"), model_dir, verifications_per_person_per_day=1_000) as engine,
        served(engine) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def serve() -> Serve:
    """serve(engine, **changes to the settings of the server): one more server on an engine."""
    return served


@pytest.fixture
def strict_service(tmp_path: Path, model_dir: Path) -> Iterator[Service]:
    """A service that allows two verifications per person and day."""
    with open_engine(tmp_path, model_dir, verifications_per_person_per_day=2) as engine, served(engine) as running:
        yield running


@pytest.fixture(scope="session")
def photo() -> Photo:
    """photo(person's seed, visit's seed) -> JPEG."""
    return photograph


@pytest.fixture
def problem() -> Problem:
    """Checks that a response is a problem document of that status and code, and returns it."""
    return _problem


def _problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    document = response.json()
    assert (response.status_code, document.get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert document.keys() - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    assert document["type"] == f"urn:idverify:problem:{code}"
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    assert isinstance(document, dict)
    return document


@pytest.fixture(scope="session")
def empty_room() -> bytes:
    """A JPEG of a wall."""
    wall = np.full((640, 480, 3), 200, np.uint8)
    wall[:, :, 0] = np.linspace(120, 220, 480, dtype=np.uint8)
    return cv2.imencode(".jpg", wall)[1].tobytes()


@pytest.fixture
def registrar_of_an_empty_deployment(tmp_path: Path, model_dir: Path) -> tuple[Path, Path, str]:
    """Data folder, model folder and the key of a client that may enrol."""
    with open_engine(tmp_path, model_dir) as engine:
        return tmp_path, model_dir, _key(engine, Scope.ENROL)


@pytest.fixture
def deployment_with_a_person(tmp_path: Path, model_dir: Path) -> tuple[Path, Path, str, str]:
    """Data folder, model folder, a verifying client's key, and the number of the enrolled citizen 101."""
    with open_engine(tmp_path, model_dir) as engine:
        composition.enroller(engine).enrol(
            EnrolmentRequest(PersonId("C-101"), GALLERY, [photograph(101, 1)], ADMINISTRATION, source="cli")
        )
        return tmp_path, model_dir, _key(engine, Scope.VERIFY), "C-101"


def _key(engine: Engine, scope: Scope) -> str:
    _, key = engine.clients.add(
        "agency",
        scopes=[scope],
        galleries=[GALLERY],
        purposes=[PURPOSE],
        sees_scores=False,
        access=ADMINISTRATION,
    )
    return key
