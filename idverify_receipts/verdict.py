"""What the commands that verify a receipt have in common: they read the files, check, and word the verdict.

It prints nothing, and never words a verdict before every check has passed.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idverify_receipts.checking import MAX_CHARACTERS, agree, check
from idverify_receipts.errors import InvalidInput, ReceiptInvalid

NOT_GENUINE_EXIT = 20
"""Exit status of a command that found a receipt not to be genuine; 0 says that it is."""


def keys_in(file: Path) -> dict[str, Any]:
    """The JWK set of a file. Raises InvalidInput, OSError."""
    keys = _json(file.read_text(encoding="utf-8", errors="replace"))
    if keys is None:
        raise InvalidInput(f"{file}: expected a JWK set, as /.well-known/jwks.json gives it")
    return keys


def text_in(file: Path) -> str:
    """The receipt or the whole answer of a file; empty when it is no text, which no check passes. Raises OSError."""
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(2 * MAX_CHARACTERS).strip()
    except UnicodeDecodeError:
        return ""


def genuine_claims(
    text: str, keys: Mapping[str, Any], *, photograph: Path | None, audience: str | None
) -> dict[str, Any]:
    """The claims of a receipt, or of a whole answer (JSON) with its receipt, when every numbered check passes.

    Raises ReceiptInvalid saying which check failed, InvalidInput when `keys` is no JWK set, OSError for a photograph
    that cannot be read.
    """
    # 1. The signature; and of a whole answer, that its fields are those that were signed.
    answer: dict[str, Any] | None = None
    if text.startswith("{"):
        answer = _json(text)
        if answer is None:
            raise ReceiptInvalid("the answer is not a JSON object in which each name stands once")
        if not isinstance(answer.get("receipt"), str):
            raise ReceiptInvalid("the file is JSON without a field `receipt`: expected an answer of the service")
        text = answer["receipt"]
    claims = check(text, keys)
    if answer is not None:
        agree(answer, claims)
    # 2. Whom it is for.
    if audience is not None and claims["aud"] != audience:
        raise ReceiptInvalid("it is for another client")
    # 3. The photograph that it is about.
    if photograph is not None:
        digest = hashlib.sha256(photograph.read_bytes()).hexdigest()
        if claims["request_digest"] != f"sha256:{digest}":
            raise ReceiptInvalid("it is about another photograph")
    return claims


def claim_rows(claims: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each claim's name and value as text, in the order of the names; times in UTC."""
    return [
        (name, _time_text(value) if name in ("iat", "exp") else _plain(value)) for name, value in sorted(claims.items())
    ]


def genuine_verdict(claims: Mapping[str, Any], now: datetime) -> str:
    """The last line of a command, of a receipt whose claims passed every check."""
    expired: bool = claims["exp"] <= now.timestamp()
    return "GENUINE" + (": it has expired, so it proves a past answer and allows no new decision" * expired)


def false_verdict(error: ReceiptInvalid) -> str:
    """The only line of a command, of what is not genuine."""
    return f"NOT GENUINE: {error}"


def _json(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text, object_pairs_hook=_each_name_once)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a name that stands twice, one reader takes the first value and another the last. Raises ValueError."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name stands twice")
    return content


def _plain(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() else json.dumps(value)


def _time_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
