"""Seals what concerns several persons so that it is unreadable once any one of them is erased; it stores nothing.

The content is sealed under the key of each person in turn. Whoever reads the database sees the first person beside the
row, but neither the other persons nor the content.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence

from idverify.ids import Pseudonym
from idverify.protection.canonical import length_prefixed
from idverify.protection.envelope import Envelope, SealContext, SealKind
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.protection.sealing import SealingKey, derive
from idverify.storage import persons
from idverify.storage.database import Connection
from idverify.stored.persons import OpenedPerson, StoredPersons


class JointSealing:
    """Seals and opens for several persons, and gives a pair of persons a name that does not tell who they are."""

    def __init__(self, envelope: Envelope, stored_persons: StoredPersons, keyring: Keyring) -> None:
        self._envelope = envelope
        self._stored_persons = stored_persons
        self._record_secret = keyring.derived(SecretPurpose.JOINT_RECORDS)
        self._pair_key = keyring.derived(SecretPurpose.PERSON_PAIRS)

    def seal(self, sealed_for: Sequence[OpenedPerson], content: bytes, table: str, record: str) -> bytes:
        """Seal `content` for the place (table, record) under the service's own key and the keys of all `sealed_for`.

        The row must name the first person of `sealed_for` and is deleted with them. Without any it concerns nobody.
        """
        sealed = self._key(table, record).seal(content, length_prefixed(table, record))
        for sealed_for_one in reversed(sealed_for[1:]):
            sealed = self._envelope.seal(sealed_for_one.key, sealed, _context(sealed_for_one, table, record))
        if not sealed_for:
            return sealed
        # The others are named under the first key only, and by pseudonym, so that nothing names them once erased.
        others = [sealed_for_one.row.pseudonym for sealed_for_one in sealed_for[1:]]
        outer = json.dumps({"others": others, "sealed": base64.b64encode(sealed).decode()}).encode()
        return self._envelope.seal(sealed_for[0].key, outer, _context(sealed_for[0], table, record))

    def open(
        self, connection: Connection, first: OpenedPerson | None, sealed: bytes, table: str, record: str
    ) -> bytes | None:
        """The content; None when one of its persons was erased since. Raises SealBroken.

        `first`: the person whom the row names; None for what concerns nobody.
        """
        if first is not None:
            outer = json.loads(self._envelope.open(first.key, sealed, _context(first, table, record)))
            sealed = base64.b64decode(outer["sealed"])
            for pseudonym in outer["others"]:
                row = persons.find_by_pseudonym(connection, Pseudonym(pseudonym))
                if row is None:
                    return None
                other = self._stored_persons.open(row)
                sealed = self._envelope.open(other.key, sealed, _context(other, table, record))
        return self._key(table, record).open(sealed, length_prefixed(table, record))

    def pair(self, one: Pseudonym, other: Pseudonym) -> bytes:
        """A name of 32 bytes for these two persons in either order; it leads to nobody once either is erased."""
        return hmac.digest(self._pair_key, length_prefixed(*sorted((one, other))), hashlib.sha256)

    def _key(self, table: str, record: str) -> SealingKey:
        return SealingKey(derive(self._record_secret, length_prefixed(table, record)))


def _context(sealed_for_one: OpenedPerson, table: str, record: str) -> SealContext:
    return SealContext(kind=SealKind.JOINT, table=table, person=sealed_for_one.row.person, record=record)
