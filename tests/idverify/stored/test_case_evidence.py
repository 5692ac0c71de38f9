"""What a case is made of: its stored form stays readable, and its strength is told in bands only."""

import pytest

from idverify.ids import EncounterId, GalleryId, PersonId
from idverify.storage.encounters import EncounterRow
from idverify.stored.case_evidence import Evidence, Link, Member, Pattern, Strength, member_of_encounter, strength_of

EVIDENCE = Evidence(
    members=(
        Member(PersonId("C-1"), GalleryId("payroll"), encounter=EncounterId("e-1"), clerk="thabo", quality=93),
        Member(None, None, payroll="E-9", line=9),
    ),
    links=(Link(0, 1, 0.91, 2.5e-7, False, True),),
    patterns=(Pattern("clerk", "thabo", 8, 13, 1.8, 0.0003),),
    reasons=("possible_duplicate",),
    policy="payroll/duplicate-search/fmr-1e-06",
)
STORED = (
    b'{"members":[{"person":"C-1","gallery":"payroll","payroll":null,"line":null,"encounter":"e-1","captured_at":null,'
    b'"source":null,"client":null,"clerk":"thabo","station":null,"quality":93,"status":null,"image":null},'
    b'{"person":null,"gallery":null,"payroll":"E-9","line":9,"encounter":null,"captured_at":null,"source":null,'
    b'"client":null,"clerk":null,"station":null,"quality":null,"status":null,"image":null}],'
    b'"links":[{"left":0,"right":1,"similarity":0.91,"fmr":2.5e-7,"at_most":false,"found":true}],'
    b'"patterns":[{"kind":"clerk","value":"thabo","seen":8,"among":13,"expected":1.8,"chance":0.0003}],'
    b'"reasons":["possible_duplicate"],"policy":"payroll/duplicate-search/fmr-1e-06"}'
)


def test_evidence_has_one_stored_form() -> None:
    assert EVIDENCE.as_json() == STORED
    assert Evidence.parse(STORED) == EVIDENCE


@pytest.mark.parametrize(
    ("fmrs", "strength"),
    [
        ((1e-6,), Strength.VERY_STRONG),
        ((1.1e-6,), Strength.STRONG),
        ((1e-4, 0.3), Strength.STRONG),
        ((1.1e-4,), Strength.MODERATE),
        ((), Strength.MODERATE),
    ],
)
def test_the_most_alike_pair_gives_the_strength(fmrs: tuple[float, ...], strength: Strength) -> None:
    assert strength_of(Link(0, 1, 0.8, fmr, False, True) for fmr in fmrs) is strength


def test_scores_are_not_in_a_links_repr() -> None:
    assert repr(EVIDENCE.links[0]) == "Link(left=0, right=1, at_most=False, found=True)"


@pytest.mark.parametrize(("detail", "quality"), [({"quality": 88}, 88), ({"quality": None}, None), ({}, None)])
def test_an_encounter_is_shown_with_the_quality_that_was_kept(detail: dict[str, object], quality: int | None) -> None:
    row = EncounterRow(
        encounter=EncounterId("e-1"),
        person=PersonId("C-1"),
        created_at="2026-11-21T09:30:00.000Z",
        source="station",
        galleries=(GalleryId("payroll"), GalleryId("civil-register")),
        clerk="thabo",
        station="maseru-1",
    )
    assert member_of_encounter(row, detail) == Member(
        PersonId("C-1"),
        GalleryId("payroll"),
        encounter=EncounterId("e-1"),
        captured_at="2026-11-21T09:30:00.000Z",
        source="station",
        clerk="thabo",
        station="maseru-1",
        quality=quality,
    )
