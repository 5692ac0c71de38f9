"""Towns to test the flows on, the commands, and the PostgreSQL server of the storage tests."""

from tests.commands import commands
from tests.deployments import empty_town, empty_town_files, own_town, town, town_files
from tests.idverify.storage.conftest import postgresql

__all__ = ["commands", "empty_town", "empty_town_files", "own_town", "postgresql", "town", "town_files"]
