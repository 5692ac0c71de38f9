"""What one group of pages brings with it; `enrolment.pages.app` lists them all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter

from enrolment.staff.accounts import Role
from idverify.engine import Engine


@dataclass(frozen=True, slots=True)
class Entrance:
    """A way into a room, on the start page and in the head of every page, for accounts with one of `roles`.

    `title` and `text` are message ids; `address` is below /staff.
    """

    address: str
    title: str
    text: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Room:
    """`folder` holds templates/ (named "<name>/…"), static/ (served at /staff/static/<name>/) and locale/."""

    name: str
    folder: Path
    router: APIRouter
    entrances: tuple[Entrance, ...] = ()
    prepare: Callable[[Engine], object] | None = None
    """What the room keeps for as long as the pages are served: its result is `app.state.rooms[name]`."""
