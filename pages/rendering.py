"""Renders templates from typed contexts: a template sees its page's context and what every page has, nothing else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined

from pages.browser import PREFIX, csrf_token_of, language_of, set_token, token_of
from pages.catalogues import Catalogues
from pages.formats import Formats
from pages.section import MenuEntry, Section
from staff.accounts.accounts import LANGUAGES
from staff.accounts.sessions import StaffSession


@dataclass(frozen=True, slots=True)
class Nothing:
    """The context of a page that shows only its own texts."""


class Pages:
    """Renders the pages of all sections."""

    def __init__(self, sections: Iterable[Section], time_zone: str, idle_lock_s: int) -> None:
        sections = tuple(sections)
        self.catalogues = Catalogues.load(section.folder / "locale" for section in sections)
        self._formats = {language: Formats.of(language, time_zone) for language in LANGUAGES}
        self._entrances = tuple(menu_entry for section in sections for menu_entry in section.menu_entries)
        self._environment = Environment(
            loader=PrefixLoader({section.name: FileSystemLoader(section.folder / "templates") for section in sections}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals = {"languages": LANGUAGES, "prefix": PREFIX, "idle_lock_s": idle_lock_s}

    def text(self, request: Request, message: str, **values: object) -> str:
        """The text of a message in the person's language."""
        return self.catalogues[language_of(request)].text(message, **values)

    def formats(self, request: Request) -> Formats:
        """How dates and numbers are written in the person's language."""
        return self._formats[language_of(request)]

    def render(
        self,
        request: Request,
        template: str,
        context: Any,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The page "<section>/<file>.html"; `context` is a frozen dataclass, which the template sees as `page`.

        Every template also has `t` (texts), `formats`, `session` (None: nobody), `menu_entries`, `csrf_token`,
        `language`, `address` (of this page) and the globals `languages`, `prefix` and `idle_lock_s`.
        """
        if not is_dataclass(context):
            raise TypeError(f"page context: expected a dataclass, got {type(context).__name__}")
        language = language_of(request)
        session: StaffSession | None = getattr(request.state, "session", None)
        content = self._environment.get_template(template).render(
            page=context,
            t=self.catalogues[language].text,
            formats=self._formats[language],
            language=language,
            session=session,
            menu_entries=self.menu_entries(session),
            csrf_token=csrf_token_of(request),
            address=_address(request),
        )
        response = HTMLResponse(content, status, headers)
        if request.state.token_is_new:
            set_token(response, token_of(request))
        return response

    def menu_entries(self, session: StaffSession | None) -> tuple[MenuEntry, ...]:
        """The ways that are open to this session."""
        if session is None or session.provisional or session.locked:
            return ()
        return tuple(menu_entry for menu_entry in self._entrances if not session.roles.isdisjoint(menu_entry.roles))


def _address(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query if request.method == "GET" else f"{PREFIX}/"
