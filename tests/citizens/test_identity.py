"""The traits of rendered citizens: drawn from the seed alone, inside their ranges, evenly over skin tones."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np

from citizens import Identity, twin
from citizens.hairstyle import STYLES
from citizens.identity import BEARDS, HAIR_STYLES, trait_ranges


def test_a_seed_always_gives_the_same_person() -> None:
    assert Identity.from_seed(7) == Identity.from_seed(7)
    assert Identity.from_seed(7) != Identity.from_seed(8)


def test_every_trait_stays_in_its_range_and_uses_it() -> None:
    people = [Identity.from_seed(seed) for seed in range(300)]
    for name, (low, high) in trait_ranges().items():
        values = np.array([getattr(person, name) for person in people])
        assert low <= values.min() < low + 0.1 * (high - low), name
        assert high >= values.max() > high - 0.1 * (high - low), name


def test_skin_tones_come_evenly() -> None:
    counts = Counter(Identity.from_seed(seed).skin_tone for seed in range(1200))
    assert sorted(counts) == [1, 2, 3, 4, 5, 6]
    assert min(counts.values()) > 150


def test_every_hair_style_and_beard_is_worn_by_somebody() -> None:
    people = [Identity.from_seed(seed) for seed in range(300)]
    assert {person.hair_style for person in people} == set(HAIR_STYLES) == set(STYLES)
    assert {person.beard for person in people} == set(BEARDS)


def test_a_twin_is_closer_than_a_stranger_yet_not_the_same() -> None:
    person, stranger = Identity.from_seed(3), Identity.from_seed(4)
    sibling = twin(person, seed=1)
    assert sibling == twin(person, seed=1)
    assert sibling != person
    assert (sibling.skin_tone, sibling.hair_style) == (person.skin_tone, person.hair_style)
    assert 0 < _distance(person, sibling) < 0.3 * _distance(person, stranger)


def test_features_keep_their_order_down_the_face() -> None:
    for seed in range(100):
        person = Identity.from_seed(seed)
        downwards = [
            -person.crown_rise_mm,
            -person.brow_rise_mm,
            0.0,
            person.nose_length_mm,
            person.nose_base_mm,
            person.mouth_drop_mm - person.upper_lip_mm,
            person.mouth_drop_mm + person.lower_lip_mm,
            person.chin_drop_mm,
        ]
        assert downwards == sorted(downwards), seed


def _distance(first: Identity, second: Identity) -> float:
    """The mean difference over the traits, in shares of their ranges."""
    a, b = dataclasses.asdict(first), dataclasses.asdict(second)
    return float(np.mean([abs(a[name] - b[name]) / (high - low) for name, (low, high) in trait_ranges().items()]))
