"""Limits verifications of one person over all clients, and searches of one client; no success may reset a limit.

Answers of match / no match alone rebuild a template in some 6,000 attempts, with never ten rejections in a row. So the
number of attempts itself is bounded. An attempt tells much about a template only when its answer could not be
predicted, so answers near the threshold (close calls) have a bound of their own; docs/security.md has the figures.
Numbers that nobody has are counted in the same way: a limit must not tell who is enrolled.
"""

import hashlib
import hmac
import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from idverify.errors import ChannelLocked, QuotaExceeded
from idverify.ids import ClientId, PersonId
from idverify.matching.decision import Outcome
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.storage import clients, verification_counts
from idverify.storage.database import Connection

MONTH = timedelta(days=30)
YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is allowed: attempts at one person by day and 30 days, failures in a row, close calls, searches."""

    per_day: int
    per_month: int
    consecutive_failures: int
    close_calls_per_year: int
    searches_per_day: int


class AttemptLimits:
    """Counts attempts in the caller's transaction; a counter's name is an HMAC of a person's number or a client."""

    def __init__(self, keyring: Keyring, limits: Limits) -> None:
        self._hmac_key = keyring.derived(SecretPurpose.ATTEMPT_COUNTERS)
        self._limits = limits

    def count(self, connection: Connection, person: PersonId, now: datetime) -> QuotaExceeded | ChannelLocked | None:
        """Count one attempt, unless a cap is reached or the channel is locked: then return what to refuse it with.

        The day is UTC's, the month its last 30 days. An attempt beyond the cap learns nothing and is not counted, so
        that a caller who keeps trying does not lock the person out for longer.
        """
        counted = self._hash(person)
        opens = self._counted(connection, counted, now, self._limits.per_day, self._limits.per_month)
        # Read after the counter was written: of two attempts at once, the second then sees the result of the first.
        if self._locked(connection, counted, now):
            if opens is None:
                verification_counts.forget_attempt(connection, counted, now.astimezone(UTC).date())
            return ChannelLocked("verification is closed for this number; the person can have it opened in person")
        return (
            None
            if opens is None
            else QuotaExceeded(
                f"too many verifications of this person: at most {self._limits.per_day} a day "
                f"and {self._limits.per_month} in 30 days",
                retry_after_s=opens,
            )
        )

    def note(self, connection: Connection, person: PersonId, outcome: Outcome, now: datetime, *, close: bool) -> None:
        """Count failures in a row (NIST SP 800-63B, 3.2.2): a match ends the row, what was not processed is none.

        `close`: the answer, whatever it was, fell near the threshold; no match makes up for that. Reaching either limit
        locks the channel for this number until `release`: 1:1 verification by this service, and nothing else that the
        person may prove themselves by. `now` is that of `count`.
        """
        verification_counts.count_close(connection, self._hash(person), now.astimezone(UTC).date(), int(close))
        if outcome is Outcome.MATCH:
            verification_counts.forget_failures(connection, self._hash(person))
        elif outcome is Outcome.NO_MATCH:
            verification_counts.count_failure(connection, self._hash(person))

    def release(self, connection: Connection, person: PersonId, now: datetime) -> bool:
        """Open the channel again and start counting anew; False when it was not locked."""
        counted = self._hash(person)
        locked = self._locked(connection, counted, now)
        if locked:
            verification_counts.forget_failures(connection, counted)
            verification_counts.forget_close(connection, counted)
        return locked

    def count_search(self, connection: Connection, client: ClientId, now: datetime) -> QuotaExceeded | None:
        """Count one search of a client, unless its quota for the day is used up: then return what to refuse it with."""
        known = clients.find(connection, client)
        own = None if known is None else known.identifications_per_day
        per_day = self._limits.searches_per_day if own is None else own
        # No person's number holds a colon, so the two kinds of counters stay apart.
        opens = self._counted(connection, self._hash(f"searches:{client}"), now, per_day, math.inf)
        if opens is None:
            return None
        return QuotaExceeded(f"too many searches: at most {per_day} a day", retry_after_s=opens)

    def drop_past(self, connection: Connection, now: datetime) -> None:
        """Delete the counts of days that no limit counts any more."""
        today = now.astimezone(UTC).date()
        verification_counts.forget_before(connection, today - MONTH, close_calls=today - YEAR)

    def _counted(
        self, connection: Connection, counted: bytes, now: datetime, per_day: int, per_month: float
    ) -> int | None:
        """Count one more; when that is too many, take it back and return in how many seconds one is allowed again."""
        moment = now.astimezone(UTC)
        today = moment.date()
        verification_counts.count_attempt(connection, counted, today)
        by_day = verification_counts.attempts_since(connection, counted, today - MONTH + timedelta(days=1))
        if by_day[today] <= per_day and sum(by_day.values()) <= per_month:
            return None
        verification_counts.forget_attempt(connection, counted, today)
        opens = datetime.combine(_opens(by_day, today, per_month), time(), tzinfo=UTC)
        return max(1, math.ceil((opens - moment).total_seconds()))

    def _locked(self, connection: Connection, counted: bytes, now: datetime) -> bool:
        first_day = now.astimezone(UTC).date() - YEAR + timedelta(days=1)
        close, failures = verification_counts.standing(connection, counted, first_day)
        return close >= self._limits.close_calls_per_year or failures >= self._limits.consecutive_failures

    def _hash(self, text: str) -> bytes:
        return hmac.digest(self._hmac_key, text.encode(), hashlib.sha256)


def _opens(by_day: dict[date, int], today: date, per_month: float) -> date:
    """The first day on which one more attempt is allowed; `by_day` counts the one that was not."""
    excess = sum(by_day.values()) - per_month
    opens = today + timedelta(days=1)
    for day, attempts in by_day.items():
        if excess <= 0:
            break
        excess -= attempts
        opens = max(opens, day + MONTH)
    return opens
