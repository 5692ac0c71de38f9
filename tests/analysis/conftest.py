"""Towns to test the flows on, the commands, and browsers."""

from tests.browser import browsing, chromium, playwright, screenshots
from tests.commands import commands
from tests.deployments import empty_town, empty_town_files, own_town, town, town_files
from tests.visitors import site, visitor

__all__ = [
    "browsing",
    "chromium",
    "commands",
    "empty_town",
    "empty_town_files",
    "own_town",
    "playwright",
    "screenshots",
    "site",
    "town",
    "town_files",
    "visitor",
]
