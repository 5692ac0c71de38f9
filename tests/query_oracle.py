"""Attackers who rebuild a template from answers alone, for the tests that measure how far the caps let them get.

The attacker's best case: they choose embeddings themselves, as if they could make a photograph for any of them (the
reader is replaced by one that takes vectors; everything behind it is the real 1:1 flow), start from somebody who just
matches, come as many agencies, and wait for each day to open.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from benchmarks.query_oracle import HEAD_START, somebody_alike
from benchmarks.thief import Faces, Thief
from idverify.embedding import unit
from idverify.engine import Engine
from idverify.errors import ChannelLocked, QuotaExceeded
from idverify.ids import GalleryId, ModelDigest, PersonId
from idverify.matching.decision import Outcome
from idverify.storage import templates
from idverify.verification import VerificationRequest
from idverify.vision.reader import Reader, Reading, ReadingPolicy, Refusal
from tests.deployments import PEOPLE, POLICY, Register, access, copied, photograph

GALLERY = GalleryId("photographs")
"""Not for demonstration, where the model set allows it: it then decides by the threshold of real photographs, which is
lower and suits the attacker."""
PER_MONTH = 60

Vector = npt.NDArray[np.float64]
Oracle = Callable[[Vector], bool]
Attack = Callable[[Oracle, Vector, np.random.Generator], Vector]


class Exhausted(Exception):
    """No more answers within the caps of the month."""


class ChosenEmbeddings:
    """Takes a vector for a photograph."""

    def __init__(self, reader: Reader) -> None:
        reading = reader.read(photograph(1, 1), ReadingPolicy.verification())
        assert isinstance(reading, Reading)
        self._reading = reading
        self.model: ModelDigest = reader.model
        self.dimension = reader.dimension

    def read(self, data: bytes, _policy: ReadingPolicy) -> Reading | Refusal:
        return replace(self._reading, embedding=unit(np.frombuffer(data, "<f8"), self.model))


def victims(register_files: Path, folder: Path, reader: Reader) -> Register:
    """A register whose people also stand in `GALLERY`, with a reader that takes vectors; close it after use."""
    register = copied(register_files, folder, reader)
    drawn = register.engine.deployment.model_set.demonstration
    register.engine.galleries.add(GALLERY, demonstration=drawn, policy=POLICY, access=access())
    for seed, person in enumerate(PEOPLE, start=1):
        register.enrol(person, photograph(seed, 1), gallery=GALLERY)
    register.close()
    register.reader = cast(Reader, ChosenEmbeddings(reader))
    return register


def gain(register: Register, person: PersonId, attack: Attack, seed: int) -> float:
    """What `attack` gains in cosine to the person's template until it is stopped, for a month or by a lock.

    The person then comes and has the lock released.
    """
    engine, random = register.engine, np.random.default_rng(seed)
    template = template_of(engine, person)
    start = _somebody_alike(engine, template, random)
    asked, locked = 0, False

    def oracle(probe: Vector) -> bool:
        nonlocal asked, locked
        agency = access(client=f"agency-{asked % 7}")
        claim = VerificationRequest(person, GALLERY, probe.astype("<f8").tobytes(), agency)
        for _ in range(2):
            try:
                answer = engine.verification.verify(claim)
            except QuotaExceeded as refused:
                if refused.retry_after_s > 24 * 60 * 60:
                    raise Exhausted from None
                register.clock.advance(seconds=refused.retry_after_s)
            except ChannelLocked:
                locked = True
                raise Exhausted from None
            else:
                asked += 1
                return answer.decision.outcome is Outcome.MATCH
        raise AssertionError("a cap did not open when it said so")

    found = attack(oracle, start, random)
    assert locked or asked == PER_MONTH
    register.clock.advance(days=31)
    if locked:
        engine.persons.release(person, access("administration"))
    return _cosine(found, template) - _cosine(start, template)


def hill_climb(oracle: Oracle, start: Vector, random: np.random.Generator) -> Vector:
    """Step in a random direction and keep the step when it stands farther from a stranger's boundary, by bisection.

    Two bisections and steps this long gain most where ten close calls are let through; without that bound five would.
    """
    stranger = _direction(random, len(start))
    best = start
    try:
        margin = _margin(oracle, best, stranger, bisections=2)
        while True:
            step = _unit(best + 0.5 * _direction(random, len(start)))
            if (farther := _margin(oracle, step, stranger, bisections=2)) > margin:
                best, margin = step, farther
    except Exhausted:
        return best


def signs(oracle: Oracle, start: Vector, random: np.random.Generator) -> Vector:
    """Go to the boundary, ask on which side random steps along it end, and move along the sum of those directions."""
    stranger, gathered, alike = _direction(random, len(start)), np.zeros_like(start), start
    try:
        share = _margin(oracle, start, stranger, bisections=3)
        alike = _unit((1 - share) * start + share * stranger)
        while True:
            direction = _direction(random, len(start))
            along = _unit(direction - (direction @ alike) * alike)
            gathered += along if oracle(_unit(alike + 0.3 * along)) else -along
    except Exhausted:
        # Of a sign along a random direction one expects sqrt(2 / (pi d)) of what is across; 0.16 for 128 dimensions.
        return _unit(start + 0.16 * gathered)


def best_thief(register: Register) -> Attack:
    """`benchmarks.thief`, which knows the threshold but, for rendered faces are unlike real ones, no other faces."""
    threshold = _threshold(register.engine)

    def infer(oracle: Oracle, start: Vector, random: np.random.Generator) -> Vector:
        thief = Thief(Faces.any_direction(len(start)), threshold, random)
        thief.know(start, threshold + HEAD_START)
        try:
            while True:
                probe = thief.probe()
                thief.learn(probe, matched=oracle(probe))
        except Exhausted:
            return thief.guess

    return infer


def _margin(oracle: Oracle, probe: Vector, stranger: Vector, *, bisections: int) -> float:
    """The largest share of the stranger that `probe` can take in and still match."""
    low, high = 0.0, 1.0
    for _ in range(bisections):
        share = (low + high) / 2
        low, high = (share, high) if oracle(_unit((1 - share) * probe + share * stranger)) else (low, share)
    return low


def template_of(engine: Engine, person: PersonId) -> Vector:
    """What the attackers are after."""
    with engine.database.read() as connection:
        opened_person = engine.stored_persons.find(connection, person)
        assert opened_person is not None
        (stored,) = templates.templates_of(connection, person, GALLERY)
        return cast(Vector, engine.stored_persons.reveal(opened_person, stored).vector.astype(np.float64))


def _somebody_alike(engine: Engine, template: Vector, random: np.random.Generator) -> Vector:
    """Somebody whom the gallery takes for the person, with a similarity just above its threshold."""
    return somebody_alike(_unit(template), _threshold(engine) + HEAD_START, random)


def _threshold(engine: Engine) -> float:
    with engine.database.read() as connection:
        gallery = engine.galleries.find(connection, GALLERY)
    return gallery.calibration.at_fmr(gallery.policy.verification_fmr).threshold


def _direction(random: np.random.Generator, dimension: int) -> Vector:
    return _unit(random.standard_normal(dimension))


def _unit(vector: Vector) -> Vector:
    return cast(Vector, vector / np.linalg.norm(vector))


def _cosine(one: Vector, other: Vector) -> float:
    return float(_unit(one) @ _unit(other))
