"""What the long runs and their short forms start from."""

from tests.deployments import empty_town_files, town_files
from tests.idverify.storage.conftest import postgresql

__all__ = ["empty_town_files", "postgresql", "town_files"]
