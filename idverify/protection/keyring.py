"""Makes, opens and rotates the service's own keys; it never writes one in the clear.

They are stored sealed by a root key and opened once, at a start. A wrapping key is only ever sealed by the root key
that it was made under: rotation makes a new wrapping key and does not seal an old one again. So once every person's key
is rewrapped and the old root key is destroyed, no backup from before that opens any more.

Two kinds of key serve several purposes each, and `Keyring.derived` is the only way to use them. It gives the secret of
one purpose: HKDF-SHA256 of the key with the label below, or the key itself where the label is "(raw)".

| purpose            | service key | label                             | what the secret is for                       |
|--------------------|-------------|-----------------------------------|----------------------------------------------|
| ATTEMPT_COUNTERS   | PERSON_HMAC | (raw)                             | names of counters of attempts and searches   |
| SIGN_IN_THROTTLE   | PERSON_HMAC | (raw)                             | names of counters of wrong passwords         |
| STAFF_SESSIONS     | PERSON_HMAC | (raw)                             | what is stored of a session's token          |
| KEPT_ANSWER_HASHES | PERSON_HMAC | idverify stored answers, hashes 1 | names of answers, requests and their persons |
| KEPT_ANSWER_SEALS  | PERSON_HMAC | idverify stored answers, seals 1  | sealing keys of kept answers                 |
| STATION_DRAFTS     | PERSON_HMAC | idverify visits 1                 | names of the persons of station drafts       |
| JOINT_RECORDS      | PERSON_HMAC | idverify joint records 1          | sealing keys of records of several persons   |
| PERSON_PAIRS       | PERSON_HMAC | idverify pairs of persons 1       | names of pairs of persons                    |
| RECEIPT_CODES      | PERSON_HMAC | idverify station receipts 1       | codes on printed receipts                    |
| OPEN_DATA_LOTS     | PERSON_HMAC | idverify open data lots 1         | lots by which open data withholds counts     |
| AUDIT_LEAVES       | PERSON_HMAC | idverify audit leaves 1           | MACs of the audit log's leaves               |
| CLIENT_SECRETS     | CLIENT_HMAC | (raw)                             | what is stored of a client's secret          |
| TOKEN_SIGNING      | CLIENT_HMAC | idverify access tokens 1          | Ed25519 seed that signs access tokens        |

What these secrets made is stored, or printed on paper, so no line may ever change. The raw ones are as old as the first
release and differ by what they are applied to; a new purpose gets a label of its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import NoReturn, Self

from idverify.errors import KeyUnavailable
from idverify.protection.canonical import length_prefixed
from idverify.protection.root_key import RootKeyFile
from idverify.protection.sealing import SealingKey, derive, new_key

__all__ = [
    "Keyring",
    "RootKeyFile",
    "SealedServiceKey",
    "SecretPurpose",
    "ServiceKeyKind",
    "first_service_keys",
    "later_kinds",
    "later_service_keys",
    "rotated_service_keys",
]


class ServiceKeyKind(StrEnum):
    WRAPPING = "wrapping"
    """Seals the data keys of persons; several versions are alive until everybody is rewrapped."""
    CLIENT_HMAC = "client-hmac"
    """Given out by purpose only: what clients prove themselves by."""
    PERSON_HMAC = "subject-hmac"
    """Given out by purpose only: what hides persons, sessions and sign-ins in the database, and authenticates
    audit leaves. Its stored name is older than this one."""
    AUDIT_SIGNING = "audit-signing"
    """Ed25519 seed that signs the audit log's checkpoints."""
    ANSWER_SIGNING = "answer-signing"
    """Ed25519 seed that signs answers to clients; older versions stay, so that kept receipts can be checked."""
    CAPTURE_SEALING = "capture-sealing"
    """Makes the key pair that stations seal captures to; older versions stay, so that what waits in a browser opens."""


_LATER_KINDS = (ServiceKeyKind.CAPTURE_SEALING,)
"""Came after the first deployments, which get theirs by `later_service_keys`."""
_ROTATED_KINDS = (ServiceKeyKind.WRAPPING, ServiceKeyKind.ANSWER_SIGNING, ServiceKeyKind.CAPTURE_SEALING)
_BY_PURPOSE_KINDS = frozenset({ServiceKeyKind.CLIENT_HMAC, ServiceKeyKind.PERSON_HMAC})


class SecretPurpose(Enum):
    """What a secret of `Keyring.derived` is for; the module's docstring says what it makes."""

    ATTEMPT_COUNTERS = auto()
    SIGN_IN_THROTTLE = auto()
    STAFF_SESSIONS = auto()
    KEPT_ANSWER_HASHES = auto()
    KEPT_ANSWER_SEALS = auto()
    STATION_DRAFTS = auto()
    JOINT_RECORDS = auto()
    PERSON_PAIRS = auto()
    RECEIPT_CODES = auto()
    OPEN_DATA_LOTS = auto()
    CLIENT_SECRETS = auto()
    TOKEN_SIGNING = auto()
    AUDIT_LEAVES = auto()


_RAW = None
"""No label: the service key itself. Only for what the first release stored so."""
_DERIVATIONS: Mapping[SecretPurpose, tuple[ServiceKeyKind, bytes | None]] = {
    SecretPurpose.ATTEMPT_COUNTERS: (ServiceKeyKind.PERSON_HMAC, _RAW),
    SecretPurpose.SIGN_IN_THROTTLE: (ServiceKeyKind.PERSON_HMAC, _RAW),
    SecretPurpose.STAFF_SESSIONS: (ServiceKeyKind.PERSON_HMAC, _RAW),
    SecretPurpose.KEPT_ANSWER_HASHES: (ServiceKeyKind.PERSON_HMAC, b"idverify stored answers, hashes 1"),
    SecretPurpose.KEPT_ANSWER_SEALS: (ServiceKeyKind.PERSON_HMAC, b"idverify stored answers, seals 1"),
    SecretPurpose.STATION_DRAFTS: (ServiceKeyKind.PERSON_HMAC, b"idverify visits 1"),
    SecretPurpose.JOINT_RECORDS: (ServiceKeyKind.PERSON_HMAC, b"idverify joint records 1"),
    SecretPurpose.PERSON_PAIRS: (ServiceKeyKind.PERSON_HMAC, b"idverify pairs of persons 1"),
    SecretPurpose.RECEIPT_CODES: (ServiceKeyKind.PERSON_HMAC, b"idverify station receipts 1"),
    SecretPurpose.OPEN_DATA_LOTS: (ServiceKeyKind.PERSON_HMAC, b"idverify open data lots 1"),
    SecretPurpose.CLIENT_SECRETS: (ServiceKeyKind.CLIENT_HMAC, _RAW),
    SecretPurpose.TOKEN_SIGNING: (ServiceKeyKind.CLIENT_HMAC, b"idverify access tokens 1"),
    SecretPurpose.AUDIT_LEAVES: (ServiceKeyKind.PERSON_HMAC, b"idverify audit leaves 1"),
}


@dataclass(frozen=True, slots=True)
class SealedServiceKey:
    """A service key as it is stored. `version` counts from 1 for each kind."""

    kind: ServiceKeyKind
    version: int
    root_id: str
    sealed: bytes


def first_service_keys(root: RootKeyFile, deployment: str) -> tuple[SealedServiceKey, ...]:
    """Fresh keys of every kind, version 1, for a new deployment."""
    return tuple(_sealed(kind, 1, new_key(), root, deployment) for kind in ServiceKeyKind)


def later_kinds(stored: Iterable[SealedServiceKey]) -> tuple[ServiceKeyKind, ...]:
    """The kinds that did not exist yet when this deployment was made; mostly none.

    A kind that every deployment had from its first day is not among them: without it, the data that it served is lost.
    """
    held = {key.kind for key in stored}
    return tuple(kind for kind in _LATER_KINDS if kind not in held)


def later_service_keys(
    stored: Sequence[SealedServiceKey], root: RootKeyFile, deployment: str
) -> tuple[SealedServiceKey, ...]:
    """Fresh keys, version 1, of the `later_kinds`."""
    return tuple(_sealed(kind, 1, new_key(), root, deployment) for kind in later_kinds(stored))


def rotated_service_keys(
    stored: Sequence[SealedServiceKey], root: RootKeyFile, deployment: str
) -> tuple[SealedServiceKey, ...]:
    """What to store after `root` got a new current key: a next wrapping, answer-signing and capture-sealing key, and
    every key that is no wrapping key sealed anew, the previous ones of the other two kinds too.

    The present wrapping keys stay as they are. Raises KeyUnavailable, SealBroken.
    """
    others = [key for key in stored if key.kind is not ServiceKeyKind.WRAPPING]
    fresh = (_sealed(kind, _next_version(stored, kind), new_key(), root, deployment) for kind in _ROTATED_KINDS)
    resealed = (_sealed(key.kind, key.version, _opened(key, root, deployment), root, deployment) for key in others)
    return (*fresh, *resealed)


class Keyring:
    """The opened service keys. Opening costs one call to the root for each stored key, whatever the population.

    Another process may rotate the keys while this one runs: `reread`, where given, opens what is stored now, and is
    called once for each version that the keyring does not know.
    """

    __slots__ = ("_others", "_reread", "_wrapping")

    def __init__(
        self,
        wrapping: dict[int, SealingKey],
        others: dict[ServiceKeyKind, tuple[bytes, ...]],
        reread: "Callable[[], Keyring] | None" = None,
    ) -> None:
        self._wrapping = wrapping
        self._others = others
        self._reread = reread

    @classmethod
    def open(cls, stored: Iterable[SealedServiceKey], root: RootKeyFile, deployment: str) -> Self:
        """Open all of `stored`. Raises KeyUnavailable when a kind or a root key is missing, SealBroken when altered."""
        wrapping: dict[int, SealingKey] = {}
        others: dict[ServiceKeyKind, tuple[bytes, ...]] = {}
        for key in sorted(stored, key=lambda key: key.version):
            secret = _opened(key, root, deployment)
            if key.kind is ServiceKeyKind.WRAPPING:
                wrapping[key.version] = SealingKey(secret)
            else:
                others[key.kind] = (secret, *others.get(key.kind, ()))  # the newest first
        missing = [kind for kind in ServiceKeyKind if kind not in others and kind is not ServiceKeyKind.WRAPPING]
        if missing or not wrapping:
            names = ", ".join(missing or [ServiceKeyKind.WRAPPING])
            raise KeyUnavailable(f"service keys missing from the database: {names}; make them with `idverify keys new`")
        return cls(wrapping, others)

    def following(self, reread: "Callable[[], Keyring]") -> "Keyring":
        """This keyring, which opens the stored keys again by `reread` when it is asked for a version it lacks."""
        return Keyring(self._wrapping, self._others, reread)

    @property
    def current_wrapping_version(self) -> int:
        return max(self._wrapping)

    def wrapping(self, version: int) -> SealingKey:
        """The wrapping key of that version. Raises KeyUnavailable when it is gone."""
        if version not in self._wrapping and self._reread is not None:
            self._wrapping = self._reread()._wrapping
        key = self._wrapping.get(version)
        if key is None:
            held = ", ".join(map(str, sorted(self._wrapping)))
            raise KeyUnavailable(f"wrapping key version {version} is not in the keyring (it holds {held})")
        return key

    def derived(self, purpose: SecretPurpose) -> bytes:
        """32 secret bytes for that purpose and no other, as the table of this module says."""
        kind, label = _DERIVATIONS[purpose]
        secret = self._others[kind][0]
        return secret if label is None else derive(secret, label)

    def service_key(self, kind: ServiceKeyKind) -> bytes:
        """32 secret bytes: the newest key of a kind that signs or that captures are sealed to.

        Raises ValueError for a kind that is given out by purpose only: see `derived`.
        """
        return self.every_version(kind)[0]

    def every_version(self, kind: ServiceKeyKind) -> tuple[bytes, ...]:
        """All keys of a kind that signs or that captures are sealed to; 32 secret bytes each, the newest first.

        Raises ValueError for a kind that is given out by purpose only: see `derived`.
        """
        if kind in _BY_PURPOSE_KINDS:
            raise ValueError(f"service key {kind}: expected Keyring.derived with a purpose, not the key itself")
        return self._others[kind]

    def reread(self) -> "Keyring":
        """What is stored now, opened; this very keyring where nothing says how to open it again."""
        return self if self._reread is None else self._reread()

    def __repr__(self) -> str:
        return f"Keyring(wrapping versions {sorted(self._wrapping)}, keys withheld)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never pickled")


def _next_version(stored: Iterable[SealedServiceKey], kind: ServiceKeyKind) -> int:
    return max((key.version for key in stored if key.kind is kind), default=0) + 1


def _sealed(kind: ServiceKeyKind, version: int, secret: bytes, root: RootKeyFile, deployment: str) -> SealedServiceKey:
    associated = _associated(kind, version, root.current_id, deployment)
    return SealedServiceKey(kind, version, root.current_id, root.seal(secret, associated))


def _opened(key: SealedServiceKey, root: RootKeyFile, deployment: str) -> bytes:
    return root.open(key.root_id, key.sealed, _associated(key.kind, key.version, key.root_id, deployment))


def _associated(kind: ServiceKeyKind, version: int, root_id: str, deployment: str) -> bytes:
    return length_prefixed("idverify service key", 1, deployment, kind, version, root_id)
