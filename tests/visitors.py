"""A browser without scripts: cookies, forms with their CSRF token, and what the audit log says of it afterwards."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

import httpx
import pytest

from idverify.audit.events import Event, EventKind
from idverify.engine import Engine
from idverify.storage import audit_log
from pages.browser import COOKIE
from tests.browser import PASSWORD, Served, served
from tests.deployments import Register

_CSRF = re.compile(r'name="csrf-token" content="([^"]+)"')


class Visitor:
    """One browser at a served deployment, with a cookie jar that sends Secure cookies over loopback, as browsers do."""

    def __init__(self, site: Served) -> None:
        self._site = site
        self.cookies: dict[str, str] = {}
        self.http = httpx.Client(
            base_url=site.url,
            event_hooks={"request": [self._add_cookies], "response": [self._keep_cookies]},
            timeout=30,
            trust_env=False,
        )

    @property
    def token(self) -> str | None:
        """The session cookie."""
        return self.cookies.get(COOKIE)

    def bring(self, token: str) -> None:
        """Put another session cookie in the place of this browser's."""
        self.cookies[COOKIE] = token

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def csrf(self, path: str = "/staff/sign-in") -> str:
        """The token that stands on that page."""
        found = _CSRF.search(self.get(path).text)
        assert found is not None
        return found.group(1)

    def post(
        self, path: str, fields: dict[str, Any], *, page: str = "/staff/sign-in", **headers: str
    ) -> httpx.Response:
        """Send a form as the page that holds it would; `headers` in the place of its own ("" leaves one out)."""
        body = {"csrf_token": self.csrf(page), **fields}
        sent = {"Origin": self._site.url, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.http.post(path, data=body, headers={name: value for name, value in sent.items() if value})

    def send(self, path: str, document: Any, *, page: str = "/staff/sign-in") -> httpx.Response:
        """Send JSON as a page's script would."""
        headers = {"Origin": self._site.url, "X-CSRF-Token": self.csrf(page), "Accept": "application/json"}
        return self.http.post(path, json=document, headers=headers)

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        return self.post("/staff/sign-in", {"name": name, "password": password})

    def _add_cookies(self, request: httpx.Request) -> None:
        request.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _keep_cookies(self, response: httpx.Response) -> None:
        for header in response.headers.get_list("set-cookie"):
            for name, cookie in SimpleCookie(header).items():
                if cookie.value:
                    self.cookies[name] = cookie.value
                else:
                    self.cookies.pop(name, None)
        self.http.cookies.clear()


@contextmanager
def visiting(site: Served) -> Iterator[Visitor]:
    """A visitor that goes again."""
    visitor = Visitor(site)
    try:
        yield visitor
    finally:
        visitor.http.close()


def leaves(engine: Engine, *kinds: EventKind) -> list[Event]:
    """The leaves of these kinds, oldest first."""
    with engine.database.read() as connection:
        return list(audit_log.leaves_after(connection, -1, kinds))


def told(engine: Engine, kind: EventKind) -> list[tuple[str | None, str | None]]:
    """(clerk, reason) of every leaf of that kind."""
    return [(event.clerk, event.reason) for event in leaves(engine, kind)]


@pytest.fixture
def site(empty_register: Register) -> Iterator[Served]:
    """The whole service on a register of this test's own, with nobody enrolled."""
    with served(empty_register.engine) as running:
        yield running


@pytest.fixture
def visitor(site: Served) -> Iterator[Visitor]:
    """A browser without scripts, where nobody is signed in."""
    with visiting(site) as one:
        yield one
