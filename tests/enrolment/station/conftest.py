"""What the browser tests of the station share."""

from tests.browser import chromium, playwright, screenshots
from tests.laptops import laptop, site

__all__ = ["chromium", "laptop", "playwright", "screenshots", "site"]
