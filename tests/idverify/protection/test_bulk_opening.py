"""Opening in bulk is opening one by one, only quicker: the same vectors, and nothing that is refused alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from idverify.embedding import unit
from idverify.errors import InvalidInput, KeyUnavailable, SealBroken
from idverify.ids import EncounterId, ModelDigest, PersonId, Pseudonym, TemplateId
from idverify.protection.bulk_opening import Opener, SealedRow
from idverify.protection.envelope import Envelope, SealContext, SealKind
from idverify.protection.keyring import Keyring
from idverify.protection.sealing import SealingKey, new_key
from idverify.protection.template import DTYPE, protect

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
        return (*row, MODEL, 128, DTYPE, sealed.sealed, "register"), embedding.vector


@pytest.fixture
def vault() -> Vault:
    wrapping = {1: SealingKey(new_key()), 2: SealingKey(new_key())}
    return Vault(Envelope("5f3b9a52-6f0e-4a4e-9d4b-0c9f3d1a7e11", Keyring(wrapping, {})))


def test_what_was_sealed_is_opened_in_its_order(vault: Vault) -> None:
    rows, vectors = zip(*(vault.row(number, version=1 + number % 2) for number in range(50)), strict=True)
    opened = Opener(vault.envelope, MODEL, 128).open(rows)
    assert opened.dtype == np.float32
    np.testing.assert_array_equal(opened, np.stack(vectors))


def test_the_quick_way_is_taken_for_whatever_is_in_order(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    opener = Opener(vault.envelope, MODEL, 128)
    monkeypatch.setattr(Envelope, "open_person_key", lambda *_: pytest.fail("one by one"))
    assert opener.open([vault.row(number)[0] for number in range(3)]).shape == (3, 128)


def flipped(value: bytes, at: int) -> bytes:
    return value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_row_of_which_any_column_is_anothers_does_not_open(vault: Vault, column: str) -> None:
    (row, _), (other, _) = vault.row(1), vault.row(2, version=1)
    place = COLUMNS.index(column)
    changed: dict[str, Any] = {"model": "cd" * 32, "dimension": 127, "dtype": ">f4"}
    mixed = (*row[:place], changed.get(column, other[place]), *row[place + 1 :])
    with pytest.raises(SealBroken):
        Opener(vault.envelope, MODEL, 128).open([other, mixed])


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
            Opener(vault.envelope, MODEL, 128).open([(*row[:place], break_it(sealed), *row[place + 1 :])])  # type: ignore[list-item]


def test_a_wrapping_key_that_is_gone_is_named(vault: Vault) -> None:
    row, _ = vault.row(1)
    with pytest.raises(KeyUnavailable, match="version 7"):
        Opener(vault.envelope, MODEL, 128).open([(*row[:2], 7, *row[3:])])


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
        Opener(vault.envelope, MODEL, 128).open(
            [(person, pseudonym, 2, wrapped.sealed, "t", "e", 1, MODEL, 128, DTYPE, sealed, "register")]
        )
