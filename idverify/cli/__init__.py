"""`idverify …`: the library's own commands. Each file holds one group of them."""

import typer

from idverify.cli import (
    approvals,
    audit,
    backup,
    clients,
    database,
    galleries,
    incident,
    keys,
    models,
    persons,
    receipt,
)
from idverify.cli.terminal import run

app = typer.Typer(
    help="Face identity verification: models, keys, galleries, persons, clients and the audit log.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for name, group in {
    "models": models.app,
    "database": database.app,
    "keys": keys.app,
    "galleries": galleries.app,
    "persons": persons.app,
    "clients": clients.app,
    "audit": audit.app,
    "receipt": receipt.app,
    "approvals": approvals.app,
    "incident": incident.app,
}.items():
    app.add_typer(group, name=name)
app.add_typer(backup.app)


def main() -> None:
    """Entry point of the `idverify` command."""
    run(app)
