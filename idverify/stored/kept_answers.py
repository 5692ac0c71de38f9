"""Keeps answers for a day under a key that the client chose: a request that is sent again gets the same answer.

Nothing may be done twice for one key, and an answer may open only for who shows the key again: its sealing key is
derived from it. When a person is erased, every answer that names them is emptied in the same transaction. Its slot
stays taken, so that the request is not done again.
"""

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idverify.audit.events import utc_text
from idverify.errors import Conflict, InvalidInput
from idverify.ids import ClientId, PersonId
from idverify.protection.canonical import length_prefixed
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.protection.sealing import SealingKey, derive
from idverify.storage import kept_answers as table
from idverify.storage.database import Connection
from idverify.storage.kept_answers import KeptAnswerRow

LIFETIME = timedelta(hours=24)


class KeyReused(InvalidInput):
    """The same key came with another request."""

    code = "idempotency_key_reused"


class RequestInFlight(Conflict):
    """A request with this key is being worked on at this moment; asking again later gets its answer."""

    code = "request_in_flight"


class AnswerErased(Conflict):
    """The request was done, and its answer is gone because it named a person who was erased since."""

    code = "answer_erased"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where the answer to one request of one client belongs."""

    name: bytes
    request: bytes
    sealing: SealingKey = field(repr=False)


class KeptAnswers:
    """Finds, stores and empties answers, in the caller's transactions."""

    def __init__(self, keyring: Keyring, clock: Callable[[], datetime]) -> None:
        self._hash_key = keyring.derived(SecretPurpose.KEPT_ANSWER_HASHES)
        self._seal_secret = keyring.derived(SecretPurpose.KEPT_ANSWER_SEALS)
        self._clock = clock
        self._in_flight: set[bytes] = set()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, client: ClientId, key: str, request: bytes) -> Iterator[Slot]:
        """The slot of the client's `key`, which no other request of this process has; `request` is all that was asked.

        Raises RequestInFlight. `keep` finds out when another process has answered in the meantime.
        """
        name = self._hash("slot", client, key)
        with self._lock:
            if name in self._in_flight:
                raise RequestInFlight("a request with this Idempotency-Key is being worked on; ask again in a moment")
            self._in_flight.add(name)
        try:
            sealing = SealingKey(derive(self._seal_secret, length_prefixed("answer", 1, client, key)))
            yield Slot(name, self._hash("request", client, request), sealing)
        finally:
            with self._lock:
                self._in_flight.discard(name)

    def find(self, connection: Connection, slot: Slot) -> bytes | None:
        """The kept answer, None when there is none. Raises KeyReused, AnswerErased, SealBroken."""
        row = table.find(connection, slot.name, utc_text(self._clock()))
        if row is None:
            return None
        if not hmac.compare_digest(row.request, slot.request):
            raise KeyReused("this Idempotency-Key belongs to another request; take a new key for each request")
        if row.sealed is None:
            raise AnswerErased("this was done before; the answer is gone because a person whom it named was erased")
        return slot.sealing.open(row.sealed, slot.name)

    def keep(self, connection: Connection, slot: Slot, answer: bytes, persons: Iterable[PersonId]) -> None:
        """Keep `answer`, which names `persons`, for `LIFETIME`, in the transaction of the work that it answers for.

        Raises RequestInFlight when another process was faster: the caller's transaction must be rolled back.
        """
        now = self._clock()
        row = KeptAnswerRow(slot.name, slot.request, slot.sealing.seal(answer, slot.name), utc_text(now + LIFETIME))
        if not table.add(connection, row, {self._person_hash(person) for person in persons}, utc_text(now)):
            raise RequestInFlight("another process works on a request with this Idempotency-Key; ask again in a moment")

    def drop_expired(self, connection: Connection) -> None:
        """Delete what has expired; every `keep` does so too."""
        table.drop_expired(connection, utc_text(self._clock()))

    def forget(self, connection: Connection, person: PersonId) -> None:
        """Empty every answer that names this person."""
        table.blank(connection, self._person_hash(person))

    def _person_hash(self, person: PersonId) -> bytes:
        return self._hash("person", person)

    def _hash(self, *what: str | bytes) -> bytes:
        return hmac.digest(self._hash_key, length_prefixed(*what), hashlib.sha256)
