"""What follows from opinions: every combination, by rule."""

from itertools import product

import pytest

from analysis.adjudication.findings import WITH_EFFECT, DecidedBy, Finding, Opinion, RoundState, settle
from idverify.storage.cases import CaseState


def peer(name: str, finding: Finding) -> Opinion:
    return Opinion(name, finding, lead=False)


def lead(name: str, finding: Finding) -> Opinion:
    return Opinion(name, finding, lead=True)


def test_a_case_is_open_until_two_analysts_have_spoken() -> None:
    assert settle([]) == RoundState(CaseState.OPEN)
    for finding in Finding:
        assert settle([peer("amara", finding)]) == RoundState(CaseState.HALF)


@pytest.mark.parametrize(("first", "second"), list(product(Finding, Finding)))
def test_two_who_agree_decide_and_two_who_do_not_escalate(first: Finding, second: Finding) -> None:
    round_state = settle([peer("amara", first), peer("binta", second)])
    if first == second != Finding.CANNOT_TELL:
        assert round_state == RoundState(CaseState.DECIDED, first, DecidedBy.AGREEMENT)
    else:
        assert round_state == RoundState(CaseState.ESCALATED)


@pytest.mark.parametrize(("first", "second", "third"), list(product(Finding, Finding, Finding)))
def test_a_finding_with_effect_always_rests_on_two_people(first: Finding, second: Finding, third: Finding) -> None:
    opinions = [peer("amara", first), peer("binta", second)]
    if settle(opinions).state is not CaseState.ESCALATED:
        return
    round_state = settle([*opinions, lead("chanda", third)])
    if third in WITH_EFFECT and third not in (first, second):
        assert round_state == RoundState(CaseState.ESCALATED)
        seconded = settle([*opinions, lead("chanda", third), lead("dayo", third)])
        assert seconded == RoundState(CaseState.DECIDED, third, DecidedBy.LEAD)
        other = settle([*opinions, lead("chanda", third), lead("dayo", Finding.DIFFERENT_PEOPLE)])
        assert other == RoundState(CaseState.DECIDED, Finding.DIFFERENT_PEOPLE, DecidedBy.LEAD)
    else:
        assert round_state == RoundState(CaseState.DECIDED, third, DecidedBy.LEAD)
