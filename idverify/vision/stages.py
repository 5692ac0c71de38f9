"""Measures how long each stage of a reading takes and tells listeners; it passes on nothing of the photograph."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

Listener = Callable[["Stage", float], None]
"""Takes the stage and its duration in seconds; called in the thread that reads, also after a stage that refused."""


class Stage(StrEnum):
    """The parts of a reading that take time."""

    DECODE = "decode"
    DETECT = "detect"
    REFINE = "refine"
    QUALITY = "quality"
    LIVENESS = "liveness"
    EMBED = "embed"


class Stages:
    """The listeners of one reader, or of all readers of a service."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def listen(self, listener: Listener) -> None:
        """Tell `listener` too, from now on."""
        self._listeners = (*self._listeners, listener)

    @contextmanager
    def timed(self, stage: Stage) -> Iterator[None]:
        """Measure the block."""
        started_s = time.perf_counter()
        try:
            yield
        finally:
            self.tell(stage, time.perf_counter() - started_s)

    def tell(self, stage: Stage, duration_s: float) -> None:
        """What was measured, here or in another process."""
        for listener in self._listeners:
            listener(stage, duration_s)
