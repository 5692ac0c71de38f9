"""Times the recipe against its own networks run bare and against a bare JPEG decode, interleaved on each photograph.

Drift of the machine (clock, neighbours, heat) hits all of them alike, so the ratios hold where milliseconds do not.
"""

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import cv2
import numpy as np

from benchmarks.recording import Call, Recorder
from benchmarks.tracing import REST, clock_ns, ms_since, traced
from idverify.errors import ImageRejected
from idverify.vision.chosen_face import FaceChoice
from idverify.vision.quality import QualityGate
from idverify.vision.reader import Reader, Reading, ReadingPolicy

WARM_UPS = 3

Millis = Mapping[str, float]


def policy() -> ReadingPolicy:
    """Verification's recipe, which refuses no photograph: the prominent face, quality measured but not demanded."""
    return replace(ReadingPolicy.verification(), face_choice=FaceChoice.PROMINENT, quality=QualityGate.NONE)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A photograph that the recipe processes, and the network calls that it makes for it."""

    data: bytes
    long_side_px: int
    calls: tuple[Call, ...]


def prepare(data: bytes, reader: Reader, recorder: Recorder) -> Prepared | None:
    """Read once, recording; None when the photograph is refused or does not decode."""
    recorder.calls.clear()
    recorder.on = True
    try:
        reading = reader.read(data, policy())
    except ImageRejected:
        return None
    finally:
        recorder.on = False
    if not isinstance(reading, Reading):
        return None
    return Prepared(data, max(reading.width_px, reading.height_px), tuple(recorder.calls))


def measure(
    photographs: Sequence[Prepared], reader: Reader, roles: Mapping[str, str], runs: int
) -> Iterator[dict[str, float]]:
    """For each photograph and run, the ms of every stage and of whole, networks (and each by role), decode_bare.

    All are of `tracing.clock_ns`; the elapsed time stands under the same names with "_wall" behind.
    `roles` names networks by the sha256 of their files. The order of the four kinds of work is shuffled anew each
    time (fixed seed), so that none always finds caches and heap as the same other one left them.
    """
    kinds: Mapping[str, Callable[[Prepared], Millis]] = {
        "whole": lambda photograph: _whole(photograph, reader),
        "networks": lambda photograph: _networks(photograph, roles),
        "decode_bare": _bare_decode,
        "stages": lambda photograph: _stages(photograph, reader),
    }
    for photograph in photographs[:WARM_UPS]:
        for work in kinds.values():
            work(photograph)
    generator = np.random.default_rng(seed=0)
    for _ in range(runs):
        for photograph in photographs:
            taken: dict[str, float] = {}
            with _no_collection():
                for kind in generator.permutation(list(kinds)):
                    start_ns = time.perf_counter_ns()
                    taken |= kinds[kind](photograph)
                    taken[f"{kind}_wall"] = (time.perf_counter_ns() - start_ns) / 1e6
            yield taken


def _whole(photograph: Prepared, reader: Reader) -> Millis:
    chosen = policy()
    start_ns = clock_ns()
    reader.read(photograph.data, chosen)
    return {"whole": ms_since(start_ns)}


def _networks(photograph: Prepared, roles: Mapping[str, str]) -> Millis:
    taken: dict[str, float] = defaultdict(float)
    for call in photograph.calls:
        start_ns = clock_ns()
        call.replay()
        taken[roles[call.sha256]] += ms_since(start_ns)
    return {**taken, "networks": sum(taken.values())}


def _bare_decode(photograph: Prepared) -> Millis:
    buffer = np.frombuffer(photograph.data, np.uint8)
    start_ns = clock_ns()
    cv2.imdecode(buffer, cv2.IMREAD_COLOR)
    return {"decode_bare": ms_since(start_ns)}


def _stages(photograph: Prepared, reader: Reader) -> Millis:
    with traced() as taken:
        chosen = policy()
        start_ns = clock_ns()
        reader.read(photograph.data, chosen)
        whole = ms_since(start_ns)
    return {**taken, REST: whole - sum(taken.values())}


@contextmanager
def _no_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
