"""Towns to test the flows on, and the commands."""

from tests.commands import commands
from tests.deployments import empty_town, empty_town_files, own_town, town, town_files

__all__ = ["commands", "empty_town", "empty_town_files", "own_town", "town", "town_files"]
