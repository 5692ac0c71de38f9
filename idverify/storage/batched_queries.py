"""Reads long results in batches, each by a query of its own; it never holds a whole result nor leaves a cursor open.

A check of the whole database reads part after part of a table, and takes the values as the driver gives them.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Row, Select


def rows_in_batches(
    connection: Connection, query: Select[*tuple[Any, ...]], key: Column[Any], batch: int
) -> Iterator[Row[*tuple[Any, ...]]]:
    """The rows of `query` in order of `key`, `batch` at a time. `key` is selected by the query and unique in it.

    The batches belong to one state of the database when the transaction does: inside `Database.read`.
    """
    page = query.order_by(key).limit(batch)
    while rows := connection.execute(page).all():
        yield from rows
        page = query.where(key > rows[-1]._mapping[key]).order_by(key).limit(batch)


def plain_batches(
    connection: Connection, query: Select[*tuple[Any, ...]], batch: int
) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The rows of `query` as the driver gives them, `batch` at a time: half the time of `rows_in_batches`.

    For texts, numbers and bytes, which are the same in Python and in the database, and for a stretch of a table: a
    driver may hold the whole result.
    """
    with connection.execute(query) as result:
        while rows := result.cursor.fetchmany(batch):  # SQLAlchemy has taken none of them: the result is not streamed
            yield rows
