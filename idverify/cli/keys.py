"""`idverify keys …`: make, rotate, rewrap and destroy keys."""

from typing import Annotated

import typer

from idverify import keys as ceremony
from idverify.administration import dual_control
from idverify.administration.deployment import Deployment, utc_now
from idverify.cli.approvals import tell
from idverify.cli.terminal import operator_access, progress_bar
from idverify.settings import Settings
from idverify.storage.database import Database

app = typer.Typer(help="Root and wrapping keys.", no_args_is_help=True)


@app.command()
def new() -> None:
    """Make the keys of a new deployment: a root key file (mode 0400) and the service keys that it seals."""
    settings = Settings.read()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database.open(settings.database)
    database.migrate()
    ceremony.create(database, settings.root_keys, utc_now, operator_access())
    database.close()
    typer.echo(f"Root key file {settings.root_keys} (mode 0400).")
    typer.echo("Copy it to a safe place now: without it nothing in the database opens, for anybody.")


@app.command()
def rotate() -> None:
    """Add a new root key and a new wrapping key; new persons use it at once, others after `rewrap`."""
    with Deployment.open(Settings.read()) as deployment:
        version = ceremony.rotate(
            deployment.database,
            deployment.settings.root_keys,
            deployment.keys,
            deployment.journal,
            operator_access(),
        )
    typer.echo(f"Wrapping key version {version} is current. Next:")
    typer.echo("  1. copy the root key file to its safe place again,")
    typer.echo("  2. idverify keys rewrap")


@app.command()
def rewrap() -> None:
    """Wrap every person's key by the current wrapping key; a run that was cut off goes on where it stopped."""
    with Deployment.open(Settings.read()) as deployment, progress_bar() as progress:
        done = ceremony.rewrap(deployment.database, deployment.keys, deployment.journal, operator_access(), progress)
    typer.echo(f"{done} persons' keys rewrapped; nobody is left under an older wrapping key.")


@app.command()
def destroy(root: Annotated[str, typer.Argument(help="Id of a previous root key, as in the root key file.")]) -> None:
    """Propose to destroy a previous root key: backups made in its days can never be opened again."""
    with Deployment.open(Settings.read()) as deployment:
        tell(dual_control.propose_root_destruction(deployment, root, operator_access()))
