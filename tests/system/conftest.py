"""Towns to test the flows on."""

from tests.deployments import empty_town, empty_town_files, own_town, town, town_files

__all__ = ["empty_town", "empty_town_files", "own_town", "town", "town_files"]
