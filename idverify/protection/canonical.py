"""Encodes lists of values into bytes that are authenticated or digested. Two different lists never give the same bytes.

No other module writes this encoding; one that needs a part of it in advance joins `list_start` and `encoded_fields`.
"""

import hashlib
from functools import lru_cache

Field = str | int | bytes | None


def length_prefixed(*fields: Field) -> bytes:
    """Encode `fields` as a count and then, for each, a type tag, its length in 8 bytes (big-endian) and its bytes.

    Tag and length make it injective: no two different lists give the same bytes, so nothing can slide from one field
    into the next, and None differs from "" and 1 from "1". Raises TypeError for a value of any other type.
    """
    return list_start(len(fields)) + encoded_fields(*fields)


def list_start(count: int) -> bytes:
    """The 8 bytes with which `length_prefixed` begins a list of `count` fields."""
    return count.to_bytes(8, "big")


def encoded_fields(*fields: Field) -> bytes:
    """What `length_prefixed` writes for `fields` after the count.

    The encoding of a longer list is its `list_start` and then the `encoded_fields` of its parts in their order, so that
    a part that many lists share is encoded only once. Raises TypeError as `length_prefixed` does.
    """
    parts: list[bytes] = []
    for field in fields:
        if isinstance(field, str):  # the most frequent kind first: a start digests millions of records
            content = field.encode()
            parts += (_text_start(len(content)), content)
        elif isinstance(field, bytes):
            parts += (b"b", len(field).to_bytes(8, "big"), field)
        elif field is None:
            parts.append(_NOTHING)
        elif isinstance(field, int):
            parts.append(_number(int(field)))
        else:
            raise TypeError(f"expected text, bytes, a whole number or nothing, got {type(field).__name__}")
    return b"".join(parts)


def record_digest(table: str, *fields: Field) -> str:
    """sha256, 64 lower-case hex digits, over all columns of a stored record: what the audit log remembers of it."""
    encoded = list_start(3 + len(fields)) + _record_start(table) + encoded_fields(*fields)
    return hashlib.sha256(encoded).hexdigest()


@lru_cache(64)
def _record_start(table: str) -> bytes:
    """The first three fields of every record of a table."""
    return encoded_fields("idverify record", 1, table)


@lru_cache(1024)
def _text_start(size: int) -> bytes:
    return b"s" + size.to_bytes(8, "big")


@lru_cache(1024)
def _number(number: int) -> bytes:
    content = str(number).encode()
    return b"i" + len(content).to_bytes(8, "big") + content


_NOTHING = b"n" + bytes(8)
