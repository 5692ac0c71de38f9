"""A section: a group of pages with its routes, templates, texts and menu entries; `staff.app` lists all sections."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter

from idverify.engine import Engine
from staff.accounts.accounts import Role


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A way into a section, on the start page and in the head of every page, for accounts with one of `roles`.

    `title` and `text` are message ids; `address` is below /staff.
    """

    address: str
    title: str
    text: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Section:
    """`folder` holds templates/ (named "<name>/…"), static/ (served at /staff/static/<name>/) and locale/."""

    name: str
    folder: Path
    router: APIRouter
    menu_entries: tuple[MenuEntry, ...] = ()
    prepare: Callable[[Engine], object] | None = None
    """What the section keeps for as long as the pages are served: its result is `app.state.sections[name]`."""


KIT = Section("pages", Path(__file__).parent, APIRouter())
"""What all pages share: the base template, its styles and scripts, the texts of errors."""
