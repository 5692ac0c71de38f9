"""Signs instructions, which tell a payroll or register what was decided; an instruction does nothing by itself.

It says what was found about which numbers and what follows for the records; the office that has the records acts on it,
under its own law. It is a compact JWS by the answer-signing key, checked offline as receipts are, of a type of its own.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from analysis.adjudication.casework import Casework, OpenCase, refuse_erased
from analysis.adjudication.findings import Finding
from analysis.adjudication.reviewer import Reviewer, ReviewRefusal
from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.errors import Conflict, InvalidInput, NotPermitted
from idverify.ids import CaseId
from idverify.receipts import Receipts
from idverify.storage import cases
from idverify.storage.cases import CaseState
from idverify.storage.database import Connection, Database
from idverify.stored.audit_journal import Journal
from idverify_receipts.checking import check_signed
from idverify_receipts.errors import ReceiptInvalid

TYPE = "idverify-instruction+jwt"
LIFETIME = timedelta(days=30)
"""After that it has to be asked for again, because the person may have contested it meanwhile."""
_CLAIMS = ("iss", "aud", "jti", "iat", "exp", "outcome", "action", "persons", "payroll", "officers", "audit_position")


class Action(StrEnum):
    """What the office that has the records is asked to do."""

    TREAT_AS_ONE_PERSON = "treat_as_one_person"
    KEEP_SEPARATE = "keep_separate"
    CORRECT_RECORD = "correct_record"
    NO_ACTION = "no_action"
    SUSPEND = "suspend"
    """The person contests an earlier instruction on this case: undo nothing yet, and do nothing more."""


_ACTIONS: Mapping[Finding, Action] = {
    Finding.SAME_PERSON: Action.TREAT_AS_ONE_PERSON,
    Finding.DIFFERENT_PEOPLE: Action.KEEP_SEPARATE,
    Finding.TWINS_OR_FAMILY: Action.KEEP_SEPARATE,
    Finding.DATA_ERROR: Action.CORRECT_RECORD,
    Finding.CANNOT_TELL: Action.NO_ACTION,
}


class Instructions:
    """Signs instructions; each is a leaf of every person whom it names."""

    def __init__(self, database: Database, journal: Journal, casework: Casework, receipts: Receipts) -> None:
        """`receipts` signs the instructions with the deployment's answer-signing key."""
        self._database = database
        self._journal = journal
        self._casework = casework
        self._receipts = receipts

    def of_case(self, case: CaseId, reviewer: Reviewer, access: Access) -> str:
        """The instruction of one case. Raises NotFound, NotPermitted, and Conflict while there is none to give."""

        def act(connection: Connection, opened: OpenCase) -> str:
            return self._sign(connection, opened, access)

        return self._casework.with_case(case, reviewer, access, act, refuse=_refuse)

    def batch(self, since: str, reviewer: Reviewer, access: Access) -> list[str]:
        """Those of all cases decided at or after `since` (UTC text) or contested after a decision, for lead analysts.

        Raises NotPermitted.
        """
        if not reviewer.lead:
            raise NotPermitted("a lead analyst exports instructions in a batch")
        with self._database.read() as connection:
            rows = cases.decided_since(connection, reviewer.galleries, since)

        def act(connection: Connection, opened: OpenCase) -> str | None:
            return None if opened.evidence is None else self._sign(connection, opened, access)  # erased meanwhile

        # Also of cases that this lead analyst may not judge: nothing of them is shown but what was decided.
        signed = (self._casework.with_case(row.case, reviewer, access, act, shown=False) for row in rows)
        return [one for one in signed if one is not None]

    def _sign(self, connection: Connection, opened: OpenCase, access: Access) -> str:
        assert opened.evidence is not None  # noqa: S101  refused before
        row, now = opened.row, self._journal.now()
        decided = row.state is CaseState.DECIDED and row.finding is not None
        positions = [
            self._casework.record(connection, EventKind.CASE_INSTRUCTED, opened, access, opened_person)
            for opened_person in opened.opened_persons
        ] or [self._casework.record(connection, EventKind.CASE_INSTRUCTED, opened, access)]
        claims = {
            "aud": list(row.galleries),
            "jti": f"{row.case}/{row.round}",
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "outcome": row.finding if decided else "contested",
            "action": _ACTIONS[Finding(row.finding)] if decided and row.finding else Action.SUSPEND,
            "persons": sorted(opened_person.row.person for opened_person in opened.opened_persons),
            "payroll": sorted(member.payroll for member in opened.evidence.members if member.payroll),
            "decided_at": row.decided_at,
            "decided_by": row.decided_by,
            "officers": sum(one.round == row.round for one in opened.opinions),
            "audit_position": positions[0],
        }
        return self._receipts.sign(claims, type_=TYPE)


def check(instruction: str, jwks: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a genuine instruction; whether it has expired is for the caller to see in `exp`.

    Raises ReceiptInvalid saying what is wrong, InvalidInput when `jwks` is no JWK set.
    """
    claims = check_signed(instruction, jwks, type_=TYPE, required=_CLAIMS)
    if not all(type(claims[name]) is int for name in ("iat", "exp", "audit_position")):
        raise ReceiptInvalid("expected whole numbers for iat, exp and audit_position")
    return claims


def as_file(instructions: list[str]) -> str:
    """A batch as JSON, as `in_file` takes it."""
    return json.dumps({"type": TYPE, "instructions": instructions}, indent=1) + "\n"


def in_file(text: str) -> Iterator[str]:
    """The instructions in a file: a compact JWS, or a batch. Raises InvalidInput."""
    if not text.startswith("{"):
        yield text
        return
    try:
        content = json.loads(text)
        found = content["instructions"]
    except (ValueError, RecursionError, KeyError, TypeError):
        found = None
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InvalidInput("instructions: expected a compact JWS, or a JSON object with a list of them")
    yield from found


def _refuse(opened: OpenCase) -> ReviewRefusal | None:
    erased = refuse_erased(opened)
    if erased is not None:
        return erased
    if opened.row.state is not CaseState.DECIDED and opened.row.round == 1:
        return ReviewRefusal(
            "undecided", Conflict("this case is not decided; an instruction follows from a decision only")
        )
    return None
