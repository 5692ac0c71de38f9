"""Gives endpoints the engine, and the circumstances of a request as the audit log records them.

It must not check what a client may do: `api.auth` does.
"""

from typing import Annotated

from fastapi import Depends, Query, Request

from api.request_schemas import Purpose
from idverify.access import Access
from idverify.clients.agencies import Client
from idverify.engine import Engine
from idverify.ids import RequestId


def engine_of(request: Request) -> Engine:
    """The engine that the application was made around."""
    engine = request.app.state.engine
    assert isinstance(engine, Engine)  # noqa: S101  set by create_app
    return engine


async def _engine(request: Request) -> Engine:  # a plain function would be called in a thread
    return engine_of(request)


TheEngine = Annotated[Engine, Depends(_engine)]
PurposeQuery = Annotated[Purpose, Query()]


def access_of(request: Request, client: Client, purpose: str) -> Access:
    """Who asks, why, and under which request id."""
    return Access(request=RequestId(request.state.request_id), purpose=purpose, client=client.client)
