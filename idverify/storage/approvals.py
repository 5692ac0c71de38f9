"""Proposals that wait for a second administrator; it stores them and what became of them, and judges nothing."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, insert, select, update

from idverify.errors import Conflict, NotFound
from idverify.protection.canonical import record_digest
from idverify.storage.tables.administration import approvals as table

ID_DIGITS = 16


class ProposalState(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """`parameters` is canonical JSON; times are UTC text as `utc_text` writes it; `request` makes every digest new."""

    act: str
    parameters: str
    proposer: str
    request: str
    proposed_at: str
    expires_at: str
    state: ProposalState = ProposalState.OPEN
    decider: str | None = None
    decided_at: str | None = None

    @property
    def digest(self) -> str:
        """sha256 (hex) over everything that was proposed, by whom and until when; not over what became of it."""
        return record_digest(
            "approvals", self.act, self.parameters, self.proposer, self.request, self.proposed_at, self.expires_at
        )

    @property
    def proposal(self) -> str:
        """Its id, the head of its digest: one id never stands for two different proposals."""
        return self.digest[:ID_DIGITS]

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return approval_log_name(self.proposal)


def approval_log_name(proposal: str) -> str:
    return f"approvals/{proposal}"


def add(connection: Connection, row: ProposalRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    connection.execute(
        insert(table).values(
            proposal=row.proposal,
            act=row.act,
            parameters=row.parameters,
            proposer=row.proposer,
            request=row.request,
            proposed_at=row.proposed_at,
            expires_at=row.expires_at,
            state=row.state,
            decider=row.decider,
            decided_at=row.decided_at,
        )
    )


def get(connection: Connection, proposal: str, *, lock: bool = False) -> ProposalRow:
    """`lock` holds the row until the transaction ends (PostgreSQL; SQLite's writers are alone). Raises NotFound."""
    query = select(table).where(table.c.proposal == proposal)
    rows = _select(connection, query.with_for_update() if lock else query)
    if not rows:
        raise NotFound(f"no proposal {proposal[:40]!r}; `idverify approvals list` shows them")
    return rows[0]


def all_proposals(connection: Connection) -> list[ProposalRow]:
    """Every proposal, oldest first."""
    return _select(connection, select(table).order_by(table.c.proposed_at, table.c.proposal))


def decide(connection: Connection, proposal: str, state: ProposalState, decider: str, decided_at: str) -> None:
    """Close an open proposal. Raises Conflict when it is not open any more."""
    closed = (
        update(table)
        .where(table.c.proposal == proposal, table.c.state == ProposalState.OPEN)
        .values(state=state, decider=decider, decided_at=decided_at)
    )
    if not connection.execute(closed).rowcount:
        raise Conflict(f"proposal {proposal} is not open any more")


def _select(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[ProposalRow]:
    return [
        ProposalRow(
            act=row.act,
            parameters=row.parameters,
            proposer=row.proposer,
            request=row.request,
            proposed_at=row.proposed_at,
            expires_at=row.expires_at,
            state=ProposalState(row.state),
            decider=row.decider,
            decided_at=row.decided_at,
        )
        for row in connection.execute(query)
    ]
