"""Bulk opening gives the vectors that `reveal` gives, bit for bit, and refuses what `reveal` refuses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idverify.embedding import unit
from idverify.errors import EmbedderMismatch, InvalidInput, KeyUnavailable, SealBroken
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId, Pseudonym, TemplateId
from idverify.protection import bulk_opening
from idverify.protection.bulk_opening import SealedRow, TemplateOpener
from idverify.protection.envelope import Envelope, SealContext, SealKind, WrappedKey
from idverify.protection.keyring import Keyring
from idverify.protection.sealing import SealingKey, new_key
from idverify.protection.template import DTYPE, ProtectedTemplate, protect, reveal

MODEL = ModelDigest("ab" * 32)
COLUMNS = (
    "person pseudonym version wrapped template encounter generation model dimension dtype sealed".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Vault:
    """A deployment's envelope, with two wrapping keys."""

    envelope: Envelope

    def row(self, number: int, *, version: int = 2) -> tuple[SealedRow, np.ndarray]:
        person, pseudonym = PersonId(f"C-{number}"), Pseudonym(f"{number:032x}")
        key, wrapped = self.envelope.new_person_key(person, pseudonym, version)
        embedding = unit(np.random.default_rng(number).standard_normal(128), MODEL)
        sealed = protect(
            embedding,
            template=TemplateId(f"t-{number}"),
            encounter=EncounterId(f"ö-{number}"),
            key=key,
            envelope=self.envelope,
            generation=1 + number % 3,
        )
        row = (person, pseudonym, version, wrapped.sealed, sealed.template, sealed.encounter, sealed.generation)
        return (*row, MODEL, 128, DTYPE, sealed.sealed, GalleryId("register")), embedding.vector


def new_vault() -> Vault:
    wrapping = {1: SealingKey(new_key()), 2: SealingKey(new_key())}
    return Vault(Envelope("5f3b9a52-6f0e-4a4e-9d4b-0c9f3d1a7e11", Keyring(wrapping, {})))


@pytest.fixture
def vault() -> Vault:
    return new_vault()


def test_what_was_sealed_is_opened_in_its_order(vault: Vault) -> None:
    rows, vectors = zip(*(vault.row(number, version=1 + number % 2) for number in range(50)), strict=True)
    opened = TemplateOpener(vault.envelope, MODEL, 128).open(rows)
    assert opened.dtype == np.float32
    np.testing.assert_array_equal(opened, np.stack(vectors))


def test_the_quick_way_is_taken_for_whatever_is_in_order(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    opener = TemplateOpener(vault.envelope, MODEL, 128)
    monkeypatch.setattr(bulk_opening, "reveal", lambda *_: pytest.fail("one by one"))
    assert opener.open([vault.row(number)[0] for number in range(3)]).shape == (3, 128)


def flipped(value: bytes, at: int) -> bytes:
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_row_of_which_any_column_is_anothers_does_not_open(vault: Vault, column: str) -> None:
    (row, _), (other, _) = vault.row(1), vault.row(2, version=1)
    place = COLUMNS.index(column)
    replaced: dict[str, Any] = {"model": "cd" * 32, "dimension": 127, "dtype": ">f4"}
    mixed = (*row[:place], replaced.get(column, other[place]), *row[place + 1 :])
    with pytest.raises(SealBroken):
        TemplateOpener(vault.envelope, MODEL, 128).open([other, mixed])


@pytest.mark.parametrize("column", ["wrapped", "sealed"])
def test_no_bit_of_what_was_sealed_may_differ(vault: Vault, column: str) -> None:
    row, _ = vault.row(1)
    place = COLUMNS.index(column)
    sealed = row[place]
    assert isinstance(sealed, bytes)
    broken: list[Callable[[bytes], bytes]] = [lambda value: value[:-1], lambda value: value + b"\0", lambda _: b""]
    broken += [lambda value, at=at: flipped(value, at) for at in (0, 1, 2, 14, len(sealed) - 33, len(sealed) - 1)]  # type: ignore[misc]
    for break_it in broken:
        with pytest.raises(SealBroken):
            TemplateOpener(vault.envelope, MODEL, 128).open([(*row[:place], break_it(sealed), *row[place + 1 :])])  # type: ignore[list-item]


def test_a_wrapping_key_that_is_gone_is_named(vault: Vault) -> None:
    row, _ = vault.row(1)
    with pytest.raises(KeyUnavailable, match="version 7"):
        TemplateOpener(vault.envelope, MODEL, 128).open([(*row[:2], 7, *row[3:])])


def test_a_vector_that_is_not_of_length_1_is_refused(vault: Vault) -> None:
    row, vector = vault.row(1)
    person, pseudonym = PersonId(row[0]), Pseudonym(row[1])
    key, wrapped = vault.envelope.new_person_key(person, pseudonym)
    context = SealContext(
        kind=SealKind.TEMPLATE,
        table="templates",
        person=person,
        record="t",
        encounter=EncounterId("e"),
        model=MODEL,
        dimension=128,
        dtype=DTYPE,
    )
    sealed = vault.envelope.seal(key, (2 * vector).tobytes(), context)
    with pytest.raises(InvalidInput, match="unit vector"):
        TemplateOpener(vault.envelope, MODEL, 128).open(
            [
                (
                    person,
                    pseudonym,
                    2,
                    wrapped.sealed,
                    TemplateId("t"),
                    EncounterId("e"),
                    1,
                    MODEL,
                    128,
                    DTYPE,
                    sealed,
                    GalleryId("register"),
                )
            ]
        )


def revealed(vault: Vault, row: SealedRow) -> np.ndarray:
    """The vector by the functions that open a single template."""
    person, pseudonym, version, wrapped, template, encounter, generation, model, dimension, dtype, sealed, _ = row
    key = vault.envelope.open_person_key(person, pseudonym, WrappedKey(version, wrapped))
    protected = ProtectedTemplate.stored(template, encounter, person, generation, model, dimension, dtype, sealed)
    return reveal(protected, key, vault.envelope).vector


TEXT = st.text(st.characters(codec="utf-8"), max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT, TEXT, TEXT, st.integers(1, 2**40), st.integers(1, 2)), max_size=6), st.data())
def test_random_templates_open_bit_for_bit_as_one_by_one(
    places: list[tuple[str, str, str, str, int, int]], data: st.DataObject
) -> None:
    vault = new_vault()
    dimension = data.draw(st.sampled_from((4, 12, 128)))
    rows: list[SealedRow] = []
    for place, (person, pseudonym, template, encounter, generation, version) in enumerate(places):
        key, wrapped = vault.envelope.new_person_key(PersonId(person), Pseudonym(pseudonym), version)
        protected = protect(
            unit(np.random.default_rng(place).standard_normal(dimension), MODEL),
            template=TemplateId(template),
            encounter=EncounterId(encounter),
            key=key,
            envelope=vault.envelope,
            generation=generation,
        )
        mine = (key.person, Pseudonym(pseudonym), version, wrapped.sealed, protected.template, protected.encounter)
        rows.append((*mine, generation, MODEL, dimension, DTYPE, protected.sealed, GalleryId("register")))
    opened = TemplateOpener(vault.envelope, MODEL, dimension).open(rows)
    assert opened.shape == (len(rows), dimension)
    assert [vector.tobytes() for vector in opened] == [revealed(vault, row).tobytes() for row in rows]


@pytest.mark.parametrize("column", COLUMNS)
def test_an_altered_field_is_refused_with_the_error_of_reveal(vault: Vault, column: str) -> None:
    place = COLUMNS.index(column)
    for number in range(12):
        row, _ = vault.row(number)
        altered: Any = (*row[:place], changed(row[place], np.random.default_rng(number)), *row[place + 1 :])
        with pytest.raises((SealBroken, KeyUnavailable)) as alone:
            revealed(vault, altered)
        with pytest.raises((SealBroken, KeyUnavailable)) as in_bulk:
            TemplateOpener(vault.envelope, MODEL, 128).open([vault.row(number + 100)[0], altered])
        assert (in_bulk.type, str(in_bulk.value)) == (alone.type, str(alone.value))


def changed(value: str | int | bytes, random: np.random.Generator) -> str | int | bytes:
    """The value with one bit, character or unit changed."""
    if isinstance(value, int):
        return value + int(random.choice((-1, 1, 5)))
    at = int(random.integers(len(value)))
    if isinstance(value, str):
        return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
    return value[:at] + bytes([value[at] ^ 1 << int(random.integers(8))]) + value[at + 1 :]


def test_a_value_without_a_right_commitment_is_refused_though_its_tag_is_right(vault: Vault) -> None:
    row, _ = vault.row(1)
    for place in (COLUMNS.index("wrapped"), COLUMNS.index("sealed")):
        sealed = row[place]
        assert isinstance(sealed, bytes)
        forged: Any = (*row[:place], sealed[:-32] + bytes(32), *row[place + 1 :])
        with pytest.raises(SealBroken, match="altered"):
            TemplateOpener(vault.envelope, MODEL, 128).open([forged])


def test_a_genuine_template_of_another_embedder_is_refused(vault: Vault) -> None:
    row, _ = vault.row(1)
    with pytest.raises(EmbedderMismatch, match="expected 128 numbers of embedder cdcdcdcdcdcd, got 128 of abab"):
        TemplateOpener(vault.envelope, ModelDigest("cd" * 32), 128).open([row])
    with pytest.raises(EmbedderMismatch, match="expected 64 numbers"):
        TemplateOpener(vault.envelope, MODEL, 64).open([row])
