"""Loads a service's galleries in a thread of its own, then follows what other processes enrol and erase.

Until they are loaded, 1:N is refused as loading. An error that forbids the start is kept and raised by `await_loaded`.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from idverify.access import Progress
from idverify.errors import IdverifyError
from idverify.galleries.in_memory import GalleriesInMemory, LoadingStopped
from idverify.storage.database import Database

FOLLOW_EVERY_S = 0.4
"""An erasure leaves the memory of every process within a second, whether anybody searches there or not."""


@dataclass(frozen=True, slots=True)
class LoadingState:
    """What is being done, and the share of it that is done, 0 to 1."""

    step: str
    share: float


class GalleryFollower:
    """One thread that loads the galleries and then keeps them up to date until `stop`."""

    def __init__(
        self, galleries_in_memory: GalleriesInMemory, database: Database, *, every_s: float = FOLLOW_EVERY_S
    ) -> None:
        self._galleries_in_memory = galleries_in_memory
        self._database = database
        self._every_s = every_s
        self._state = LoadingState("Starting", 0.0)
        self._refusal: BaseException | None = None
        self._decided = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> LoadingState | None:
        """How far the loading is; None when it is over."""
        return None if self._galleries_in_memory.loaded else self._state

    def start(self, progress: Progress, refused: Callable[[], None]) -> None:
        """Begin; what is loaded is only followed. `refused` is called when the deployment must not be served."""
        self._thread = threading.Thread(target=self._follow, args=(progress, refused), name="idverify-gallery-follower")
        self._thread.start()

    def await_loaded(self, timeout_s: float | None = None) -> bool:
        """Whether the galleries are loaded, at the latest after `timeout_s` (None: in the end).

        Raises what refused the start: see `GalleriesInMemory.load`.
        """
        self._decided.wait(timeout_s)
        if self._refusal is not None:
            raise self._refusal
        return self._galleries_in_memory.loaded

    def stop(self) -> None:
        """Return when the thread has ended, within a piece of work."""
        self._stopped.set()
        self._galleries_in_memory.stop()
        if self._thread is not None:
            self._thread.join()

    def _follow(self, progress: Progress, refused: Callable[[], None]) -> None:
        def told(what: str, done: int, total: int) -> None:
            self._state = LoadingState(what, done / total if total else 1.0)
            progress(what, done, total)

        try:
            if not self._galleries_in_memory.loaded:
                self._galleries_in_memory.load(told)
        except LoadingStopped:
            return
        except BaseException as error:  # noqa: BLE001  raised again where the start is awaited
            self._refusal = error
            refused()
            return
        finally:
            self._decided.set()
        while not self._stopped.wait(self._every_s):
            # A row that does not open or a store that is away is told to whoever searches next.
            with suppress(IdverifyError), self._database.read() as connection:
                self._galleries_in_memory.catch_up(connection)
