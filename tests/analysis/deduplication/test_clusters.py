"""Pairs become clusters: no pair is lost, and nobody is drawn in by one weak link."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage

from analysis.deduplication.clusters import Group, Vectors, cluster, evidence
from analysis.deduplication.pairs import Pair, pair

THRESHOLD = 0.6


def vectors(*angles_deg: float) -> dict[str, Vectors]:
    """Identities on a circle, one reference each, named a, b, c, … : their similarity is the cosine between them."""
    radians = np.radians(angles_deg)
    return {
        chr(ord("a") + at): np.array([[np.cos(angle), np.sin(angle)]], np.float32) for at, angle in enumerate(radians)
    }


def found(references: dict[str, Vectors], threshold: float = THRESHOLD) -> set[Pair]:
    return {
        pair(one, other)
        for one, other in itertools.combinations(references, 2)
        if (references[one] @ references[other].T).max() >= threshold
    }


def members(groups: tuple[Group, ...]) -> list[str]:
    return ["".join(group.members) for group in groups]


def test_one_face_under_five_numbers_is_one_cluster_with_all_its_ties() -> None:
    people = vectors(0, 5, 10, 12, 15, 120)
    (group,) = cluster(found(people), people, THRESHOLD)
    assert group.members == ("a", "b", "c", "d", "e")
    assert len(group.ties) == 10
    assert len(group.spanning()) == 4


def test_two_faces_are_not_chained_by_one_that_lies_between_them() -> None:
    people = vectors(0, 5, 50, 95, 100)  # c resembles both pairs; a, b and d, e are unlike
    groups = cluster(found(people), people, THRESHOLD)
    together = [set(group.members) for group in groups]
    assert not any({"a", "d"} <= each or {"b", "e"} <= each for each in together)
    assert {"a", "b"} in together or {"a", "b", "c"} in together


def test_a_true_member_with_one_score_below_the_threshold_stays_in() -> None:
    people = vectors(0, 28, 56)  # a and c: 0.56; the others 0.88
    assert members(cluster(found(people), people, THRESHOLD)) == ["abc"]


def test_a_pair_that_joins_no_groups_is_a_cluster_of_its_own() -> None:
    people = vectors(0, 2, 54.5)
    assert found(people, 0.6) == {("a", "b"), ("b", "c")}
    assert members(cluster(found(people), people, THRESHOLD)) == ["ab", "bc"]


def test_a_tie_says_whether_the_search_found_it() -> None:
    people = vectors(0, 28, 56)
    (group,) = cluster(found(people), people, THRESHOLD)
    assert {(tie.left, tie.right): tie.found for tie in group.ties} == {
        ("a", "b"): True,
        ("a", "c"): False,
        ("b", "c"): True,
    }


def test_the_best_of_several_references_is_shown_and_the_mean_of_all_decides() -> None:
    people = vectors(0, 90)
    people["b"] = np.concatenate([people["b"], people["a"]])  # one photograph of two is of somebody else
    people |= {"c": vectors(90)["a"]}
    groups = cluster(found(people), people, THRESHOLD)
    assert members(groups) == ["ab", "bc"]
    assert groups[0].ties[0].similarity == pytest.approx(1)


def test_evidence_counts_the_coincidences_that_would_be_needed() -> None:
    assert evidence([1e-6, 1e-4]) == pytest.approx(10)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.floats(0.2, 0.9))
def test_every_pair_is_in_exactly_one_cluster_and_the_cut_is_that_of_average_linkage(
    seed: int, people: int, threshold: float
) -> None:
    random = np.random.default_rng(seed)
    faces = random.standard_normal((max(people // 3, 1), 6))
    drawn = faces[random.integers(0, len(faces), people)] + 0.5 * random.standard_normal((people, 6))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    references = {f"{at:02d}": drawn[at : at + 1].astype(np.float32) for at in range(people)}
    pairs = found(references, threshold)
    groups = cluster(pairs, references, threshold)
    shown = Counter((tie.left, tie.right) for group in groups for tie in group.ties if tie.found)
    assert shown == Counter(pairs)
    upper = np.triu_indices(people, 1)
    labels = fcluster(linkage(1 - (drawn @ drawn.T)[upper], "average"), 1 - threshold, "distance")
    expected = {tuple(f"{at:02d}" for at in np.flatnonzero(labels == label)) for label in set(labels)}
    assert {group.members for group in groups} >= {each for each in expected if len(each) > 1}
    for group in groups:
        if len(group.members) > 2:
            assert np.mean([tie.similarity for tie in group.ties]) >= threshold - 1e-6
