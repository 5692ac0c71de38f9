"""Caps the requests that a client makes in a minute: counted once it is known and before its body is read.

Counted in memory, by each process for itself: it keeps one agency from starving the others, no more. What must hold
over all processes (caps per person, searches per client) is counted in the database.
"""

import math
import threading
from collections.abc import Callable
from datetime import datetime

from idverify.clients.agencies import Client
from idverify.errors import QuotaExceeded
from idverify.ids import ClientId

_MINUTE_S = 60


class Quotas:
    """Requests of each client in the present minute of the clock."""

    def __init__(self, per_minute: int, clock: Callable[[], datetime]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._minute = -1
        self._spent: dict[ClientId, int] = {}
        self._lock = threading.Lock()

    def spend(self, client: Client) -> None:
        """Count one request against the client's quota. Raises QuotaExceeded until the minute is over."""
        per_minute = self._per_minute if client.requests_per_minute is None else client.requests_per_minute
        now_s = self._clock().timestamp()
        minute = int(now_s // _MINUTE_S)
        with self._lock:
            if minute != self._minute:
                self._minute, self._spent = minute, {}
            spent = self._spent.get(client.client, 0)
            if spent < per_minute:
                self._spent[client.client] = spent + 1
                return
        raise QuotaExceeded(
            f"too many requests: at most {per_minute} a minute",
            retry_after_s=math.ceil((minute + 1) * _MINUTE_S - now_s),
        )
