"""A template opens only for its person and in its own row: 2,000 bit flips and 2,000 swaps, every one refused."""

import random
from collections import Counter
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pytest

from idverify.embedding import Embedding, unit
from idverify.errors import KeyUnavailable, SealBroken
from idverify.ids import EncounterId, ModelDigest, PersonId, Pseudonym, TemplateId
from idverify.protection.envelope import Envelope, PersonKey, SealContext, WrappedKey
from idverify.protection.keyring import Keyring
from idverify.protection.template import ProtectedTemplate, protect, reveal

MODEL = ModelDigest("ab" * 32)
FLIPS = SWAPS = 2_000


@dataclass(frozen=True)
class SealedRow:
    """Any sealed row as a thief of the database sees it: named columns, and the way the service opens it."""

    kind: str
    columns: dict[str, Any]

    def open(self, envelope: Envelope, keys: dict[str, PersonKey], columns: dict[str, Any]) -> object:
        if self.kind == "template":
            template = ProtectedTemplate(**columns)
            return reveal(template, _key(keys, template.person), envelope)
        if self.kind == "detail":
            context = SealContext.of_encounter_detail(columns["person"], columns["encounter"])
            return envelope.open(_key(keys, columns["person"]), columns["sealed"], context)
        if self.kind == "image":
            context = SealContext.of_image(
                columns["person"], columns["encounter"], columns["image"], columns["media_type"], columns["generation"]
            )
            return envelope.open(_key(keys, columns["person"]), columns["sealed"], context)
        wrapped = WrappedKey(columns["wrapping_version"], columns["sealed"])
        return envelope.open_person_key(columns["person"], columns["pseudonym"], wrapped)


def test_a_template_opens_for_its_person(envelope: Envelope) -> None:
    key, _ = envelope.new_person_key(PersonId("A-1"), Pseudonym("p1"))
    embedding = _embedding(1)
    protected = _protect(embedding, key, envelope, "t1")
    revealed = reveal(protected, key, envelope)
    assert np.array_equal(revealed.vector, embedding.vector)
    assert revealed.model == MODEL
    other, _ = envelope.new_person_key(PersonId("A-1"), Pseudonym("p1"))
    with pytest.raises(SealBroken):
        reveal(protected, other, envelope)


def test_the_digest_covers_every_field(envelope: Envelope) -> None:
    key, _ = envelope.new_person_key(PersonId("A-1"), Pseudonym("p1"))
    protected = _protect(_embedding(1), key, envelope, "t1")
    digests = {protected.digest}
    for item in fields(ProtectedTemplate):
        value = getattr(protected, item.name)
        digests.add(replace(protected, **{item.name: _flipped(value, random.Random(0))}).digest)
    assert len(digests) == 1 + len(fields(ProtectedTemplate))


def test_the_sealed_bytes_are_not_shown(envelope: Envelope) -> None:
    key, _ = envelope.new_person_key(PersonId("A-1"), Pseudonym("p1"))
    assert "sealed" not in repr(_protect(_embedding(1), key, envelope, "t1"))


def test_every_flipped_bit_is_refused(envelope: Envelope) -> None:
    rows, keys = _population(envelope)
    generator = random.Random(20261121)
    flipped: Counter[tuple[str, str]] = Counter()
    for _ in range(FLIPS):
        row = generator.choice(rows)
        # Half of them in the sealed bytes, half spread over the other columns.
        column = "sealed" if generator.random() < 0.5 else generator.choice(list(row.columns))
        altered = row.columns | {column: _flipped(row.columns[column], generator)}
        # A wrapping version that does not exist is refused even before anything is opened.
        refused = (SealBroken, KeyUnavailable) if column == "wrapping_version" else SealBroken
        with pytest.raises(refused):
            row.open(envelope, keys, altered)
        flipped[row.kind, column] += 1
    assert flipped.total() == FLIPS
    assert set(flipped) == {(row.kind, column) for row in rows for column in row.columns}


def test_every_swap_is_refused(envelope: Envelope, keyring: Keyring, deployment: str) -> None:
    rows, keys = _population(envelope)
    elsewhere = Envelope(f"{deployment}-2", keyring)
    generator = random.Random(20261122)
    between: Counter[str] = Counter()
    for _ in range(SWAPS):
        one, other = generator.sample(rows, 2)
        envelope_there = envelope
        if generator.random() < 0.1:
            one, envelope_there = other, elsewhere  # the same row in the database of another deployment
            between["deployments"] += 1
        between["persons"] += one.columns["person"] != other.columns["person"]
        between["kinds"] += one.kind != other.kind
        same = one.columns["person"] == other.columns["person"] and one.kind == other.kind
        between["records and generations"] += same
        with pytest.raises(SealBroken):
            other.open(envelope_there, keys, other.columns | {"sealed": one.columns["sealed"]})
    assert min(between.values()) > 50
    assert len(between) == 4


def test_the_rows_that_were_swapped_do_open_where_they_belong(envelope: Envelope) -> None:
    rows, keys = _population(envelope)
    for row in rows:
        row.open(envelope, keys, row.columns)


def _population(envelope: Envelope) -> tuple[list[SealedRow], dict[str, PersonKey]]:
    """Four people, two encounters each, with templates in two generations, an image and a detail."""
    rows: list[SealedRow] = []
    keys: dict[str, PersonKey] = {}
    for number in range(4):
        person, pseudonym = PersonId(f"A-{number}"), Pseudonym(f"p{number}")
        key, wrapped = envelope.new_person_key(person, pseudonym)
        keys[person] = key
        rows.append(
            SealedRow(
                "key",
                {
                    "person": person,
                    "pseudonym": pseudonym,
                    "wrapping_version": wrapped.wrapping_version,
                    "sealed": wrapped.sealed,
                },
            )
        )
        for visit in range(2):
            rows += _encounter(envelope, key, EncounterId(f"e{number}-{visit}"))
    return rows, keys


def _encounter(envelope: Envelope, key: PersonKey, encounter: EncounterId) -> list[SealedRow]:
    place: dict[str, Any] = {"person": key.person, "encounter": encounter}
    templates = [
        protect(
            _embedding(generation),
            template=TemplateId(f"t-{encounter}"),
            encounter=encounter,
            key=key,
            envelope=envelope,
            generation=generation,
        )
        for generation in (1, 2)
    ]
    detail = envelope.seal(key, b"{}", SealContext.of_encounter_detail(key.person, encounter))
    image = SealContext.of_image(key.person, encounter, f"i-{encounter}", "image/jpeg", 1)
    kept = {"image": f"i-{encounter}", "media_type": "image/jpeg", "generation": 1}
    return [
        *(SealedRow("template", {f.name: getattr(t, f.name) for f in fields(t)}) for t in templates),
        SealedRow("detail", place | {"sealed": detail}),
        SealedRow("image", place | kept | {"sealed": envelope.seal(key, b"jpeg", image)}),
    ]


def _key(keys: dict[str, PersonKey], person: PersonId) -> PersonKey:
    # A row whose person was altered is opened with the key it would open with, so that the context alone must refuse.
    return keys.get(person, keys["A-0"])


def _flipped(value: Any, generator: random.Random) -> Any:
    if isinstance(value, int):
        return value ^ 1 << generator.randrange(16)
    content = bytearray(value if isinstance(value, bytes) else value.encode("ascii"))
    bits = 8 if isinstance(value, bytes) else 7
    content[generator.randrange(len(content))] ^= 1 << generator.randrange(bits)
    return bytes(content) if isinstance(value, bytes) else content.decode("ascii")


def _embedding(seed: int) -> Embedding:
    return unit(np.random.default_rng(seed).standard_normal(128), MODEL)


def _protect(embedding: Embedding, key: PersonKey, envelope: Envelope, template: str) -> ProtectedTemplate:
    return protect(embedding, template=TemplateId(template), encounter=EncounterId("e1"), key=key, envelope=envelope)
