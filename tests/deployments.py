"""Deployments for the tests of the flows: the real engine on SQLite, rendered citizens, and a clock that tests turn.

A small register is enrolled once and copied as files for each test that wants one: copying is cheap, enrolling is not.
"""

import functools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from citizens import Capture, Identity, render
from citizens.capture import CLOTHES
from enrolment import composition
from enrolment.enroller import EnrolmentRequest, EnrolmentResult
from idverify import keys
from idverify.access import Access, no_progress
from idverify.administration.deployment import Deployment
from idverify.engine import Engine
from idverify.galleries.definitions import GalleryPolicy
from idverify.identification import IdentificationRequest, IdentificationResult
from idverify.ids import ClientId, GalleryId, PersonId, RequestId
from idverify.settings import Settings
from idverify.storage.database import Database
from idverify.verification import VerificationRequest, VerificationResult
from idverify.vision.manifest import load_manifest
from idverify.vision.reader import AttackCheck, Reader

REGISTER = GalleryId("civil-register")
PAYROLL = GalleryId("payroll")
POLICY = GalleryPolicy(presentation_attack=AttackCheck.OFF)
KEEPING = GalleryPolicy(presentation_attack=AttackCheck.OFF, keep_images=True)
PEOPLE = tuple(PersonId(f"C-{seed}") for seed in range(1, 7))
"""Enrolled in every register: C-1 is the rendered citizen of seed 1, as captured on day 1, and so on."""

_requests = count(1)


@functools.cache
def photograph(seed: int, day: int) -> bytes:
    """JPEG of rendered citizen `seed` at a station's camera on some day: good light, small turns, other clothes."""
    turned = np.random.default_rng([seed, day]).uniform(-1, 1, 4)
    capture = Capture(
        seed=100 * seed + day,
        yaw_deg=5 * turned[0],
        pitch_deg=3 * turned[1],
        roll_deg=2 * turned[2],
        smile=0.1 + 0.1 * turned[3],
        clothes=CLOTHES[day % len(CLOTHES)],
    )
    return render(Identity.from_seed(seed), capture).jpeg()


def access(purpose: str = "tax-filing", client: str | None = "revenue-authority", **others: Any) -> Access:
    """An agency's request, each with an id of its own; `client` None: somebody of staff, named in `others`."""
    agency = None if client is None else ClientId(client)
    return Access(RequestId(f"request-{next(_requests)}"), purpose, agency, **others)


@functools.cache
def wall() -> bytes:
    """A photograph of nobody."""
    pixels = np.full((640, 480, 3), 200, np.uint8)
    pixels[:, :, 0] = np.linspace(120, 220, 480, dtype=np.uint8)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


@functools.cache
def couple() -> bytes:
    """Two people in one photograph."""
    faces = [render(Identity.from_seed(seed), Capture.frontal()).pixels[..., ::-1] for seed in (1, 2)]
    return cv2.imencode(".jpg", np.hstack(faces))[1].tobytes()


@dataclass
class Clock:
    """Stands still until a test moves it."""

    now: datetime = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@dataclass
class Register:
    """A deployment with an open engine, and the everyday acts on it."""

    settings: Settings
    reader: Reader
    clock: Clock = field(default_factory=Clock)
    engines: list[Engine] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        """The first engine; `another` opens more."""
        return self.engines[0] if self.engines else self.another()

    @property
    def path(self) -> Path:
        return Path(self.settings.database.removeprefix("sqlite:///"))

    def another(self) -> Engine:
        """One more engine on the same database, as another process or a restarted service would have."""
        engine = Engine(Deployment.open(self.settings, clock=self.clock), self.reader)
        try:
            engine.galleries_in_memory.load(no_progress)
        except BaseException:
            engine.close()
            raise
        self.engines.append(engine)
        return engine

    def enrol(
        self,
        person: str,
        *photographs: bytes,
        gallery: GalleryId = REGISTER,
        engine: Engine | None = None,
        by: Access | None = None,
    ) -> EnrolmentResult:
        request = EnrolmentRequest(PersonId(person), gallery, photographs, by or access("enrolment"), source="station")
        return composition.enroller(engine or self.engine).enrol(request)

    def verify(
        self, person: str, probe: bytes, *, gallery: GalleryId = REGISTER, by: Access | None = None
    ) -> VerificationResult:
        return self.engine.verification.verify(VerificationRequest(PersonId(person), gallery, probe, by or access()))

    def identify(
        self,
        probe: bytes,
        *,
        gallery: GalleryId = REGISTER,
        engine: Engine | None = None,
        by: Access | None = None,
        **options: Any,
    ) -> IdentificationResult:
        request = IdentificationRequest(gallery, probe, by or access("fraud-inquiry"), **options)
        return (engine or self.engine).identification.identify(request)

    def found(self, probe: bytes, *, engine: Engine | None = None, gallery: GalleryId = REGISTER) -> list[PersonId]:
        """The numbers of the people whom a search names."""
        return [one.person for one in self.identify(probe, engine=engine, gallery=gallery).candidates]

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Do what somebody with the database file can do; committed at once."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("PRAGMA foreign_keys=OFF")
            return connection.execute(statement, values).fetchall()

    def wrapped_key(self, person: str) -> tuple[int, bytes]:
        """The version of the wrapping key and the sealed data key, as stored."""
        statement = "SELECT wrapping_version, wrapped_key FROM persons JOIN person_keys ON slot = key_slot"
        ((version, sealed),) = self.sql(f"{statement} WHERE person = ?", person)
        return version, sealed

    def put_wrapped_key(self, person: str, version: int, sealed: bytes) -> None:
        """Write another version and sealed data key over a person's own."""
        self.sql("UPDATE persons SET wrapping_version = ? WHERE person = ?", version, person)
        own = "(SELECT key_slot FROM persons WHERE person = ?)"
        self.sql(f"UPDATE person_keys SET wrapped_key = ? WHERE slot = {own}", sealed, person)

    def close(self) -> None:
        while self.engines:
            self.engines.pop().close()


def settings_of(folder: Path, reader: Reader, **settings: Any) -> Settings:
    """Of a deployment in `folder` that runs the model set of `reader`."""
    sets = load_manifest().sets.values()
    name = next(each.name for each in sets if each.embedder_digest == reader.model)
    return Settings.read(data_dir=folder, model_set=name, **settings)


def create_register(folder: Path, reader: Reader, **settings: Any) -> Register:
    """A new deployment with an empty register and an empty payroll."""
    register = Register(settings_of(folder, reader, **settings), reader)
    database = Database.open(register.settings.database)
    database.migrate()
    keys.create(database, register.settings.root_keys, register.clock, access())
    database.close()
    with Deployment.open(register.settings, clock=register.clock) as deployment:
        for gallery, policy in ((REGISTER, POLICY), (PAYROLL, KEEPING)):
            deployment.galleries.add(gallery, demonstration=True, policy=policy, access=access())
    return register


def copied(register: Path, folder: Path, reader: Reader, **settings: Any) -> Register:
    """The register of that folder once more, in `folder`; changes stay there."""
    shutil.copytree(register, folder, dirs_exist_ok=True)
    return Register(settings_of(folder, reader, **settings), reader)


@pytest.fixture(scope="session")
def empty_register_files(tmp_path_factory: pytest.TempPathFactory, reader: Reader) -> Path:
    """The files of a deployment with two galleries and nobody in them; copy before use."""
    folder = tmp_path_factory.mktemp("empty-register")
    create_register(folder, reader)
    return folder


@pytest.fixture(scope="session")
def register_files(tmp_path_factory: pytest.TempPathFactory, empty_register_files: Path, reader: Reader) -> Path:
    """The files of a deployment with `PEOPLE` in its register; copy before use."""
    folder = tmp_path_factory.mktemp("register")
    register = copied(empty_register_files, folder, reader)
    for seed, person in enumerate(PEOPLE, start=1):
        register.enrol(person, photograph(seed, 1))
    register.close()
    return folder


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory, register_files: Path, reader: Reader) -> Iterator[Register]:
    """A register that all tests of a module share: they may look and add, and must not erase or break anything."""
    opened = copied(register_files, tmp_path_factory.mktemp("shared"), reader)
    yield opened
    opened.close()


@pytest.fixture
def own_register(tmp_path: Path, register_files: Path, reader: Reader) -> Iterator[Register]:
    """A register of this test's own."""
    opened = copied(register_files, tmp_path, reader)
    yield opened
    opened.close()


@pytest.fixture
def empty_register(tmp_path: Path, empty_register_files: Path, reader: Reader) -> Iterator[Register]:
    """A deployment of this test's own with nobody in it."""
    opened = copied(empty_register_files, tmp_path, reader)
    yield opened
    opened.close()
