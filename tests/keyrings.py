"""A keyring whose secrets never change, for tests that hold what the service makes of them against literal bytes."""

from idverify.protection.keyring import Keyring, ServiceKeyKind
from idverify.protection.sealing import SealingKey

CLIENT_HMAC = bytes(range(32))
PERSON_HMAC = bytes(range(100, 132))


def fixed_keyring() -> Keyring:
    """A wrapping key, and the two service keys that are given out by purpose."""
    others: dict[ServiceKeyKind, tuple[bytes, ...]] = {
        ServiceKeyKind.CLIENT_HMAC: (CLIENT_HMAC,),
        ServiceKeyKind.PERSON_HMAC: (PERSON_HMAC,),
    }
    return Keyring({1: SealingKey(bytes(32))}, others)
