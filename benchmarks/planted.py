"""Galleries with planted duplicates whose truth is known: rendered ghosts on a payroll, or real photographs.

It enrols templates as the enroller stores them, without its duplicate check, which is not what is measured here.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from benchmarks.population import photographs_under
from citizens import Capture, Identity, render, twin
from citizens.capture import CLOTHES
from enrolment.best_frame import best_of
from idverify import keys
from idverify.access import Access
from idverify.administration.deployment import Deployment, utc_now
from idverify.audit.events import EventKind, utc_text
from idverify.embedding import unit
from idverify.galleries.definitions import Galleries, GalleryPolicy
from idverify.ids import EncounterId, GalleryId, PersonId, Pseudonym, RequestId, TemplateId
from idverify.matching.operating_point import OperatingPoints
from idverify.protection.template import protect
from idverify.settings import Settings
from idverify.storage import encounters, persons, templates
from idverify.storage.database import Connection, Database
from idverify.storage.encounters import EncounterRow
from idverify.storage.persons import PersonRow
from idverify.vision.reader import Reader, ReadingPolicy, Refusal

Floats = npt.NDArray[np.float32]
PAYROLL, REGISTER = GalleryId("payroll"), GalleryId("civil-register")
ACCESS = Access(RequestId("benchmark"), "benchmark")
FIRST_SEED = 3_000_000
"""Calibration uses seeds from 1,000,000 to 1,002,000; nobody of those is planted here."""
RETAKES = 5
SIZES = (2, 3, 4, 5)
"""Under so many payroll numbers the ghosts' faces stand, in turn."""


class Conditions(StrEnum):
    """How the rendered citizens are captured."""

    STATION = "station"
    """A fixed camera and lamp; the person turns a little and comes in other clothes."""
    ANY_DAY = "any-day"
    """Another lamp, place and turn at every visit, as in the calibration."""


@dataclass(frozen=True, slots=True)
class Planted:
    """One visit under one number. `face` is whose it is; `read` gives the JPEG of (attempt, frame)."""

    gallery: GalleryId
    person: PersonId
    face: int
    read: Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class Truth:
    """Whose face stands under each number, and which pairs of faces are twins, whom nothing tells apart."""

    face: dict[PersonId, int]
    twins: frozenset[frozenset[int]]

    def mated(self, one: PersonId, other: PersonId) -> bool:
        return self.face[one] == self.face[other]

    def alike(self, one: PersonId, other: PersonId) -> bool:
        """Whether the two are twins: a true likeness and no duplicate."""
        return frozenset((self.face[one], self.face[other])) in self.twins


def payroll(entries: int, ghosts: int, conditions: Conditions) -> tuple[list[Planted], Truth]:
    """A payroll of so many numbers with so many ghosts, and a register that knows a third of the ghosts' faces.

    Of six ghosts three are one face under two to five numbers, two a face that the register knows under another
    number, and one a pair of twins.
    """
    visit = partial(rendered, conditions)
    planted: list[Planted] = []
    twins: set[frozenset[int]] = set()
    for ghost in range(ghosts):
        seed = FIRST_SEED + ghost
        if ghost % 6 < 3:
            planted += [visit(PAYROLL, f"E-{ghost}-{copy}", seed, copy) for copy in range(SIZES[ghost % len(SIZES)])]
        elif ghost % 6 < 5:
            planted += [visit(PAYROLL, f"E-{ghost}", seed, 1), visit(REGISTER, f"C-{ghost}", seed, 2)]
        else:
            other = FIRST_SEED + ghosts + ghost
            planted += [visit(PAYROLL, f"E-{ghost}-a", seed, 1), visit(PAYROLL, f"E-{ghost}-b", other, 1, seed)]
            twins.add(frozenset((seed, other)))
    honest = entries - sum(one.gallery == PAYROLL for one in planted)
    planted += [visit(PAYROLL, f"E-{1_000 + at}", FIRST_SEED + 1_000 + at, 1) for at in range(honest)]
    return planted, Truth({one.person: one.face for one in planted}, frozenset(twins))


def real_people(folder: Path) -> tuple[list[Planted], Truth]:
    """Every photograph of a folder-a-person tree under a number of its own."""
    samples = photographs_under(folder)
    faces = {person: at for at, person in enumerate(sorted({sample.person for sample in samples}))}
    planted = [
        Planted(PAYROLL, PersonId(f"E-{at}"), faces[sample.person], lambda *_, sample=sample: sample.read())
        for at, sample in enumerate(samples)
    ]
    return planted, Truth({one.person: one.face for one in planted}, frozenset())


def vectors(
    planted: Sequence[Planted],
    reader: Reader,
    policy: ReadingPolicy,
    *,
    conditions: Conditions | None = None,
    frames: int = 1,
    threads: int,
    cache: Path | None = None,
) -> list[Floats | None]:
    """The reference of each visit as enrolment makes it: of several frames the best, and taken again when all are
    refused; None where no attempt gave an acceptable one.

    `cache`: a folder that keeps them between runs; for rendered citizens only.
    """
    names = "\n".join(
        [f"{frames} frames, {conditions}", *(f"{one.gallery} {one.person} {one.face}" for one in planted)]
    )
    digest = hashlib.sha256(f"{reader.model}\n{names}".encode()).hexdigest()
    kept = None if cache is None else cache / f"planted-{digest[:16]}.npy"
    if kept is not None and kept.exists():
        return [row if row.any() else None for row in np.load(kept)]
    with ThreadPoolExecutor(threads) as pool:
        found = list(pool.map(lambda one: _vector(one, reader, policy, frames), planted))
    if kept is not None:
        nothing = np.zeros(reader.dimension, np.float32)
        np.save(kept, np.stack([nothing if row is None else row for row in found]))
    return found


@contextmanager
def deployment(
    folder: Path,
    planted: Sequence[Planted],
    references: Sequence[Floats | None],
    reader: Reader,
    *,
    real: bool,
    points: OperatingPoints | None = None,
) -> Iterator[Deployment]:
    """A deployment with these references enrolled, for as long as the block lasts; by the manifest's operating points
    unless others are given."""
    settings = Settings.read(data_dir=folder)
    database = Database.open(settings.database)
    database.migrate()
    keys.create(database, settings.root_keys, utc_now, ACCESS)
    database.close()
    with Deployment.open(settings) as opened:
        deployment = opened
        if points is not None:
            galleries = Galleries(opened.database, opened.journal, opened.model_set, points)
            deployment = replace(opened, galleries=galleries)
        for gallery in (PAYROLL, REGISTER):
            deployment.galleries.add(gallery, demonstration=not real, policy=GalleryPolicy(), access=ACCESS)
        with deployment.database.write() as connection:
            for one, vector in zip(planted, references, strict=True):
                if vector is not None:
                    _enrol(deployment, connection, one, vector, reader)
        yield deployment


def _enrol(deployment: Deployment, connection: Connection, one: Planted, vector: Floats, reader: Reader) -> None:
    pseudonym = Pseudonym(hashlib.sha256(one.person.encode()).hexdigest()[:32])
    key, wrapped = deployment.envelope.new_person_key(one.person, pseudonym)
    now = utc_text(deployment.journal.now())
    person = PersonRow(one.person, pseudonym, wrapped, now)
    visit = EncounterRow(EncounterId(str(uuid4())), one.person, now, "benchmark", (one.gallery,))
    template = protect(
        unit(vector, reader.model),
        template=TemplateId(str(uuid4())),
        encounter=visit.encounter,
        key=key,
        envelope=deployment.envelope,
    )
    persons.add(connection, person)
    encounters.add(connection, visit)
    templates.add(connection, template)
    deployment.journal.record(
        connection,
        EventKind.ENCOUNTER_ENROLLED,
        ACCESS,
        gallery=one.gallery,
        model=reader.model,
        records={row.log_name: row.digest for row in (person, visit, template)},
    )


def rendered(
    conditions: Conditions, gallery: GalleryId, number: str, seed: int, visit: int, twin_of: int | None = None
) -> Planted:
    """A visit of the citizen of that seed (`twin_of`: of somebody rendered to look like that one)."""

    def read(attempt: int, frame: int) -> bytes:
        identity = Identity.from_seed(seed) if twin_of is None else twin(Identity.from_seed(twin_of), seed)
        drawn = np.random.SeedSequence([seed, visit, attempt, gallery == REGISTER]).generate_state(frame + 1)
        moments = [_captured(conditions, int(drawn[at])) for at in (0, frame)]
        return render(identity, _frame(*moments)).jpeg()

    return Planted(gallery, PersonId(number), seed, read)


def _captured(conditions: Conditions, seed: int) -> Capture:
    if conditions is Conditions.ANY_DAY:
        return Capture.from_seed(seed)
    yaw, pitch, roll, smile = np.random.default_rng(seed).uniform(-1, 1, 4).tolist()
    return Capture(
        seed=seed,
        yaw_deg=5 * yaw,
        pitch_deg=3 * pitch,
        roll_deg=2 * roll,
        smile=0.1 + 0.1 * smile,
        clothes=CLOTHES[seed % len(CLOTHES)],
    )


def _frame(visit: Capture, moment: Capture) -> Capture:
    """Another moment of a visit: lamp, place and clothes stay, the person moves."""
    return replace(
        visit,
        seed=moment.seed,
        yaw_deg=moment.yaw_deg,
        pitch_deg=moment.pitch_deg,
        roll_deg=moment.roll_deg,
        smile=moment.smile,
        mouth_open=moment.mouth_open,
        eyes_open=moment.eyes_open,
        gaze_x=moment.gaze_x,
        blur_px=moment.blur_px,
    )


def _vector(one: Planted, reader: Reader, policy: ReadingPolicy, frames: int) -> Floats | None:
    for attempt in range(RETAKES):
        pictures = [one.read(attempt, frame) for frame in range(frames)]
        taken = best_of(reader, pictures, replace(policy, mirrored=True))
        if not isinstance(taken, Refusal):
            return taken.reading.embedding.vector
    return None
