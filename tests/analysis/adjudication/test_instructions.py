"""Instructions: signed, on record, checked offline; none without a decision, and none after an erasure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.adjudication.findings import Finding
from analysis.adjudication.instructions import Instructions, as_file, check, in_file
from idverify.audit.events import EventKind
from idverify.errors import Conflict, InvalidInput, NotPermitted
from idverify.ids import CaseId, PersonId
from idverify_receipts.checking import check as check_receipt
from idverify_receipts.errors import ReceiptInvalid
from tests.commands import Commands
from tests.deployments import PAYROLL, REGISTER, access
from tests.proofs import flipped

if TYPE_CHECKING:
    from tests.analysis.adjudication.conftest import Office


@pytest.fixture
def instructions(office: Office) -> Instructions:
    return office.parts.instructions


def decide(office: Office, case: CaseId, finding: Finding = Finding.SAME_PERSON) -> None:
    for analyst in ("amara", "binta"):
        office.give(case, analyst, finding)


@pytest.mark.parametrize(
    ("finding", "action"),
    [
        (Finding.SAME_PERSON, "treat_as_one_person"),
        (Finding.DIFFERENT_PEOPLE, "keep_separate"),
        (Finding.TWINS_OR_FAMILY, "keep_separate"),
        (Finding.DATA_ERROR, "correct_record"),
    ],
)
def test_a_decision_is_exported_signed(
    office: Office, instructions: Instructions, case: CaseId, finding: Finding, action: str
) -> None:
    decide(office, case, finding)
    signed = instructions.of_case(case, office.analyst("amara"), office.by("amara"))
    claims = check(signed, office.register.engine.receipts.jwks())
    assert (claims["action"], claims["outcome"]) == (action, finding)
    assert (claims["persons"], claims["payroll"], claims["aud"]) == (["C-1", "GHOST"], [], [PAYROLL])
    assert (claims["jti"], claims["officers"], claims["decided_by"]) == (f"{case}/1", 2, "agreement")
    for person in ("C-1", "GHOST"):
        last = office.events(person)[-1]
        assert (last.event, last.clerk, last.policy) == (EventKind.CASE_INSTRUCTED, "amara", f"case/{case}")
    assert "amara" not in json.dumps(claims)


def test_nothing_is_exported_before_it_is_decided(office: Office, instructions: Instructions, case: CaseId) -> None:
    office.give(case, "amara", Finding.SAME_PERSON)
    with pytest.raises(Conflict, match="not decided"):
        instructions.of_case(case, office.analyst("amara"), office.by("amara"))
    assert instructions.batch("2026", office.lead("chanda"), office.by("chanda")) == []


def test_a_contest_suspends_what_was_instructed(office: Office, instructions: Instructions, case: CaseId) -> None:
    decide(office, case)
    office.casework.contest(case, office.analyst("amara"), 0, "I am not C-1.", office.by("amara"))
    signed = instructions.of_case(case, office.lead("chanda"), office.by("chanda"))
    claims = check(signed, office.register.engine.receipts.jwks())
    assert (claims["action"], claims["outcome"], claims["jti"]) == ("suspend", "contested", f"{case}/2")


def test_a_batch_holds_what_was_decided_since_in_the_leads_galleries(
    office: Office, instructions: Instructions, case: CaseId
) -> None:
    decide(office, case)
    lead = office.lead("chanda")
    batch = instructions.batch("2026-11-21", lead, office.by("chanda"))
    assert list(in_file(as_file(batch))) == batch
    assert [check(one, office.register.engine.receipts.jwks())["jti"] for one in batch] == [f"{case}/1"]
    assert instructions.batch("2026-11-22", lead, office.by("chanda")) == []
    elsewhere = office.analyst("chanda", lead=True, galleries=frozenset({REGISTER}))
    assert instructions.batch("2026-11-21", elsewhere, office.by("chanda")) == []
    with pytest.raises(NotPermitted):
        instructions.batch("2026-11-21", office.analyst("amara"), office.by("amara"))


def test_a_batch_leaves_out_nothing_that_the_lead_may_not_judge(
    office: Office, instructions: Instructions, case: CaseId
) -> None:
    decide(office, case)
    palesa = office.lead("palesa")  # who enrolled GHOST
    with pytest.raises(NotPermitted, match="you enrolled somebody"):
        instructions.of_case(case, palesa, office.by("palesa"))
    assert len(instructions.batch("2026-11-21", palesa, office.by("palesa"))) == 1


def test_who_was_erased_is_in_no_instruction(office: Office, instructions: Instructions, case: CaseId) -> None:
    decide(office, case)
    office.register.engine.persons.erase(PersonId("C-1"), access())
    with pytest.raises(Conflict, match="was erased"):
        instructions.of_case(case, office.analyst("amara"), office.by("amara"))
    assert instructions.batch("2026-11-21", office.lead("chanda"), office.by("chanda")) == []


def test_an_instruction_is_no_receipt_and_an_altered_one_is_not_genuine(
    office: Office, instructions: Instructions, case: CaseId
) -> None:
    decide(office, case)
    signed = instructions.of_case(case, office.analyst("amara"), office.by("amara"))
    jwks = office.register.engine.receipts.jwks()
    with pytest.raises(ReceiptInvalid):
        check_receipt(signed, jwks)
    with pytest.raises(ReceiptInvalid, match="altered"):
        check(flipped(signed), jwks)
    with pytest.raises(ReceiptInvalid, match="this is a receipt, not an instruction"):
        check(office.register.engine.receipts.sign({}), jwks)


@pytest.mark.parametrize("text", ["{", "{}", '{"instructions": "x"}', '{"instructions": [1]}'])
def test_a_file_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="expected a compact JWS"):
        list(in_file(text))


def test_the_command_says_what_is_asked_for(
    office: Office, instructions: Instructions, case: CaseId, commands: Commands, tmp_path: Path
) -> None:
    decide(office, case)
    signed = instructions.of_case(case, office.analyst("amara"), office.by("amara"))
    file, keys = tmp_path / "instruction.jws", tmp_path / "jwks.json"
    file.write_text(signed)
    keys.write_text(json.dumps(office.register.engine.receipts.jwks()))
    for options in ((), ("--jwks", keys)):
        told = commands("analysis", "instruction", "verify", file, *options)
        assert told.status == 0, told.err
        assert "GENUINE" in told.out
        assert "GHOST" in told.out
    file.write_text(as_file([signed, flipped(signed)]))
    told = commands("analysis", "instruction", "verify", file)
    assert told.status == 20
    assert "NOT GENUINE: instruction 2: the signature does not fit" in told.out
    file.write_text("{}")
    assert commands("analysis", "instruction", "verify", file).status == 2
