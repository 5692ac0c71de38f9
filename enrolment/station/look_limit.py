"""Limits how many preview frames a second a session may send for advice. It counts in memory only."""

import threading
from collections import deque
from collections.abc import Callable

from idverify.errors import QuotaExceeded

MOST_LOOKS_PER_S = 12


class LookLimit:
    """Counts the frames of the last second, for each session."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        """`clock_s`: seconds that never go back, from any beginning."""
        self._clock_s = clock_s
        self._seen: dict[bytes, deque[float]] = {}
        self._lock = threading.Lock()

    def count(self, session: bytes) -> None:
        """Raises QuotaExceeded."""
        now = self._clock_s()
        with self._lock:
            for other in [key for key, times in self._seen.items() if times[-1] <= now - 1]:
                del self._seen[other]
            times = self._seen.setdefault(session, deque())
            while times and times[0] <= now - 1:
                times.popleft()
            if len(times) >= MOST_LOOKS_PER_S:
                raise QuotaExceeded(f"at most {MOST_LOOKS_PER_S} frames a second", retry_after_s=1)
            times.append(now)
