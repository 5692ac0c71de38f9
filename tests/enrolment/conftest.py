"""Towns to test the flows on, the commands, and browsers: one Playwright for all, since a process can have only one."""

from collections.abc import Iterator

import pytest

from tests.browser import Served, browsing, chromium, playwright, screenshots, served
from tests.commands import commands
from tests.deployments import Town, empty_town, empty_town_files, own_town, town, town_files
from tests.visitors import Visitor, visiting

__all__ = [
    "browsing",
    "chromium",
    "commands",
    "empty_town",
    "empty_town_files",
    "own_town",
    "playwright",
    "screenshots",
    "town",
    "town_files",
]


@pytest.fixture
def site(empty_town: Town) -> Iterator[Served]:
    """The whole service on a town of this test's own, with nobody enrolled."""
    with served(empty_town.engine) as running:
        yield running


@pytest.fixture
def visitor(site: Served) -> Iterator[Visitor]:
    """A browser without scripts, where nobody is signed in."""
    with visiting(site) as one:
        yield one
