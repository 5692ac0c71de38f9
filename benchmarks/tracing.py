"""Times the reader's stages by listening to the reader itself, so that the measured recipe is the shipped one."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

from idverify.vision import reader
from idverify.vision.detector import Detector
from idverify.vision.embedder import Embedder

STAGES = ("decode", "detect", "align", "quality", "embed")
REST = "rest"
"""What a reading does outside its stages: mostly giving back the memory of a large photograph."""

_PLACES: tuple[tuple[str, Any, str], ...] = (
    ("decode", reader, "decode"),
    ("detect", Detector, "detect"),
    ("detect", reader, "choose"),
    ("detect", Detector, "refine"),
    ("align", reader, "align"),
    ("quality", reader, "assess"),
    ("embed", Embedder, "embed"),
)


def clock_ns() -> int:
    """Processor time of this thread: on an idle machine the elapsed time, on a busy one without others' turns.

    All the work measured here runs in the calling thread (one thread in onnxruntime and in OpenCV), so it misses none.
    """
    return time.thread_time_ns()


def ms_since(start_ns: int) -> float:
    """Milliseconds on `clock_ns` since `start_ns`."""
    return (clock_ns() - start_ns) / 1e6


@contextmanager
def traced() -> Iterator[dict[str, float]]:
    """While it is open, every read in this process adds the ms of its stages to the dictionary that it gives.

    Raises AttributeError when the reader no longer has a step of that name.
    """
    taken = dict.fromkeys(STAGES, 0.0)
    with ExitStack() as stack:
        for stage, owner, name in _PLACES:
            stack.enter_context(patch.object(owner, name, _timed(getattr(owner, name), stage, taken)))
        yield taken


def _timed(step: Callable[..., Any], stage: str, taken: dict[str, float]) -> Callable[..., Any]:
    @wraps(step)
    def timed(*arguments: Any, **options: Any) -> Any:
        start_ns = clock_ns()
        result = step(*arguments, **options)
        taken[stage] += ms_since(start_ns)
        return result

    return timed
