"""Idempotency-Key: a request that is sent again acts once and is answered alike (draft-ietf-httpapi-idempotency-key).

1. the key is checked for its form; a request without one acts each time;
2. one request with that key at a time (409);
3. the key belongs to this client and to this request: method, address, query and every field of the body (422);
4. what was answered before is answered again, marked `Idempotent-Replayed: true`;
5. otherwise the request acts. Its answer is made and signed as the last step of the act's transaction, with a key and
   without one: nothing is on record that could not be answered;
6. with a key, that answer is kept in the same transaction: both stand or neither does, wherever the process dies.

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
from api.response_schemas import EnrolmentAnswer, SignedAnswer
from idverify.clients.agencies import Client
from idverify.engine import Engine
from idverify.ids import PersonId
from idverify.storage.database import Alongside, Connection

REPLAYED = "Idempotent-Replayed"
CODES = ("idempotency_key_reused", "request_in_flight", "answer_erased")
"""What an endpoint that honours the key may answer besides."""

A = TypeVar("A")
M = TypeVar("M", bound=BaseModel)
Act = Callable[[Alongside[A]], A]
"""Does the work, and what it is handed as the last step of the same transaction."""

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
    """One request that acts once, by its Idempotency-Key if it has one."""

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
            return _presented(act, present)
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

            # 6.
            def keep(connection: Connection, answer: A, shown: M) -> None:
                stored.keep(connection, slot, shown.model_dump_json(exclude=set(known)).encode(), names(answer))

            return _presented(act, present, keep)

    def decided(self, answer: SignedAnswer | EnrolmentAnswer, status_code: int = 200) -> Response:
        """The answer to a photograph as it is sent; its outcome is left where the request log and the metrics find it.

        Written here, in the endpoint's thread: FastAPI would check and write it in two more turns of the loop that
        serves everybody.
        """
        if not self.replayed:
            self.request.state.outcome, self.request.state.reason = answer.outcome, answer.reason
        content = answer.model_dump_json(by_alias=True, exclude_none=True)
        return Response(content, status_code, dict(self.response.headers), "application/json")

    @property
    def replayed(self) -> bool:
        """Whether the answer was given before."""
        return REPLAYED in self.response.headers


def _presented(act: Act[A], present: Callable[[A], M], keep: Callable[[Connection, A, M], None] = lambda *_: None) -> M:
    """What `act` did, as `present` shows it; made before the act's transaction commits, and handed to `keep` there."""
    shown: list[M] = []

    # 5.
    def last_step(connection: Connection, answer: A) -> None:
        shown.append(present(answer))
        keep(connection, answer, shown[0])

    act(last_step)
    return shown[0]


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
