"""Proposals that take two administrators: one proposes an act, another confirms it once and within 24 hours.

It decides who may confirm; `idverify.administration.dual_control` says what each act does. A proposal is compared with
the audit log, so that nobody who can only write to the database can alter, renew or confirm one.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, IdverifyError, NotPermitted, RecordRolledBack
from idverify.storage import approvals as table
from idverify.storage import audit_log
from idverify.storage.approvals import ProposalRow, ProposalState
from idverify.storage.database import Connection, Database
from idverify.stored.audit_journal import Journal

LIFETIME = timedelta(hours=24)

Result = TypeVar("Result")


class Act(StrEnum):
    """What takes two administrators."""

    CHANGE_GALLERY = "galleries.set"
    DESTROY_ROOT_KEY = "keys.destroy"
    EXPORT_AUDIT_LOG = "audit.export"


@dataclass(frozen=True, slots=True)
class Proposal:
    """An act that one administrator proposed; `log_name` and `digest` are its entry in the audit log."""

    proposal: str
    act: Act
    parameters: Mapping[str, Any]
    proposer: str
    proposed_at: str
    expires_at: str
    state: str
    decider: str | None
    log_name: str
    digest: str


@dataclass(frozen=True, slots=True)
class _Refusal:
    reason: str
    error: IdverifyError


class Approvals:
    """Records proposals and lets a second administrator confirm or withdraw them; every step is audited."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def propose(self, act: Act, parameters: Mapping[str, object], access: Access) -> Proposal:
        """Put on record what shall be done. `parameters` are plain JSON values and hold nothing personal or secret.

        Raises NotPermitted when `access` names no administrator.
        """
        now = self._journal.now()
        row = ProposalRow(
            act=act,
            parameters=json.dumps(parameters, sort_keys=True, separators=(",", ":")),
            proposer=_administrator(access),
            request=access.request,
            proposed_at=utc_text(now),
            expires_at=utc_text(now + LIFETIME),
        )
        with self._database.write() as connection:
            table.add(connection, row)
            # What was proposed stands in the leaf itself: the log must tell it without this table.
            self._record(connection, EventKind.APPROVAL_PROPOSED, row, access, reason=row.parameters)
        return _proposal(row)

    def confirm(self, proposal: str, access: Access, perform: Callable[[Connection, Proposal], Result]) -> Result:
        """Do what was proposed: `perform` runs in the transaction that closes the proposal, so it happens once or not.

        A refusal is audited. Raises NotFound, RecordRolledBack, Conflict, NotPermitted and what `perform` raises.
        """
        administrator = _administrator(access)
        with self._database.write() as connection:
            row = table.get(connection, proposal, lock=True)
            now = self._journal.now()
            refusal = _refusal(connection, proposal, row, administrator, now)
            if refusal is not None:
                self._record(connection, EventKind.APPROVAL_REFUSED, row, access, reason=refusal.reason)
            else:
                table.decide(connection, proposal, ProposalState.CONFIRMED, administrator, utc_text(now))
                self._record(connection, EventKind.APPROVAL_CONFIRMED, row, access)
                result = perform(connection, _proposal(row))
        if refusal is not None:
            raise refusal.error  # after the commit: the attempt is on record
        return result

    def withdraw(self, proposal: str, access: Access) -> None:
        """Close an open proposal undone; its proposer and every other administrator may. Raises NotFound, Conflict."""
        administrator = _administrator(access)
        with self._database.write() as connection:
            row = table.get(connection, proposal, lock=True)
            at = utc_text(self._journal.now())
            table.decide(connection, proposal, ProposalState.WITHDRAWN, administrator, at)
            self._record(connection, EventKind.APPROVAL_WITHDRAWN, row, access)

    def get(self, proposal: str) -> Proposal:
        """Raises NotFound, and RecordRolledBack when what is stored under this id is not what it was given for."""
        with self._database.read() as connection:
            found = self._seen(table.get(connection, proposal))
        if found.proposal != proposal:
            raise _altered(proposal)
        return found

    def list(self) -> tuple[Proposal, ...]:
        """Every proposal, oldest first, whatever became of it."""
        with self._database.read() as connection:
            return tuple(map(self._seen, table.all_proposals(connection)))

    def _seen(self, row: ProposalRow) -> Proposal:
        expired = row.state is ProposalState.OPEN and utc_text(self._journal.now()) >= row.expires_at
        return _proposal(row, "expired" if expired else None)

    def _record(
        self, connection: Connection, event: EventKind, row: ProposalRow, access: Access, *, reason: str | None = None
    ) -> None:
        self._journal.record(
            connection, event, access, policy=row.act, reason=reason, records={row.log_name: row.digest}
        )


def _refusal(
    connection: Connection, proposal: str, row: ProposalRow, administrator: str, now: datetime
) -> _Refusal | None:
    """The first thing that stands against a confirmation, or None."""
    proposed, settled = _logged(connection, row.log_name)
    # 1. What is stored is what was proposed: its content makes the id that was asked for, and stands in the log.
    if row.proposal != proposal or proposed != row.digest:
        return _Refusal("altered", _altered(proposal))
    # 2. Once: the row says so, and the log too, should somebody have opened the row again.
    if settled or row.state is not ProposalState.OPEN:
        return _Refusal("closed", Conflict(f"proposal {proposal} was confirmed or withdrawn before; propose again"))
    # 3. In time.
    if utc_text(now) >= row.expires_at:
        return _Refusal("expired", Conflict(f"proposal {proposal} expired at {row.expires_at}; propose again"))
    # 4. By somebody else.
    if administrator == row.proposer:
        return _Refusal(
            "same_administrator",
            NotPermitted(f"{administrator} proposed this; another administrator has to confirm it"),
        )
    return None


def _logged(connection: Connection, log_name: str) -> tuple[str | None, bool]:
    """The digest that the log holds of a proposal, and whether it was confirmed or withdrawn."""
    proposed, settled = None, False
    kinds = [EventKind.APPROVAL_PROPOSED, EventKind.APPROVAL_CONFIRMED, EventKind.APPROVAL_WITHDRAWN]
    for event in audit_log.leaves_after(connection, -1, kinds):
        if log_name in event.records:
            if event.event is EventKind.APPROVAL_PROPOSED:
                proposed = event.records[log_name]
            else:
                settled = True
    return proposed, settled


def _altered(proposal: str) -> RecordRolledBack:
    return RecordRolledBack(f"proposal {proposal} is not what the audit log says was proposed")


def _administrator(access: Access) -> str:
    if access.client is not None or not access.clerk:
        raise NotPermitted("this takes a named administrator at the command line")
    return access.clerk


def _proposal(row: ProposalRow, state: str | None = None) -> Proposal:
    return Proposal(
        proposal=row.proposal,
        act=Act(row.act),
        parameters=json.loads(row.parameters),
        proposer=row.proposer,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        state=state or row.state,
        decider=row.decider,
        log_name=row.log_name,
        digest=row.digest,
    )
