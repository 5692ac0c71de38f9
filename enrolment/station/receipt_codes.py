"""Makes and checks the codes on printed receipts, which show whether a station of this deployment issued a receipt."""

import base64
import hashlib
import hmac

from idverify.ids import EncounterId, PersonId
from idverify.protection.canonical import length_prefixed
from idverify.protection.keyring import Keyring, SecretPurpose

_CODE_BYTES = 10
_GROUP = 4


class ReceiptCodes:
    """Makes and checks the codes of one deployment."""

    def __init__(self, keyring: Keyring) -> None:
        self._key = keyring.derived(SecretPurpose.RECEIPT_CODES)

    def code(self, person: PersonId, encounter: EncounterId) -> str:
        """80 bits of an HMAC-SHA256 over number and encounter, as four groups of four letters and digits."""
        message = length_prefixed("receipt", 1, person, encounter)
        digest = hmac.digest(self._key, message, hashlib.sha256)[:_CODE_BYTES]
        text = base64.b32encode(digest).decode()
        return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))

    def fits(self, code: str, person: PersonId, encounter: EncounterId) -> bool:
        """Whether `code` is that of the receipt of that person and encounter."""
        return hmac.compare_digest(code.strip().upper().encode(), self.code(person, encounter).encode())
