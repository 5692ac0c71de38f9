"""A served register with people in it."""

from collections.abc import Iterator

import pytest

from tests.browser import Served, served
from tests.deployments import Register


@pytest.fixture
def site(own_register: Register) -> Iterator[Served]:
    """The whole service on a register of this test's own."""
    with served(own_register.engine) as running:
        yield running
