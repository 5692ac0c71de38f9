"""Writes and reads the rows of a table as values of one frozen dataclass, whose fields are its columns.

It opens nothing that is sealed and judges nothing; what the audit log keeps of a row is declared by
`idverify.protection.logged_row`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, get_origin, get_type_hints

from sqlalchemy import Column, Connection, FromClause, Select, Table, insert, select

from idverify.errors import RecordRolledBack
from idverify.protection.logged_row import leaf_fields

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

R = TypeVar("R", bound="DataclassInstance")
Query: TypeAlias = Select[*tuple[Any, ...]]


class RowTable(Generic[R]):
    """A table and the dataclass of its rows.

    A field is stored in the column of its name, in the form that its type says: a tuple or a mapping in a column of
    JSON, a StrEnum as its text, a dataclass (a wrapped key) as a column for each of its own fields.
    """

    def __init__(
        self,
        row_class: type[R],
        table: Table,
        *,
        elsewhere: Mapping[str, Column[Any]] | None = None,
        lists: Mapping[str, Column[Any]] | None = None,
        beside: Iterable[str] = (),
        joined: FromClause | None = None,
    ) -> None:
        """Declare what the fields' names and types do not say.

        `elsewhere`: fields that stand in a column of another name or table, "wrapped.sealed" for a field of a field.
        `lists`: tuples each of whose elements is a row of another table, by the column that holds the element; those
        rows point at this table by a column of the name of its key, the first field. `beside`: columns of `table` that
        are no field. `joined`: `table` with the other tables that hold a column. Raises TypeError when a column is left
        over.
        """
        self.row_class = row_class
        self.table = table
        self._lists = {name: (lists or {})[name] for name in leaf_fields(row_class) if name in (lists or {})}
        self._list_places = {name: leaf_fields(row_class).index(name) for name in self._lists}
        leaves = [name for name in leaf_fields(row_class) if name not in self._lists]
        named = dict(elsewhere or {})
        found = {name: named.get(name, table.c.get(name.rpartition(".")[2])) for name in leaves}
        self._column_of = {name: column for name, column in found.items() if column is not None}
        self.columns: tuple[Column[Any], ...] = tuple(self._column_of.values())
        own = [column.name for column in self.columns if column.table is table]
        if len(self.columns) < len(leaves) or sorted((*own, *beside)) != sorted(table.c.keys()):
            raise TypeError(f"{row_class.__name__}: its fields are not the columns of {table.name}")
        self._key = self.columns[0]
        self.source: FromClause = table if joined is None else joined
        self.select: Query = select(*self.columns).select_from(self.source)
        """All rows, `columns` of each; the other queries start from it."""
        self.row: Callable[[Sequence[Any]], R] = self._reader(row_class)
        """The row of the values of `columns`, with those of `lists` in their places."""
        self._stored = [
            (column.name, attrgetter(name), _stored_form(hint))
            for name, column, hint in zip(leaves, self.columns, _leaf_types(row_class, leaves), strict=True)
            if column.table is table
        ]

    def all(self, connection: Connection, query: Query, values: Mapping[str, Any] | None = None) -> list[R]:
        """The rows of a query that selects `columns`."""
        rows = connection.execute(query, values).all()
        if not self._lists:
            return [self.row(row) for row in rows]
        complete = [list(row) for row in rows]
        for name, column in self._lists.items():
            held = self._elements(connection, column, rows)
            for row in complete:
                row.insert(self._list_places[name], held.get(row[0], ()))
        return [self.row(row) for row in complete]

    def one(self, connection: Connection, query: Query, values: Mapping[str, Any] | None = None) -> R | None:
        """The row of a query that finds one at most, or None."""
        if self._lists:
            rows = self.all(connection, query, values)
            return rows[0] if rows else None
        row = connection.execute(query, values).one_or_none()
        return None if row is None else self.row(row)

    def add(self, connection: Connection, row: R, **beside: Any) -> None:
        """Insert a row, with the values of the columns that are no field."""
        connection.execute(insert(self.table).values(self.values(row, **beside)))
        for name, column in self._lists.items():
            key = getattr(row, self._key.name)
            for element in getattr(row, name):
                connection.execute(insert(column.table).values({self._key.name: key, column.name: element}))

    def add_all(self, connection: Connection, rows: Iterable[R], **beside: Any) -> None:
        """Insert rows of a table without lists, all at once."""
        if values := [self.values(row, **beside) for row in rows]:
            connection.execute(insert(self.table), values)

    def values(self, row: R, **beside: Any) -> dict[str, Any]:
        """What stands in the columns of `table` for this row, by their names."""
        stored = {column: form(get(row)) if form else get(row) for column, get, form in self._stored}
        return {**stored, **beside}

    def columns_of(self, names: Iterable[str]) -> tuple[Column[Any], ...]:
        """The columns of these fields, in this order, without those in `lists`."""
        return tuple(self._column_of[name] for name in names if name not in self._lists)

    def _elements(
        self, connection: Connection, column: Column[Any], rows: Sequence[Sequence[Any]]
    ) -> dict[Any, list[Any]]:
        pointer = column.table.c[self._key.name]
        query = select(pointer, column).where(pointer.in_([row[0] for row in rows])).order_by(column)
        found: dict[Any, list[Any]] = {}
        for key, element in connection.execute(query):
            found.setdefault(key, []).append(element)
        return found

    def _reader(self, row_class: type[R]) -> Callable[[Sequence[Any]], R]:
        hints = get_type_hints(row_class)
        formed: list[tuple[str, slice, Callable[..., Any]]] = []
        place = 0
        for name in (field.name for field in fields(row_class)):
            width = len([leaf for leaf in self._column_of if leaf.partition(".")[0] == name]) or 1
            if form := _read_form(hints[name]):
                # From behind, for one that takes several columns shortens what stands behind it.
                formed.insert(0, (name, slice(place, place + width), form))
            place += width
        keys = [at for at, column in enumerate(self.columns) if column.primary_key and column.table is self.table]

        def read(values: Sequence[Any]) -> R:
            given = [*values]
            try:
                for name, where, form in formed:  # noqa: B007  the error names it
                    given[where] = (form(*given[where]),)
            except ValueError:
                raise unknown_state("/".join((self.table.name, *(str(values[at]) for at in keys))), name) from None
            return row_class(*given)

        return read if formed else lambda values: row_class(*values)


def unknown_state(row: str, field: str) -> RecordRolledBack:
    """The error for a stored value that is none of those that the service writes there."""
    return RecordRolledBack(f"{row}: its {field} is not a state that this service writes; restore it from a backup")


def _leaf_types(row_class: "type[DataclassInstance]", leaves: Iterable[str]) -> list[Any]:
    hints = get_type_hints(row_class)
    return [hints.get(name) for name in leaves]  # of a field of a field: as it is


def _read_form(hint: Any) -> Callable[..., Any] | None:
    """What makes a value of that type of what is stored; None where they are the same."""
    if get_origin(hint) is tuple:
        return tuple
    is_made = isinstance(hint, type) and (issubclass(hint, StrEnum) or is_dataclass(hint))
    return hint if is_made else None


def _stored_form(hint: Any) -> Callable[[Any], Any] | None:
    """What turns a value of that type into one that a column of JSON takes; None where a column takes it as it is."""
    origin = get_origin(hint)
    if origin is tuple:
        return list
    return dict if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping) else None
