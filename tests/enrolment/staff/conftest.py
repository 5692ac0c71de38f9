"""A served town of each test's own, browsers, and visitors without scripts."""

from collections.abc import Iterator

import pytest

from tests.browser import Served, browsing, chromium, playwright, screenshots, served
from tests.deployments import Town
from tests.visitors import Visitor, visiting

__all__ = ["browsing", "chromium", "playwright", "screenshots"]


@pytest.fixture
def site(empty_town: Town) -> Iterator[Served]:
    """The whole service on a town with nobody enrolled."""
    with served(empty_town.engine) as running:
        yield running


@pytest.fixture
def visitor(site: Served) -> Iterator[Visitor]:
    """A browser without scripts, where nobody is signed in."""
    with visiting(site) as one:
        yield one
