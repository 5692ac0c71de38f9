"""Makes and opens the keys of persons, and seals and opens each person's records under them.

It never takes a nonce from its caller and stores no key. There are two layers: a wrapping key seals the person's random
data key, and the data key seals the records. The associated data of both names schema, deployment, table, person,
record, generation and kind (and encounter, model, dimension and dtype where there are any), so that a value that was
moved to another row, person, kind or deployment does not open there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, Self

from idverify.errors import InvalidInput
from idverify.ids import EncounterId, ModelDigest, PersonId, Pseudonym
from idverify.protection.canonical import encoded_fields, list_start
from idverify.protection.keyring import Keyring
from idverify.protection.sealing import SealingKey, new_key, open_once

SEAL_SCHEMA = 1
"""Version of the associated data's layout; part of it."""


class SealKind(StrEnum):
    DATA_KEY = "data-key"
    TEMPLATE = "template"
    IMAGE = "image"
    ENCOUNTER_DETAIL = "encounter-detail"
    AUDIT_DETAIL = "audit-detail"
    JOINT = "joint"
    """One layer of what is sealed under the keys of several persons, see `idverify.stored.joint_sealing`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealContext:
    """Where a sealed value stands. It opens only where every field is the same as when it was sealed."""

    kind: SealKind
    table: str
    person: PersonId
    record: str
    generation: int = 1
    encounter: EncounterId | None = None
    model: ModelDigest | None = None
    dimension: int | None = None
    dtype: str | None = None

    @classmethod
    def of_encounter_detail(cls, person: PersonId, encounter: EncounterId) -> Self:
        """The context of an encounter's detail."""
        return cls(kind=SealKind.ENCOUNTER_DETAIL, table="encounters", person=person, record=encounter)

    @classmethod
    def of_image(
        cls, person: PersonId, encounter: EncounterId, image: str, media_type: str, generation: int = 1
    ) -> Self:
        """The context of a kept image; `dtype` says what its bytes are."""
        return cls(
            kind=SealKind.IMAGE,
            table="images",
            person=person,
            record=image,
            generation=generation,
            encounter=encounter,
            dtype=media_type,
        )

    @classmethod
    def of_audit_detail(cls, person: PersonId, sequence: int) -> Self:
        """The context of an audit leaf's detail."""
        return cls(kind=SealKind.AUDIT_DETAIL, table="audit_leaves", person=person, record=str(sequence))

    def associated_data(self, deployment: str) -> bytes:
        """The canonical bytes that are authenticated with the value."""
        shared = _SharedContext(deployment, self.kind, self.table, self.model, self.dimension, self.dtype)
        return shared.associated_data(self.person, self.record, self.generation, self.encounter)


class _SharedContext:
    """The fields of a `SealContext` that many records have in common, encoded once."""

    __slots__ = ("_end", "_start")

    def __init__(
        self,
        deployment: str,
        kind: SealKind,
        table: str,
        model: ModelDigest | None = None,
        dimension: int | None = None,
        dtype: str | None = None,
    ) -> None:
        self._start = list_start(12) + encoded_fields("idverify seal", SEAL_SCHEMA, deployment, kind, table)
        self._end = encoded_fields(model, dimension, dtype)

    def associated_data(self, person: PersonId, record: str, generation: int, encounter: EncounterId | None) -> bytes:
        """The list of all twelve fields, as `length_prefixed` writes it."""
        return self._start + encoded_fields(person, record, generation, encounter) + self._end


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A person's data key, sealed by wrapping key `wrapping_version`."""

    wrapping_version: int
    sealed: bytes


class PersonKey:
    """A person's opened data key, to be dropped after use; it never prints or pickles itself."""

    __slots__ = ("_sealing", "person")

    def __init__(self, person: PersonId, sealing: SealingKey) -> None:
        self.person = person
        self._sealing = sealing

    def __repr__(self) -> str:
        return "PersonKey(withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


class Envelope:
    """Makes, wraps and opens the keys of persons, and seals and opens their records."""

    __slots__ = ("_deployment", "_keyring", "_wraps")

    def __init__(self, deployment: str, keyring: Keyring) -> None:
        self._deployment = deployment
        self._keyring = keyring
        self._wraps = _SharedContext(deployment, SealKind.DATA_KEY, "persons")

    def new_person_key(
        self, person: PersonId, pseudonym: Pseudonym, wrapping_version: int | None = None
    ) -> tuple[PersonKey, WrappedKey]:
        """A fresh random data key, opened and wrapped by that wrapping key (None: the newest in the keyring)."""
        data_key = new_key()
        version = self._keyring.current_wrapping_version if wrapping_version is None else wrapping_version
        return PersonKey(person, SealingKey(data_key)), self._wrap(person, pseudonym, data_key, version)

    def open_person_key(self, person: PersonId, pseudonym: Pseudonym, wrapped: WrappedKey) -> PersonKey:
        """Raises SealBroken when the key is not this person's or was altered, KeyUnavailable."""
        return PersonKey(person, SealingKey(self._unwrap(person, pseudonym, wrapped.wrapping_version, wrapped.sealed)))

    def rewrap(self, person: PersonId, pseudonym: Pseudonym, wrapped: WrappedKey) -> WrappedKey:
        """The same data key under the current wrapping key. Raises SealBroken, KeyUnavailable."""
        data_key = self._unwrap(person, pseudonym, wrapped.wrapping_version, wrapped.sealed)
        return self._wrap(person, pseudonym, data_key, self._keyring.current_wrapping_version)

    def seal(self, key: PersonKey, plaintext: bytes, context: SealContext) -> bytes:
        """Seal `plaintext` for the place that `context` names. Raises InvalidInput for a key of somebody else."""
        if key.person != context.person:
            raise InvalidInput("seal: the key is not that of the person whom the context names")
        return key._sealing.seal(plaintext, context.associated_data(self._deployment))

    def open(self, key: PersonKey, sealed: bytes, context: SealContext) -> bytes:
        """The plaintext. Raises SealBroken when value, key or context is not the one it was sealed with."""
        return key._sealing.open(sealed, context.associated_data(self._deployment))

    def record_opener(
        self, kind: SealKind, table: str, *, model: ModelDigest, dimension: int, dtype: str
    ) -> "RecordOpener":
        """What opens many records of many persons, where all records have these fields in common."""
        return RecordOpener(self._unwrap, _SharedContext(self._deployment, kind, table, model, dimension, dtype))

    def _wrap(self, person: PersonId, pseudonym: Pseudonym, data_key: bytes, version: int) -> WrappedKey:
        context = self._wrap_context(person, pseudonym, version)
        return WrappedKey(version, self._keyring.wrapping(version).seal(data_key, context))

    def _unwrap(self, person: PersonId, pseudonym: Pseudonym, version: int, wrapped: bytes) -> bytes:
        return self._keyring.wrapping(version).open(wrapped, self._wrap_context(person, pseudonym, version))

    def _wrap_context(self, person: PersonId, pseudonym: Pseudonym, version: int) -> bytes:
        return self._wraps.associated_data(person, pseudonym, version, None)


class RecordOpener:
    """Opens one record each of many persons; the records have kind, table, model, dimension and dtype in common.

    It makes the same checks as `Envelope.open_person_key` and `Envelope.open`, in less time.
    """

    __slots__ = ("_shared", "_unwrap")

    def __init__(self, unwrap: Callable[[PersonId, Pseudonym, int, bytes], bytes], shared: _SharedContext) -> None:
        self._unwrap = unwrap
        self._shared = shared

    def open(
        self,
        person: PersonId,
        pseudonym: Pseudonym,
        wrapping_version: int,
        wrapped: bytes,
        sealed: bytes,
        record: str,
        generation: int,
        encounter: EncounterId,
    ) -> bytes:
        """The plaintext of `sealed`, by the person's data key `wrapped`.

        Raises KeyUnavailable when the wrapping key is gone, SealBroken when any argument is not what it was when the
        key was wrapped or the record sealed.
        """
        data_key = self._unwrap(person, pseudonym, wrapping_version, wrapped)
        return open_once(data_key, sealed, self._shared.associated_data(person, record, generation, encounter))
