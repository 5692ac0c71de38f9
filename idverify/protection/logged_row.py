"""Says by which name and which digest the audit log knows a stored row; it stores nothing and reads no log.

Both are declared beside the row's class. Existing logs hold digests of exactly that encoding: a declaration that has
been released is never changed, and a new field goes in by `unless_none`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import rfc8785

from idverify.protection.canonical import Field, record_digest

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True, slots=True)
class DigestTerm:
    """A part of a digest: the names of the fields that it covers, and the values that it makes of a row's."""

    names: tuple[str, ...]
    values: Callable[[Any], Sequence[Field]]


SEPARATOR = DigestTerm((), lambda _: (None,))
"""Between two lists, so that no element slides from one into the other."""


def each(name: str) -> DigestTerm:
    """All elements of a tuple, in its order."""
    return DigestTerm((name,), attrgetter(name))


def sorted_elements(name: str) -> DigestTerm:
    """All elements of a tuple whose order says nothing."""
    get = attrgetter(name)
    return DigestTerm((name,), lambda row: sorted(get(row)))


def canonical_json(name: str) -> DigestTerm:
    """A mapping, as RFC 8785 writes it."""
    get = attrgetter(name)
    return DigestTerm((name,), lambda row: (rfc8785.dumps(dict(get(row))),))


def unless_none(*names: str, separated: bool = False) -> DigestTerm:
    """Fields that are newer than the first digests in existing logs: nothing at all while all of them are None.

    `separated` puts what `SEPARATOR` is before them.
    """
    get = _getter(names)
    before = (None,) if separated else ()
    nothing = (None,) * len(names)
    return DigestTerm(names, lambda row: () if (values := get(row)) == nothing else (*before, *values))


class LoggedRow:
    """A row of which the audit log keeps the digest; the class is a dataclass declared by `logged`."""

    __slots__ = ()
    _declaration: ClassVar["_Declaration"]

    @classmethod
    def log_name_of(cls, *key: str | int) -> str:
        """The name in the audit log of the row that has this key."""
        return "/".join((cls._declaration.table, *map(str, key)))

    @property
    def log_name(self) -> str:
        """Its name in the audit log: the table and the key, which for persons is the pseudonym."""
        return self._declaration.log_name(self)

    @property
    def digest(self) -> str:
        """sha256 (64 hex digits) over all fields but those that the class declares as left out."""
        declaration = self._declaration
        return record_digest(declaration.table, *declaration.values(self))

    @classmethod
    def digested_fields(cls) -> tuple[str, ...]:
        """The names of the fields in the digest, in its order; "wrapped.sealed" is a field of the field `wrapped`."""
        return cls._declaration.digested


@dataclass(frozen=True, slots=True)
class _Declaration:
    table: str
    log_name: Callable[[Any], str]
    digested: tuple[str, ...]
    values: Callable[[Any], Iterable[Field]]


L = TypeVar("L", bound=LoggedRow)


def logged(
    table: str,
    *key: str,
    digest: Sequence[str | DigestTerm] = (),
    at_end: Sequence[DigestTerm] = (),
    left_out: Mapping[str, str] | None = None,
) -> Callable[[type[L]], type[L]]:
    """Declare how the audit log knows the rows of a class: as `table/key`, and by the digest over these fields.

    Without `digest`, all fields in their order, but those in `at_end` behind the others. `left_out` names the fields
    that the digest does not cover, each with the reason. Raises TypeError when a field is in neither, or in both.
    """

    def declared(row_class: type[L]) -> type[L]:
        reasons = left_out or {}
        every = leaf_fields(row_class)  # type: ignore[arg-type]  # `fields` refuses what is no dataclass
        apart = {*reasons, *(name for term in at_end for name in term.names)}
        terms = (*(digest or (name for name in every if name not in apart)), *at_end)
        digested = tuple(name for term in terms for name in _names(term))
        if sorted((*digested, *reasons)) != sorted(every):
            differing = sorted({*digested, *reasons} ^ set(every)) or sorted(digested)
            raise TypeError(
                f"{row_class.__name__}: expected each field once, in the digest or declared as left out; "
                f"see {', '.join(differing)}"
            )
        row_class._declaration = _Declaration(table, _named(table, key), digested, _joined(_parts(terms)))
        return row_class

    return declared


def leaf_fields(row_class: "type[DataclassInstance]") -> tuple[str, ...]:
    """The names of all fields, in their order, where a field that is a dataclass itself stands for its own fields."""
    return tuple(
        f"{field.name}.{inner}" if inner else field.name
        for field in fields(row_class)
        for inner in (leaf_fields(field.type) if isinstance(field.type, type) and is_dataclass(field.type) else [""])
    )


def _names(term: str | DigestTerm) -> Collection[str]:
    return (term,) if isinstance(term, str) else term.names


def _parts(terms: Iterable[str | DigestTerm]) -> tuple[Callable[[Any], Sequence[Field]], ...]:
    """Neighbouring fields that go in as they are become one part: a start digests millions of rows."""
    parts: list[Callable[[Any], Sequence[Field]]] = []
    for plain, run in groupby(terms, key=lambda term: isinstance(term, str)):
        if plain:
            parts.append(_getter([str(name) for name in run]))
        else:
            parts += [term.values for term in run if isinstance(term, DigestTerm)]
    return tuple(parts)


def _joined(parts: Sequence[Callable[[Any], Sequence[Field]]]) -> Callable[[Any], Iterable[Field]]:
    if len(parts) == 1:
        return parts[0]
    return lambda row: [value for part in parts for value in part(row)]


def _named(table: str, key: Sequence[str]) -> Callable[[Any], str]:
    if len(key) == 1:
        get, start = attrgetter(*key), f"{table}/"
        return lambda row: f"{start}{get(row)}"
    get = attrgetter(*key)
    return lambda row: "/".join((table, *map(str, get(row))))


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    get = attrgetter(*names)
    return get if len(names) > 1 else lambda row: (get(row),)
