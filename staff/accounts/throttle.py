"""Slows down guessing of passwords: failed sign-ins in a row are counted by name, known or not, and delay the next."""

import hashlib
import hmac
import math
from datetime import datetime, timedelta

from idverify.audit.events import utc_text
from idverify.errors import QuotaExceeded
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.storage import staff_sessions as table
from idverify.storage.database import Connection

FREE_TRIES = 5
_FIRST_WAIT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(minutes=15)
_FORGOTTEN_AFTER = timedelta(days=1)


class Throttle:
    """Counts in the caller's transaction, under an HMAC of the name: what people type by mistake is not stored."""

    def __init__(self, keyring: Keyring) -> None:
        self._hmac_key = keyring.derived(SecretPurpose.SIGN_IN_THROTTLE)

    def admit(self, connection: Connection, name: str, now: datetime) -> QuotaExceeded | None:
        """Count one more try, before it is looked at, so that of many at once none is free; or what to refuse it with.

        After five failures in a row the next try must wait 30 s from the last, then twice as long each, at most 15 min.
        """
        subject = self._subject(name)
        table.forget_failures_before(connection, utc_text(now - _FORGOTTEN_AFTER))
        failed = table.failures(connection, subject)
        if failed is not None and failed[0] >= FREE_TRIES:
            wait = min(_FIRST_WAIT * 2 ** min(failed[0] - FREE_TRIES, 10), _LONGEST_WAIT)
            left = datetime.fromisoformat(failed[1]) + wait - now
            if left > timedelta(0):
                return QuotaExceeded("too many wrong tries in a row", retry_after_s=math.ceil(left.total_seconds()))
        table.count_failure(connection, subject, utc_text(now))
        return None

    def succeed(self, connection: Connection, name: str) -> None:
        """The try was no guess."""
        table.forget_failures(connection, self._subject(name))

    def _subject(self, name: str) -> bytes:
        return hmac.digest(self._hmac_key, b"staff sign-in:" + name.encode(), hashlib.sha256)
