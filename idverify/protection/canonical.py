"""One encoding of lists of values into bytes, for what is authenticated or digested; never the same for two lists."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache

Field = str | int | bytes | None


def length_prefixed(*fields: Field) -> bytes:
    """Encode `fields` as a count and then, for each, a type tag, its length in 8 bytes (big-endian) and its bytes.

    Tag and length make it injective: no two different lists give the same bytes, so nothing can slide from one field
    into the next, and None differs from "" and 1 from "1".
    """
    return _encoded([len(fields).to_bytes(8, "big")], fields)


def record_digest(table: str, *fields: Field) -> str:
    """sha256, 64 lower-case hex digits, over all columns of a stored record: what the audit log remembers of it."""
    before = [(3 + len(fields)).to_bytes(8, "big"), _record_start(table)]
    return hashlib.sha256(_encoded(before, fields)).hexdigest()


@lru_cache(64)
def _record_start(table: str) -> bytes:
    """The first three fields of every record of a table."""
    return length_prefixed("idverify record", 1, table)[8:]


def _encoded(parts: list[bytes], fields: Iterable[Field]) -> bytes:
    for field in fields:
        if isinstance(field, str):  # the most frequent kind first: a start digests millions of records
            content = field.encode()
            parts += (b"s", len(content).to_bytes(8, "big"), content)
        elif isinstance(field, bytes):
            parts += (b"b", len(field).to_bytes(8, "big"), field)
        elif field is None:
            parts.append(_NOTHING)
        elif isinstance(field, int):
            content = str(int(field)).encode()
            parts += (b"i", len(content).to_bytes(8, "big"), content)
        else:
            raise TypeError(f"expected text, bytes, a whole number or nothing, got {type(field).__name__}")
    return b"".join(parts)


_NOTHING = b"n" + bytes(8)
