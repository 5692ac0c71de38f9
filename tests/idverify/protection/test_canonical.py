"""Two different lists never encode alike, because everything that is authenticated rests on it."""

from hypothesis import given
from hypothesis import strategies as st

from idverify.protection.canonical import Field, length_prefixed, record_digest

FIELDS: st.SearchStrategy[list[Field]] = st.lists(
    st.none() | st.integers() | st.text(max_size=4) | st.binary(max_size=4)
)


@given(FIELDS, FIELDS)
def test_different_lists_have_different_encodings(first: list[Field], second: list[Field]) -> None:
    assert (length_prefixed(*first) == length_prefixed(*second)) == (first == second)


def test_nothing_slides_from_one_field_into_the_next() -> None:
    assert length_prefixed("ab", "c") != length_prefixed("a", "bc")


def test_types_are_told_apart() -> None:
    assert len({length_prefixed(field) for field in (None, "", b"", "1", b"1", 1)}) == 6


def test_a_digest_names_its_table() -> None:
    assert record_digest("persons", "a") != record_digest("templates", "a")
    assert len(record_digest("persons", "a")) == 64
