"""Reads long results page by page, each its own query: bounded memory, and no cursor stays open when a reader stops."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, Row, Select


def pages(
    connection: Connection, query: Select[*tuple[Any, ...]], key: Column[Any], batch: int
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows of `query` in order of `key`, `batch` at a time. `key` is selected by the query and unique in it.

    The pages belong to one state of the database when the transaction does: inside `Database.read`.
    """
    page = query.order_by(key).limit(batch)
    while rows := connection.execute(page).all():
        yield from rows
        page = query.where(key > rows[-1]._mapping[key]).order_by(key).limit(batch)
