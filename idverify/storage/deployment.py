"""Stores the name of this deployment, in its one row; every sealed value is bound to the name: it never changes."""

from dataclasses import dataclass

from sqlalchemy import Connection

from idverify.storage.rows import RowTable
from idverify.storage.tables.administration import deployment as table


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """`deployment` is a random UUID in text."""

    deployment: str
    created_at: str


DEPLOYMENTS = RowTable(DeploymentRow, table, beside=["id"])


def find(connection: Connection) -> DeploymentRow | None:
    """The deployment, or None before `idverify keys new` named it."""
    return DEPLOYMENTS.one(connection, DEPLOYMENTS.select)


def add(connection: Connection, row: DeploymentRow) -> None:
    """Name the deployment. Raises Conflict (at the end of the transaction) when it has a name."""
    DEPLOYMENTS.add(connection, row, id=1)
