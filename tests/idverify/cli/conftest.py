"""Towns to run commands on."""

from tests.deployments import empty_town_files, own_town, town_files

__all__ = ["empty_town_files", "own_town", "town_files"]
