"""A row's digest covers every field that is not declared as left out, and a declaration that is incomplete fails."""

from dataclasses import dataclass, replace

import pytest

from idverify.protection.canonical import record_digest
from idverify.protection.logged_row import (
    SEPARATOR,
    LoggedRow,
    canonical_json,
    each,
    logged,
    sorted_elements,
    unless_none,
)


@dataclass(frozen=True, slots=True)
class Inner:
    version: int
    sealed: bytes


def test_a_digest_that_leaves_out_a_field_silently_cannot_be_declared() -> None:
    @dataclass(frozen=True, slots=True)
    class Row(LoggedRow):
        name: str
        rights: str
        inner: Inner

    whole = ("name", "rights", "inner.version", "inner.sealed")
    assert logged("rows", "name", digest=whole)(Row) is Row
    for wrong in (whole[:3], whole[1:], (*whole, "other"), (*whole, "name"), (*whole[:2], "inner")):
        with pytest.raises(TypeError, match="each field once"):
            logged("rows", "name", digest=wrong)(Row)
    with pytest.raises(TypeError, match="rights"):
        logged("rows", "name", digest=whole, left_out={"rights": "both in the digest and left out"})(Row)
    with pytest.raises(TypeError, match="misspelt"):
        logged("rows", "name", left_out={"misspelt": "no such field"})(Row)


def test_every_field_that_is_not_left_out_changes_the_digest() -> None:
    @logged("rows", "name", left_out={"uses": "a count"})
    @dataclass(frozen=True, slots=True)
    class Row(LoggedRow):
        name: str
        inner: Inner
        uses: int = 0

    row = Row("a", Inner(1, b"key"))
    changed = [replace(row, name="b"), replace(row, inner=Inner(2, b"key")), replace(row, inner=Inner(1, b"other"))]
    assert len({row.digest, *(other.digest for other in changed)}) == 4
    assert replace(row, uses=1).digest == row.digest
    assert row.log_name == Row.log_name_of("a") == "rows/a"


def test_each_term_goes_into_the_digest_in_its_own_form() -> None:
    @logged(
        "rows",
        "name",
        "place",
        digest=(
            "name",
            each("words"),
            SEPARATOR,
            sorted_elements("places"),
            canonical_json("rules"),
            "place",
            unless_none("late"),
            unless_none("later", "latest", separated=True),
        ),
    )
    @dataclass(frozen=True, slots=True)
    class Row(LoggedRow):
        name: str
        place: int
        words: tuple[str, ...]
        places: tuple[str, ...]
        rules: dict[str, int]
        late: str | None = None
        later: int | None = None
        latest: int | None = None

    row = Row("a", 1, ("two", "one"), ("y", "x"), {"b": 2, "a": 1})
    first = ("a", "two", "one", None, "x", "y", b'{"a":1,"b":2}', 1)
    assert row.log_name == "rows/a/1"
    assert row.digest == record_digest("rows", *first)
    assert replace(row, late="z").digest == record_digest("rows", *first, "z")
    assert replace(row, latest=0).digest == record_digest("rows", *first, None, None, 0)
