"""Two different lists never encode alike, because everything that is authenticated rests on it."""

from hypothesis import given
from hypothesis import strategies as st

from idverify.protection.canonical import Field, encoded_fields, length_prefixed, list_start, record_digest

FIELDS: st.SearchStrategy[list[Field]] = st.lists(
    st.none() | st.integers() | st.text(max_size=4) | st.binary(max_size=4)
)


@given(FIELDS, FIELDS)
def test_different_lists_have_different_encodings(first: list[Field], second: list[Field]) -> None:
    assert (length_prefixed(*first) == length_prefixed(*second)) == (first == second)


@given(FIELDS, FIELDS)
def test_a_list_may_be_encoded_in_parts(first: list[Field], second: list[Field]) -> None:
    parts = list_start(len(first) + len(second)) + encoded_fields(*first) + encoded_fields(*second)
    assert parts == length_prefixed(*first, *second)


def test_the_bytes_of_the_encoding_stay_what_they_are() -> None:
    assert length_prefixed("ö", 12, b"x", None) == (
        b"\0\0\0\0\0\0\0\x04s\0\0\0\0\0\0\0\x02\xc3\xb6i\0\0\0\0\0\0\0\x0212b\0\0\0\0\0\0\0\x01xn\0\0\0\0\0\0\0\0"
    )


def test_nothing_slides_from_one_field_into_the_next() -> None:
    assert length_prefixed("ab", "c") != length_prefixed("a", "bc")


def test_types_are_told_apart() -> None:
    assert len({length_prefixed(field) for field in (None, "", b"", "1", b"1", 1)}) == 6


def test_a_digest_names_its_table() -> None:
    assert record_digest("persons", "a") != record_digest("templates", "a")
    assert len(record_digest("persons", "a")) == 64
