"""What the browser tests of the station share."""

from tests.laptops import laptop, site

__all__ = ["laptop", "site"]
