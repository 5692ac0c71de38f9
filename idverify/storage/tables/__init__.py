"""The tables of the database, as SQLAlchemy Core; `migrations/` builds exactly these, nothing else is ever stored.

All modules are imported here, so that `metadata` knows every table whoever asks for it.
"""

from idverify.storage.tables import administration, audit, callers, cases, duplicates, register, staff, visits
from idverify.storage.tables.schema import metadata

__all__ = ["administration", "audit", "callers", "cases", "duplicates", "metadata", "register", "staff", "visits"]
