"""A served town of each test's own, and browsers."""

from collections.abc import Iterator

import pytest

from tests.browser import Served, browsing, chromium, playwright, screenshots, served
from tests.deployments import Town

__all__ = ["browsing", "chromium", "playwright", "screenshots"]


@pytest.fixture
def site(empty_town: Town) -> Iterator[Served]:
    """The whole service on a town with nobody enrolled."""
    with served(empty_town.engine) as running:
        yield running
