"""Caps the bytes of request bodies, counted while they stream and before anything parses them."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import BodyTooLarge
from idverify.vision.image import DEFAULT_LIMITS

MAX_PHOTOGRAPHS = 5
_PHOTOGRAPHS_AT = {"verifications": 1, "identifications": 1, "encounters": MAX_PHOTOGRAPHS, "captures": 1, "advice": 1}
"""By the last part of the path."""
_ENVELOPE_MAX_BYTES = 64 * 1024
"""Section for what stands around the photographs: fields, part headers, JSON punctuation."""


def body_max_bytes(path: str) -> int:
    """How many bytes the body sent to `path` may have: its photographs in base64 (4/3 of their size), and more."""
    photographs = _PHOTOGRAPHS_AT.get(path.rpartition("/")[2], 0)
    return photographs * -(-DEFAULT_LIMITS.max_bytes // 3) * 4 + _ENVELOPE_MAX_BYTES


class BodyLimit:
    """ASGI middleware under which reading a body raises BodyTooLarge as soon as the cap is certain to be passed.

    1. a declared Content-Length above the cap: before the first byte is taken;
    2. anything else (chunked, or a false declaration): at the chunk that passes the cap.
    """

    def __init__(self, app: ASGIApp, max_bytes: Callable[[str], int]) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cap = self._max_bytes(scope["path"])
        declared = Headers(scope=scope).get("content-length", "0")
        received = 0

        async def receive_within_cap() -> Message:
            nonlocal received
            if declared.isdecimal() and int(declared) > cap:  # 1
                raise _too_large(cap)
            message = await receive()
            received += len(message.get("body", b""))
            if received > cap:  # 2
                raise _too_large(cap)
            return message

        await self._app(scope, receive_within_cap, send)


def _too_large(cap: int) -> BodyTooLarge:
    return BodyTooLarge(
        f"expected a body of at most {cap:,} bytes (photographs of at most {DEFAULT_LIMITS.max_bytes:,} bytes each)"
    )
