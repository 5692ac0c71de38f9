"""A served town with people in it."""

from collections.abc import Iterator

import pytest

from tests.browser import Served, served
from tests.deployments import Town


@pytest.fixture
def site(own_town: Town) -> Iterator[Served]:
    """The whole service on a town of this test's own."""
    with served(own_town.engine) as running:
        yield running
