"""Stores the service's keys, each sealed by a root key; it opens none."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, func, select

from idverify.protection.keyring import SealedServiceKey, ServiceKeyKind
from idverify.storage.rows import RowTable
from idverify.storage.tables.administration import service_keys as table
from idverify.storage.tables.register import persons
from idverify.storage.tables.visits import visits

SERVICE_KEYS = RowTable(SealedServiceKey, table, beside=["created_at"])


def all_service_keys(connection: Connection) -> list[SealedServiceKey]:
    """Every stored key, of all kinds and versions."""
    return SERVICE_KEYS.all(connection, SERVICE_KEYS.select)


def put(connection: Connection, keys: Iterable[SealedServiceKey], created_at: str) -> None:
    """Store `keys`, each in place of the one of the same kind and version if there is one."""
    for key in keys:
        connection.execute(delete(table).where(table.c.kind == key.kind, table.c.version == key.version))
        SERVICE_KEYS.add(connection, key, created_at=created_at)


def current_wrapping_version(connection: Connection) -> int:
    """The version of the newest wrapping key; a running service may not have opened it yet."""
    newest = select(func.max(table.c.version)).where(table.c.kind == ServiceKeyKind.WRAPPING)
    version: int = connection.execute(newest).scalar_one()
    return version


def drop_unused_wrapping(connection: Connection) -> list[int]:
    """Delete the wrapping keys older than the newest that wrap no person's or visit's key any more; their versions."""
    newest = select(func.max(table.c.version)).where(table.c.kind == ServiceKeyKind.WRAPPING).scalar_subquery()
    unused = (
        delete(table)
        .where(
            table.c.kind == ServiceKeyKind.WRAPPING,
            table.c.version < newest,
            table.c.version.not_in(select(persons.c.wrapping_version).distinct()),
            table.c.version.not_in(select(visits.c.wrapping_version).distinct()),
        )
        .returning(table.c.version)
    )
    return sorted(connection.execute(unused).scalars())


def roots_in_use(connection: Connection) -> set[str]:
    """The ids of the root keys that some service key is still sealed under; the others may be destroyed."""
    return set(connection.execute(select(table.c.root_id).distinct()).scalars())
