"""Stores proposals that wait for a second administrator, and what became of them; it does not judge who may approve."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, update

from idverify.errors import Conflict, NotFound
from idverify.protection.logged_row import LoggedRow, logged
from idverify.storage.rows import RowTable
from idverify.storage.tables.administration import approvals as table

ID_DIGITS = 16


class ProposalState(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


_WHAT_BECAME_OF_IT = "its digest is of what was proposed, by whom and until when, not of what became of it"


@logged("approvals", "proposal", left_out=dict.fromkeys(("state", "decider", "decided_at"), _WHAT_BECAME_OF_IT))
@dataclass(frozen=True, slots=True)
class ProposalRow(LoggedRow):
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
    def proposal(self) -> str:
        """Its id, the head of its digest: one id never stands for two different proposals."""
        return self.digest[:ID_DIGITS]


PROPOSALS = RowTable(ProposalRow, table, beside=["proposal"])


def add(connection: Connection, row: ProposalRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    PROPOSALS.add(connection, row, proposal=row.proposal)


def get(connection: Connection, proposal: str, *, lock: bool = False) -> ProposalRow:
    """`lock` holds the row until the transaction ends (PostgreSQL; SQLite's writers are alone). Raises NotFound."""
    query = PROPOSALS.select.where(table.c.proposal == proposal)
    row = PROPOSALS.one(connection, query.with_for_update() if lock else query)
    if row is None:
        raise NotFound(f"no proposal {proposal[:40]!r}; `idverify approvals list` shows them")
    return row


def all_proposals(connection: Connection) -> list[ProposalRow]:
    """Every proposal, oldest first."""
    return PROPOSALS.all(connection, PROPOSALS.select.order_by(table.c.proposed_at, table.c.proposal))


def decide(connection: Connection, proposal: str, state: ProposalState, decider: str, decided_at: str) -> None:
    """Close an open proposal. Raises Conflict when it is not open any more."""
    closed = (
        update(table)
        .where(table.c.proposal == proposal, table.c.state == ProposalState.OPEN)
        .values(state=state, decider=decider, decided_at=decided_at)
    )
    if not connection.execute(closed).rowcount:
        raise Conflict(f"proposal {proposal} is not open any more")
