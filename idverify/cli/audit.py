"""`idverify audit …`: verify the log, export it, and print what is needed to check it elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from idverify.administration import dual_control
from idverify.administration.deployment import Deployment
from idverify.cli.approvals import tell
from idverify.cli.terminal import complain, operator_access, progress_bar
from idverify.errors import (
    AuditBroken,
    InvalidInput,
    LeafAltered,
    LeafMissing,
    LeafReordered,
    LogForked,
    RecordRolledBack,
)
from idverify.settings import Settings
from idverify.storage import audit_log, audit_verification, record_check

app = typer.Typer(help="The audit log.", no_args_is_help=True)

EXIT_STATUS: dict[type[AuditBroken], int] = {LeafAltered: 10, LeafMissing: 11, LeafReordered: 12, LogForked: 13}
OTHER_FAULT = 14
RECORDS_DIFFER = 15


@app.command()
def verify(
    checkpoint: Annotated[
        Path | None, typer.Option(help="A signed checkpoint kept elsewhere: finds a log that was rebuilt as a whole.")
    ] = None,
    records: Annotated[bool, typer.Option(help="Hold every stored record against the log, too.")] = True,
) -> None:
    """Recompute the whole log.

    Exit status: 0 all is well, 10 a leaf was altered, 11 one is missing, 12 reordered, 13 the log is forked, 14 it is
    broken otherwise, 15 stored records are not as the log last saw them.
    """
    kept = None if checkpoint is None else _read(checkpoint)
    with Deployment.open(Settings.read()) as deployment, progress_bar() as progress:
        signer = deployment.keys.checkpoint_signer
        with deployment.database.read() as connection:
            try:
                log = audit_verification.verify(
                    connection,
                    signer,
                    kept=kept,
                    progress=lambda done, total: progress("Verifying leaves", done, total),
                )
            except AuditBroken as error:
                complain(error)
                raise typer.Exit(EXIT_STATUS.get(type(error), OTHER_FAULT)) from None
            try:
                differing = list(record_check.discrepancies(connection)) if records else []
            except RecordRolledBack as error:
                complain(error)
                raise typer.Exit(RECORDS_DIFFER) from None
    typer.echo(f"The audit log verifies: {log.size} leaves, root {log.root}.")
    for found in differing:
        typer.echo(f"{found.log_name}: {found.fault}", err=True)
    if differing:
        raise typer.Exit(RECORDS_DIFFER)


@app.command()
def export(
    out: Annotated[Path, typer.Option(help="File to write; the checkpoint goes beside it as FILE.checkpoint.")],
) -> None:
    """Propose to write every leaf as a line of JSON, as it was hashed, with the signed checkpoint that covers them."""
    with Deployment.open(Settings.read()) as deployment:
        tell(dual_control.propose_export(deployment, out, operator_access()))


@app.command()
def checkpoint() -> None:
    """Print the newest signed checkpoint. Keep it where the database's administrators cannot write."""
    with Deployment.open(Settings.read()) as deployment, deployment.database.read() as connection:
        typer.echo(audit_log.checkpoint(connection) or "", nl=False)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"checkpoint file {path}: {error}") from error
