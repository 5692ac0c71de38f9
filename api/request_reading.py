"""Reads a body with photographs, JSON or multipart, into its typed form, in memory only.

No photograph touches the disk: the multipart parser's own habit of spilling large parts to temporary files is off.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from api.auth import Caller, require_scope
from api.limits import MAX_PHOTOGRAPHS
from api.problems import ContentTypeUnsupported, FieldProblem, RequestInvalid
from api.request_schemas import Body
from idverify.clients.agencies import Client, Scope

JSON = "application/json"
MULTIPART = "multipart/form-data"
_MAX_FIELDS = 8
_REPEATED = frozenset({"images"})

B = TypeVar("B", bound=Body)


class _InMemory(MultiPartParser):
    spool_max_size = 0  # tempfile.SpooledTemporaryFile reads 0 as "never to disk"; api.limits caps the whole body


@dataclass(frozen=True, slots=True)
class AdmittedRequest(Generic[B]):
    """A request of a known client that has the scope: who asks, and for what."""

    client: Client
    body: B


def asked_of(model: type[B], scope: Scope) -> Callable[..., Awaitable[AdmittedRequest[B]]]:
    """A dependency that reads the body as `model`, once the client is known and has `scope`: of anybody else's body no
    byte is read.

    One dependency for both, because FastAPI resolves all that a dependency needs again wherever it is used.
    """

    async def asked(request: Request, client: Caller) -> AdmittedRequest[B]:
        require_scope(client, scope)
        return AdmittedRequest(client, await read(request, model))

    return asked


async def read(request: Request, model: type[B]) -> B:
    """The request's body as `model`. Raises ContentTypeUnsupported, RequestInvalid or BodyTooLarge."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == JSON:
        return await run_in_threadpool(_from_json, await request.body(), model)
    if media_type == MULTIPART:
        return _checked(await _multipart_fields(request), model)  # nothing to decode: a thread would cost more
    raise ContentTypeUnsupported(f"expected {JSON} or {MULTIPART}")


def _from_json(body: bytes, model: type[B]) -> B:
    try:
        fields = json.loads(body, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError):
        raise RequestInvalid([FieldProblem("(body)", "expected one JSON object in UTF-8, each field once")]) from None
    return _checked(fields, model)


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A field that stands twice is refused: a gateway before us might have read the other one."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


async def _multipart_fields(request: Request) -> dict[str, Any]:
    """Parts by name; a name that stands twice gives a list, which only a field of several photographs accepts."""
    parser = _InMemory(request.headers, request.stream(), max_files=MAX_PHOTOGRAPHS + 1, max_fields=_MAX_FIELDS)
    try:
        form = await parser.parse()
    except MultiPartException:
        raise RequestInvalid(
            [FieldProblem("(body)", "expected well-formed multipart/form-data with no more parts than fields")]
        ) from None
    fields: dict[str, Any] = {}
    for name in form:
        values = [await part.read() if isinstance(part, UploadFile) else part for part in form.getlist(name)]
        fields[name] = values if name in _REPEATED or len(values) > 1 else values[0]
    await form.close()
    return fields


def _checked(fields: object, model: type[B]) -> B:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise RequestInvalid.from_errors(
            error.errors(include_url=False, include_input=False, include_context=False), tuple(model.model_fields)
        ) from None
