"""Enrol, erase and search at once in two services on one deployment; an oracle checks every answer of every search."""

import random
import resource
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from idverify.access import no_progress
from idverify.engine import Engine
from idverify.errors import ErasureUnscrubbed
from idverify.ids import EncounterId, PersonId
from tests.deployments import REGISTER, Register, access, photograph

FACES = range(301, 325)
"""Each is somebody's at most at one time: who is found by it is never in doubt."""
WORKERS = 4
STRANGERS = 50_000
"""In the gallery of the long run, so that it is scanned by codes and not row by row."""
LONGEST_GROWTH_MIB = 64
DURATIONS = [pytest.param(5, id="some"), pytest.param(600, id="all", marks=pytest.mark.soak)]


@dataclass
class Life:
    """When a person was enrolled and erased: asked for, and acknowledged (perf_counter; None: not yet)."""

    enrolling_s: float
    enrolled_s: float | None = None
    erasing_s: float | None = None
    erased_s: float | None = None


@dataclass
class Oracle:
    """Who was enrolled with which face, when; and what was wrong with answers."""

    lives: dict[int, dict[str, Life]] = field(default_factory=lambda: {face: {} for face in FACES})
    wrong: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(self, face: int, began_s: float, ended_s: float, found: list[PersonId]) -> None:
        """Hold the answer of a search, between these two moments, against what it had to be."""
        with self.lock:
            for lives in self.lives.values():
                for name, life in lives.items():
                    if name in found and life.erased_s is not None and life.erased_s < began_s:
                        self.wrong.append(f"{name} was found {began_s - life.erased_s:.3f} s after the erasure")
            for name, life in self.lives[face].items():
                there = life.enrolled_s is not None and life.enrolled_s < began_s
                stays = life.erasing_s is None or life.erasing_s > ended_s
                if there and stays and name not in found:
                    self.wrong.append(f"{name} was not found by their own face")
            self.acts["searched"] += 1


def recognised(register: Register, engine: Engine) -> list[int]:
    """The faces that a search finds on another day: the others would only show the embedder's errors."""
    faces = []
    for face in FACES:
        register.enrol(f"TRIAL-{face}", photograph(face, 1), engine=engine)
        answer = register.identify(photograph(face, 2), engine=engine, fpir=0.5)
        if f"TRIAL-{face}" in [one.person for one in answer.candidates]:
            faces.append(face)
        engine.persons.erase(PersonId(f"TRIAL-{face}"), access())
    return faces


def work(
    register: Register, engines: list[Engine], oracle: Oracle, faces: list[int], number: int, until_s: float
) -> None:
    """One caller: enrols and erases people with faces of its own, searches for everybody's."""
    chance, mine, count = random.Random(number), dict[int, str](), 0
    own = faces[number::WORKERS]
    while time.perf_counter() < until_s:
        engine, draw = chance.choice(engines), chance.random()
        if draw < 0.6:
            face = chance.choice(faces)
            began_s = time.perf_counter()
            inquiry = access("fraud-inquiry", client=None)  # whose searches of a day are not counted
            answer = register.identify(photograph(face, 2), engine=engine, by=inquiry, fpir=0.5, most=100)
            oracle.judge(face, began_s, time.perf_counter(), [one.person for one in answer.candidates])
            continue
        face = chance.choice(own)
        if face in mine:
            person = mine.pop(face)
            life = oracle.lives[face][person]
            life.erasing_s = time.perf_counter()
            act = "erased"
            try:
                engine.persons.erase(PersonId(person), access())
            except ErasureUnscrubbed:  # erased all the same; some reader was always at the write-ahead log
                act = "erased, not scrubbed in time"
            life.erased_s = time.perf_counter()
        else:
            count += 1
            person = f"W{number}-{count}"
            with oracle.lock:
                life = oracle.lives[face][person] = Life(time.perf_counter())
            register.enrol(person, photograph(face, 1), engine=engine)
            life.enrolled_s = time.perf_counter()
            mine[face] = person
            act = "enrolled"
        with oracle.lock:
            oracle.acts[act] += 1


def rss_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


@pytest.mark.parametrize("duration_s", DURATIONS)
def test_no_search_is_wrong_while_others_enrol_and_erase(own_register: Register, duration_s: int) -> None:
    engines = [own_register.engine, own_register.another()]
    for engine in engines:
        if duration_s > 60:
            _add_strangers(engine)
        engine.follower.start(no_progress, refused=lambda: None)
    oracle, faces = Oracle(), recognised(own_register, engines[0])
    assert len(faces) > len(FACES) // 2
    began_s = time.perf_counter()
    callers = [
        threading.Thread(target=work, args=(own_register, engines, oracle, faces, number, began_s + duration_s))
        for number in range(WORKERS)
    ]
    for caller in callers:
        caller.start()
    memory_mib = []
    while any(caller.is_alive() for caller in callers):
        time.sleep(duration_s / 20)
        memory_mib.append(rss_mib())
    growth_mib = max(memory_mib[-3:]) - max(memory_mib[: len(memory_mib) // 3])
    print(f"\n{duration_s} s: {dict(oracle.acts)}; memory grew by {growth_mib:.0f} MiB after the first third")
    assert oracle.wrong == []
    assert oracle.acts["searched"] > duration_s
    assert min(oracle.acts["enrolled"], oracle.acts["erased"]) > 0
    assert growth_mib < LONGEST_GROWTH_MIB


def _add_strangers(engine: Engine) -> None:
    vectors = np.random.default_rng(0).standard_normal((STRANGERS, engine.reader.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"S-{number}" for number in range(STRANGERS)]
    with engine.database.read() as connection:
        gallery = engine.galleries_in_memory.caught_up(connection, REGISTER)
    gallery.add_block([PersonId(name) for name in names], [EncounterId(name) for name in names], vectors)
    gallery.settle()
