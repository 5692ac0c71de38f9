"""Idempotency-Key: a request that is sent again acts once and is answered alike (draft-ietf-httpapi-idempotency-key).

1. the key is checked for its form; a request without one acts each time;
2. one request with that key at a time (409);
3. the key belongs to this client and to this request: method, address, query and every field of the body (422);
4. what was answered before is answered again, marked `Idempotent-Replayed: true`;
5. otherwise the answer is kept in the transaction of the work: both stand or neither does, wherever the process dies.

Errors are not kept: a refusal is judged anew. Photographs are kept as digests within the hash of the request only.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel, WithJsonSchema

from api.dependencies import engine_of
from api.problems import FieldProblem, RequestInvalid
from api.request_schemas import Body
from idverify.clients.agencies import Client
from idverify.engine import Engine
from idverify.ids import PersonId
from idverify.storage.database import Connection

REPLAYED = "Idempotent-Replayed"
CODES = ("idempotency_key_reused", "request_in_flight", "answer_erased")
"""What an endpoint that honours the key may answer besides."""

A = TypeVar("A")
M = TypeVar("M", bound=BaseModel)
Act = Callable[[Callable[[Connection, A], None] | None], A]
"""Does the work, and what it is handed in the same transaction."""

_FORM = r"^[!-~]{16,128}$"
_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        # 1. Long enough not to be guessed, and nothing but visible characters.
        pattern=_FORM,
        description="A fresh random text of 16 to 128 visible characters, such as a UUID. The same key with the same "
        "request gives the same answer for 24 hours and acts once.",
        examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ),
    WithJsonSchema({"type": "string", "pattern": _FORM}),  # a header may be absent, and never null
]


@dataclass(frozen=True, slots=True)
class Once:
    """One request with its key, if it has one."""

    engine: Engine
    request: Request
    response: Response
    key: str | None

    def answer(
        self,
        client: Client,
        act: Act[A],
        present: Callable[[A], M],
        shown_as: type[M],
        *,
        body: Body | None = None,
        names: Callable[[A], Iterable[PersonId]] = lambda _: (),
        unkept: Mapping[str, object] | None = None,
    ) -> M:
        """What `act` did, as `present` shows it, or what was shown before.

        `names`: everybody whom the answer names, for their erasure empties it. `unkept`: fields of the answer that the
        request itself holds and that must not be kept. Raises KeyReused, RequestInFlight, AnswerErased.
        """
        if self.key is None:
            return present(act(None))
        stored, known = self.engine.kept_answers, dict(unkept or {})
        # 2. and 3.
        with stored.turn(client.client, self.key, _digestible(self.request, body)) as slot:
            with self.engine.database.read() as connection:
                kept = stored.find(connection, slot)
            # 4.
            if kept is not None:
                self.response.headers[REPLAYED] = "true"
                self.request.state.outcome = "replayed"
                return shown_as.model_validate(json.loads(kept) | known)
            shown: list[M] = []

            # 5.
            def keep(connection: Connection, answer: A) -> None:
                shown.append(present(answer))
                content = shown[0].model_dump_json(exclude=set(known)).encode()
                stored.keep(connection, slot, content, names(answer))

            act(keep)
            return shown[0]

    def shown(self, answer: BaseModel, status_code: int = 200) -> Response:
        """The answer as it is sent, written here in the endpoint's thread: FastAPI would check and write it in two
        more turns of the loop that serves everybody.
        """
        content = answer.model_dump_json(by_alias=True, exclude_none=True)
        return Response(content, status_code, dict(self.response.headers), "application/json")

    @property
    def replayed(self) -> bool:
        """Whether the answer was given before."""
        return REPLAYED in self.response.headers


async def _once(request: Request, response: Response, key: _Key = None) -> Once:
    if len(request.headers.getlist("idempotency-key")) > 1:
        raise RequestInvalid([FieldProblem("Idempotency-Key", "expected one key")])
    return Once(engine_of(request), request, response, key)


TheOnce = Annotated[Once, Depends(_once)]


def _digestible(request: Request, body: Body | None) -> bytes:
    """All that was asked, whichever form the body had: JSON and multipart alike, and part boundaries do not count."""
    fields = {} if body is None else {name: _plain(value) for name, value in body}
    asked = [request.method, request.url.path, request.url.query, fields]
    return json.dumps(asked, sort_keys=True).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return [_plain(one) for one in value] if isinstance(value, list) else value
