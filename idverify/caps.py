"""Caps on verifications of one person over all clients, which no success resets.

Even match / no match alone rebuilds a template in some 6,000 queries without ever being rejected ten times in a row, so
the number of attempts itself is bounded. Unknown numbers are counted alike: a cap must not tell who is enrolled.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from idverify.ids import PersonId
from idverify.storage import counts
from idverify.storage.database import Connection

MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Exceeded:
    """Which cap is reached and when it opens again."""

    message: str
    retry_after_s: int


class Caps:
    """Counts attempts in the caller's transaction, under an HMAC of the person's number."""

    def __init__(self, hmac_key: bytes, *, per_day: int, per_month: int) -> None:
        self._hmac_key = hmac_key
        self._per_day = per_day
        self._per_month = per_month

    def count(self, connection: Connection, person: PersonId, now: datetime) -> Exceeded | None:
        """Count one attempt, unless a cap is reached: then return which and when it opens again.

        The day is UTC's, the month its last 30 days. An attempt beyond the cap learns nothing and is not counted, so
        that a caller who keeps trying does not lock the person out for longer.
        """
        moment = now.astimezone(UTC)
        today = moment.date()
        subject = hmac.digest(self._hmac_key, person.encode(), hashlib.sha256)
        counts.count_attempt(connection, subject, today)
        by_day = counts.attempts_since(connection, subject, today - MONTH + timedelta(days=1))
        if by_day[today] <= self._per_day and sum(by_day.values()) <= self._per_month:
            return None
        counts.forget_attempt(connection, subject, today)
        opens = datetime.combine(self._opens(by_day, today), time(), tzinfo=UTC)
        return Exceeded(
            f"too many verifications of this person: at most {self._per_day} a day and {self._per_month} in 30 days",
            retry_after_s=max(1, math.ceil((opens - moment).total_seconds())),
        )

    def _opens(self, by_day: dict[date, int], today: date) -> date:
        """The first day on which one more attempt fits; `by_day` holds the one that did not."""
        excess = sum(by_day.values()) - self._per_month
        opens = today + timedelta(days=1)
        for day, attempts in by_day.items():
            if excess <= 0:
                break
            excess -= attempts
            opens = max(opens, day + MONTH)
        return opens
