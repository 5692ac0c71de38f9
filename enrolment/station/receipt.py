"""Short codes for printed receipts, by which the service tells a genuine one from one that somebody made up."""

import base64
import hashlib
import hmac

from idverify.ids import EncounterId, PersonId
from idverify.protection.canonical import length_prefixed
from idverify.protection.sealing import derive

_CODE_BYTES = 10
_GROUP = 4


class ReceiptCodes:
    """Makes and checks the codes of one deployment."""

    def __init__(self, secret: bytes) -> None:
        """`secret`: 32 secret bytes; what is derived from them here is used nowhere else."""
        self._key = derive(secret, b"idverify station receipts 1")

    def code(self, person: PersonId, encounter: EncounterId, at: str) -> str:
        """80 bits of an HMAC-SHA256 over what the receipt says, as four groups of four letters and digits."""
        message = length_prefixed("receipt", 1, person, encounter, at)
        digest = hmac.digest(self._key, message, hashlib.sha256)[:_CODE_BYTES]
        text = base64.b32encode(digest).decode()
        return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))

    def fits(self, code: str, person: PersonId, encounter: EncounterId, at: str) -> bool:
        """Whether `code` is that of a receipt which says exactly this."""
        return hmac.compare_digest(code.encode(), self.code(person, encounter, at).encode())
