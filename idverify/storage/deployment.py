"""The one row that names this deployment; every sealed value is bound to that name, so it is never changed."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from idverify.storage.tables.administration import deployment as table


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """`deployment` is a random UUID in text."""

    deployment: str
    created_at: str


def find(connection: Connection) -> DeploymentRow | None:
    """The deployment, or None before `idverify keys new` named it."""
    row = connection.execute(select(table.c.deployment, table.c.created_at)).one_or_none()
    return None if row is None else DeploymentRow(*row)


def add(connection: Connection, row: DeploymentRow) -> None:
    """Name the deployment. Raises Conflict (at the end of the transaction) when it has a name."""
    connection.execute(insert(table).values(id=1, deployment=row.deployment, created_at=row.created_at))
