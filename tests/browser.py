"""Pages in a real browser: Debian's Chromium, a served deployment, a camera that sees rendered citizens.

The fixtures are handed out by `tests/conftest.py` and must be imported nowhere else: each import makes
another one, and a process can have only one Playwright.

Every context that `browser` fixtures hand out notes what it asked for and what went wrong in it; at the end of the test
nothing may have left the origin, broken the Content-Security-Policy or been an error of a script.
"""

import functools
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from api.app import create_app
from api.server import server_config
from idverify.access import Access
from idverify.engine import Engine
from idverify.ids import GalleryId, RequestId, StaffId, StationId
from staff.accounts.accounts import Role
from staff.accounts.composition import Staff
from tests.deployments import REGISTER, photograph
from tests.requirements import missing

LAPTOP = {"width": 1280, "height": 720}
TABLET = {"width": 800, "height": 1280}
TABLET_ACROSS = {"width": 1280, "height": 800}
PASSWORD = "seven quiet herons"
ADMINISTRATION = Access(RequestId("tests-staff"), "administration")
_CAMERA_PX = (640, 480)


@dataclass
class Served:
    """An engine behind uvicorn on a free port; `url` names it localhost, where browsers take Secure cookies."""

    engine: Engine
    url: str
    app: FastAPI

    @functools.cached_property
    def staff(self) -> Staff:
        return Staff.of(self.engine.deployment)

    def add_clerk(
        self,
        name: str,
        *roles: Role,
        galleries: tuple[GalleryId, ...] = (REGISTER,),
        password: str = PASSWORD,
        language: str = "en",
    ) -> StaffId:
        """An account that signs in with `password`; a clerk, unless it is something else."""
        staff = StaffId(name)
        self.staff.accounts.add(
            staff,
            display_name=name.replace(".", " ").title(),
            roles=roles or (Role.CLERK,),
            galleries=galleries,
            language=language,
            access=ADMINISTRATION,
        )
        self.staff.credentials.set_password(staff, password, ADMINISTRATION)
        return staff

    def add_station(self, name: str, gallery: GalleryId = REGISTER) -> str:
        """A station; returns its activation code."""
        return self.staff.stations.add(StationId(name), gallery, ADMINISTRATION)


@contextmanager
def served(engine: Engine, port: int = 0) -> Iterator[Served]:
    """The whole application on `engine`, on loopback; `port` 0: a free one."""
    app = create_app(engine)
    settings = engine.settings.model_copy(update={"port": port})
    server = uvicorn.Server(server_config(app, settings, None, logs=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(engine, f"http://localhost:{port}", app)
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class Watched:
    """A browser context, and what must not have happened in it when the test is over."""

    context: BrowserContext
    origin: str
    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self) -> "Watched":
        self.context.on("request", lambda request: self._requested(request.url))
        self.context.on("console", lambda message: self._said(message.type, message.text))
        self.context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return self

    def check(self) -> None:
        """Nothing left the origin, no policy was broken, no script failed."""
        assert self.foreign == []
        assert self.complaints == []

    def _requested(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "blob:", "data:")):
            self.foreign.append(url)

    def _said(self, kind: str, text: str) -> None:
        # A refusal that a test provokes is an error in the console, too: the tests look at the answer itself.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.complaints.append(text)


@dataclass
class Browsing:
    """Opens contexts of one Chromium; each is as good as another computer."""

    chromium: Browser
    _open: list[Watched] = field(default_factory=list)

    def page(self, site: Served, **options: Any) -> Page:
        """A page in a new context, at no address yet. `options`: those of `Browser.new_context`."""
        chosen = {"viewport": LAPTOP, "base_url": site.url, "locale": "en-GB", **options}
        context = self.chromium.new_context(**chosen)
        context.set_default_timeout(10_000)
        self._open.append(Watched(context, site.url).watch())
        return context.new_page()

    def close(self) -> None:
        watched, self._open = self._open, []
        for one in watched:
            one.context.close()
        for one in watched:
            one.check()


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """At the sign-in form; ends on the page that follows."""
    page.goto("/staff/sign-in")
    fill_in(page, name, password)


def fill_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """The sign-in form that the page shows already."""
    page.locator("body[data-ready]").wait_for()
    page.get_by_label("Account name").fill(name)
    page.get_by_label("Password").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in", exact=True).click()


def activate(page: Page, station: str, code: str) -> None:
    """Make the page's browser a station; a supervisor is signed in."""
    page.goto("/staff/stations/activate")
    page.get_by_label("Name of the station").fill(station)
    page.get_by_label("Activation code").fill(code)
    page.get_by_role("button", name="Activate").click()
    page.get_by_text(f"This computer is station {station}").wait_for()


def axe(page: Page) -> None:
    """axe-core finds no violation of WCAG 2.2 AA or of its best practices."""
    results = Axe().run(page)
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"


def photographed(page: Page, screenshots: Path | None, name: str, *, full_page: bool = False) -> None:
    """Keep a picture of the page, where `--screenshots DIR` asks for them: a PNG, unless `name` ends in ".jpg"."""
    if screenshots is not None:
        is_jpeg = name.endswith(".jpg")
        path = screenshots / (name if is_jpeg else f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, full_page=full_page, animations="disabled", quality=50 if is_jpeg else None)


@functools.cache
def camera_frame(seed: int, day: int) -> bytes:
    """JPEG of what a webcam sees of rendered citizen `seed`: 640x480, the head in its middle."""
    portrait = cv2.imdecode(np.frombuffer(photograph(seed, day), np.uint8), cv2.IMREAD_COLOR)
    assert portrait is not None
    width, height = _CAMERA_PX
    scaled = cv2.resize(portrait, (round(portrait.shape[1] * height / portrait.shape[0]), height))
    margin = width - scaled.shape[1]
    frame = cv2.copyMakeBorder(scaled, 0, 0, margin // 2, margin - margin // 2, cv2.BORDER_REPLICATE)
    return cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def camera_file(path: Path, *frames: bytes) -> Path:
    """A film for `--use-file-for-fake-video-capture`: JPEG frames of 640x480, one after the other, over and over."""
    path.write_bytes(b"".join(frames))
    return path


def camera_arguments(film: Path) -> list[str]:
    """Chromium's options for a camera that shows `film` and needs no permission asked."""
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]


def chromium_path() -> str:
    """Debian's Chromium; without it the test is skipped, or fails where nothing may be skipped."""
    found = shutil.which("chromium")
    if found is None:
        missing("chromium is not on PATH: apt-get install chromium")
    return found


def launch(playwright: Playwright, *arguments: str) -> Browser:
    """A Chromium of its own."""
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # Chromium's own sandbox refuses to run as root
    return playwright.chromium.launch(executable_path=chromium_path(), args=[*sandbox, "--disable-gpu", *arguments])


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    chromium_path()
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """One Chromium for all tests, with a camera that shows rendered citizen 7."""
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def browsing(chromium: Browser) -> Iterator[Browsing]:
    """Contexts of the one Chromium, checked when the test is over."""
    running = Browsing(chromium)
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def screenshots(request: pytest.FixtureRequest) -> Path | None:
    """Where to keep pictures of pages, None: nowhere."""
    chosen = request.config.getoption("--screenshots")
    return None if chosen is None else Path(chosen)
