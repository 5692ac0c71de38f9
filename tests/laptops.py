"""Laptops of stations, for tests: a served register, and Chromium with a camera of its own, activated and signed in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, ViewportSize, expect

from staff.accounts.accounts import Role
from tests.browser import (
    LAPTOP,
    Served,
    Watched,
    activate,
    camera_arguments,
    camera_file,
    camera_frame,
    launch,
    served,
    sign_in,
)
from tests.deployments import Register

STATION = "maseru-1"
CLERK, SECOND, SUPERVISOR = "clerk.one", "clerk.two", "supervisor.one"


@dataclass
class Laptop:
    """One browser of a station, in which somebody is signed in; `context` is watched."""

    site: Served
    page: Page
    context: BrowserContext
    watched: Watched


expect.set_options(timeout=30_000)  # machines that build and test are busy
Laptops = Callable[..., Laptop]


def citizen(seed: int) -> tuple[bytes, ...]:
    """What the camera sees of a rendered citizen who sits still for it."""
    return (camera_frame(seed, 1),)


def out_of_focus(seed: int) -> tuple[bytes, ...]:
    """The same through a camera that does not focus."""
    pixels = cv2.imdecode(np.frombuffer(camera_frame(seed, 1), np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return (cv2.imencode(".jpg", cv2.GaussianBlur(pixels, (0, 0), 6))[1].tobytes(),)


@pytest.fixture
def site(own_register: Register) -> Iterator[Served]:
    """The whole service on a register of this test's own with six people, a station and its staff."""
    with served(own_register.engine) as running:
        running.add_clerk(CLERK)
        running.add_clerk(SECOND)
        running.add_clerk(SUPERVISOR, Role.SUPERVISOR)
        yield running


@pytest.fixture
def laptop(site: Served, playwright: Playwright, tmp_path: Path) -> Iterator[Laptops]:
    """laptop(frames of the camera, station=, clerk=): each is a browser of its own, checked when the test is over."""
    with ExitStack() as opened:
        watched: list[Watched] = []

        def open_one(
            *frames: bytes, station: str = STATION, clerk: str = CLERK, viewport: dict[str, int] = LAPTOP
        ) -> Laptop:
            name = f"camera-{len(watched)}.mjpeg"
            browser = launch(playwright, *camera_arguments(camera_file(tmp_path / name, *frames)))
            opened.callback(browser.close)
            context = browser.new_context(
                viewport=ViewportSize(width=viewport["width"], height=viewport["height"]),
                base_url=site.url,
                locale="en-GB",
            )
            context.set_default_timeout(30_000)
            watching = Watched(context, site.url).watch()
            watched.append(watching)
            page = context.new_page()
            made = Laptop(site, page, context, watching)
            make_station(made, station)
            sign_in(page, clerk)
            return made

        yield open_one
        for one in watched:
            one.check()


def make_station(laptop: Laptop, station: str) -> None:
    """A supervisor makes this browser the station, and leaves."""
    sign_in(laptop.page, SUPERVISOR)
    activate(laptop.page, station, laptop.site.add_station(station))
    laptop.page.get_by_role("button", name="Sign out").click()
