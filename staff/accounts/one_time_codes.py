"""One-time codes that an administrator hands over: 80 random bits, of which only the digest is stored."""

import hashlib
import secrets
from datetime import timedelta

LIFETIME = timedelta(hours=24)
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter is taken for another or for a digit."""
_CHARACTERS = 16
_MISREAD = str.maketrans("OIL", "011")


def new_code() -> tuple[str, bytes]:
    """A code as people read it, such as "7KQ2-M4XV-0D9T-C3HB", and what is stored of it."""
    text = "".join(secrets.choice(_LETTERS) for _ in range(_CHARACTERS))
    return "-".join(text[at : at + 4] for at in range(0, _CHARACTERS, 4)), _digest(text)


def stored_code(typed: str) -> bytes:
    """What would be stored of a code that somebody typed: case, blanks, hyphens and O for 0 do not matter."""
    return _digest("".join(filter(str.isalnum, typed.upper())).translate(_MISREAD))


def _digest(text: str) -> bytes:
    return hashlib.sha256(b"idverify one-time code " + text.encode()).digest()
