"""Reads a sealed capture from a request: its headers and its body. It opens and verifies nothing."""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from enrolment.station.received_captures import SealedCapture
from idverify.errors import InvalidInput

_CAPTURE_ID = re.compile(r"[0-9a-f-]{36}")


async def _sealed_capture(
    request: Request,
    capture: Annotated[str, Header(alias="Capture-Id", max_length=36)],
    nonce: Annotated[str, Header(alias="Capture-Nonce", max_length=100)],
    key: Annotated[str, Header(alias="Capture-Key", max_length=100)],
    signature: Annotated[str, Header(alias="Capture-Signature", max_length=100)],
) -> SealedCapture:
    """The body, within the size limit of its address, and the headers. Raises InvalidInput."""
    if not _CAPTURE_ID.fullmatch(capture):
        raise InvalidInput("capture id: expected a UUID")
    return SealedCapture(capture, nonce, key, signature, await request.body())


TheSealedCapture = Annotated[SealedCapture, Depends(_sealed_capture)]
