"""`idverify backup` and `idverify restore`: a sealed copy of the whole database, and its restoration."""

from pathlib import Path
from typing import Annotated

import typer

from idverify.administration.backup import make_backup
from idverify.administration.deployment import Deployment, utc_now
from idverify.administration.restoration import LaterLog, Restored
from idverify.administration.restoration import restore as restore_backup
from idverify.cli.terminal import operator_access, progress_bar
from idverify.errors import InvalidInput
from idverify.settings import Settings
from idverify.storage.database import Database

app = typer.Typer()


@app.command()
def backup(
    out: Annotated[Path, typer.Option(help="File to write; it must not exist. It is sealed: no more keys are needed.")],
) -> None:
    """Write the whole database into a sealed file while the service runs. The root key file is not in it."""
    with Deployment.open(Settings.read()) as deployment, progress_bar() as progress:
        made = make_backup(
            deployment.database,
            deployment.settings.root_keys,
            deployment.keys,
            deployment.journal,
            operator_access(),
            out,
            progress,
        )
    typer.echo(f"{out}: {made.rows} rows, audit log of {made.leaves} leaves, {made.size_bytes} bytes, mode 0600.")
    typer.echo("It opens with the root key file of today only: keep a copy of that file, apart from the backups.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file of `idverify backup`.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="A signed checkpoint kept elsewhere: says how much the backup lacks.")
    ] = None,
    audit_export: Annotated[
        Path | None,
        typer.Option(help="A later `idverify audit export`, FILE.checkpoint beside it: its erasures are made again."),
    ] = None,
) -> None:
    """Fill an empty database from a backup; nothing is kept of it unless log and records verify."""
    settings = Settings.read()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    later = _later(checkpoint, audit_export)
    database = Database.open(settings.database)
    with progress_bar() as progress:
        restored = restore_backup(database, settings.root_keys, file, utc_now, operator_access(), progress, later)
    database.close()
    _tell(restored)


def _later(checkpoint: Path | None, audit_export: Path | None) -> LaterLog | None:
    if checkpoint is not None and audit_export is not None:
        raise InvalidInput("give --checkpoint or --audit-export, which brings its own checkpoint")
    if audit_export is not None:
        checkpoint = audit_export.with_name(f"{audit_export.name}.checkpoint")
    if checkpoint is None:
        return None
    try:
        return LaterLog(checkpoint.read_text(encoding="utf-8"), audit_export)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{checkpoint} is no signed checkpoint") from error


def _tell(restored: Restored) -> None:
    typer.echo(f"Restored as of {restored.made_at}: {restored.rows} rows; the audit log of {restored.leaves} leaves")
    typer.echo("and every record verify.")
    if restored.leaves_behind:
        typer.echo(f"The backup is older than the checkpoint by {restored.leaves_behind} leaves, which are lost.")
    for person in restored.erased_again:
        typer.echo(f"Erased again: {person}")
    if not restored.erasures_known:
        typer.echo("Who was erased after the backup is not known here and is back. Erase them again, by your own")
        typer.echo("records (`idverify persons erase NUMBER`), or restore with a later --audit-export.")
    typer.echo("Keep a checkpoint from before apart from new ones: the log goes on from the backup.")
