"""The PostgreSQL server of the storage tests."""

from tests.idverify.storage.conftest import postgresql

__all__ = ["postgresql"]
