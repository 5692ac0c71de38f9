"""Waits until SQLite's write-ahead log is on the disk, for several writers at once; it never writes to it.

SQLite itself would sync at each commit, with the database locked: so many milliseconds in which nobody else can write.
"""

import os
import threading
from pathlib import Path

from idverify.errors import StorageUnavailable


class WriteAheadLogSync:
    """Every commit before a call of `wait` survives a power cut once the call returns; use it from any thread.

    A sync that failed is the last one: what it should have kept may be gone although a later sync succeeds (Rebello et
    al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020). The next start copies the log anew.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._turn = threading.Condition()
        self._begun = self._ended = 0
        self._failure: str | None = None

    def require_sound(self) -> None:
        """Raises StorageUnavailable after a sync that failed."""
        if self._failure is not None:
            raise StorageUnavailable(f"database unavailable: {self._failure}; mend the disk, then start again")

    def wait(self) -> None:
        """Return when a sync that began after this call has ended. Raises StorageUnavailable."""
        with self._turn:
            mine = self._begun + 1
            while self._ended < mine:
                self.require_sound()
                if self._begun == self._ended:
                    self._sync()
                else:
                    self._turn.wait()

    def _sync(self) -> None:
        """For all who wait; whoever comes meanwhile waits for the next one."""
        self._begun += 1
        self._turn.release()
        failure = None
        try:
            # Opened each time: SQLite removes the file when it has no connection left, and nothing is left to sync.
            descriptor = os.open(self._log, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            pass
        except OSError as error:
            failure = f"its log could not be synced ({error.strerror})"
        finally:
            self._turn.acquire()
            self._failure = self._failure or failure
            if failure is None:
                self._ended = self._begun
            self._turn.notify_all()
