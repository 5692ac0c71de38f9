"""`idverify persons …`: what we hold of a person, who looked at it, and erasure."""

from typing import Annotated

import typer
from rich.table import Table

from idverify.administration.deployment import Deployment
from idverify.cli.terminal import operator_access, print_table
from idverify.ids import person_id
from idverify.settings import Settings
from idverify.storage.persons import PersonStatus

app = typer.Typer(help="Persons: show, accesses, release, status, erase.", no_args_is_help=True)
Number = Annotated[str, typer.Argument(help="The person's number.")]


@app.command()
def show(person: Number) -> None:
    """Show what is held of a person; biometric data is never shown."""
    with Deployment.open(Settings.read()) as deployment:
        view = deployment.persons.show(person_id(person), operator_access())
    table = Table(
        "encounter", "time (UTC)", "source", "galleries", "review", "quality", title=f"{view.person}: {view.status}"
    )
    for encounter in view.encounters:
        quality = "not known" if encounter.quality is None else str(encounter.quality)
        table.add_row(
            encounter.encounter,
            encounter.created_at,
            encounter.source,
            ", ".join(encounter.galleries),
            encounter.review,
            quality,
        )
    print_table(table)


@app.command()
def accesses(person: Number) -> None:
    """Show who looked at this person, when, why and with what outcome."""
    table = Table("leaf", "time (UTC)", "event", "by", "purpose", "gallery", "outcome", "reason")
    with Deployment.open(Settings.read()) as deployment:
        for view in deployment.persons.accesses(person_id(person), operator_access()):
            by = view.client or view.clerk or "the service"
            table.add_row(
                str(view.sequence),
                view.time,
                view.event,
                f"{by} at {view.station}" if view.station else by,
                view.purpose or "",
                view.gallery or "",
                view.outcome or "",
                view.reason or "",
            )
    print_table(table)


@app.command()
def release(person: Number) -> None:
    """Open verification again after too many failures in a row locked it; do so for somebody who is here in person."""
    with Deployment.open(Settings.read()) as deployment:
        deployment.persons.release(person_id(person), operator_access())
    typer.echo(f"Verification is open for {person} again; the release is in the audit log.")


@app.command()
def status(person: Number, to: Annotated[PersonStatus, typer.Argument(help="What the register says now.")]) -> None:
    """Mark a person as deceased, or as active again; a payroll check reports entries of the deceased."""
    with Deployment.open(Settings.read()) as deployment:
        deployment.persons.set_status(person_id(person), to, operator_access())
    typer.echo(f"{person} is marked as {to}; the change is in the audit log.")


@app.command()
def erase(person: Number, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Erase a person: their key, templates, images and encounters. It cannot be undone."""
    if not yes:
        typer.confirm(f"Erase {person} for good?", abort=True)
    with Deployment.open(Settings.read()) as deployment:
        receipt = deployment.persons.erase(person_id(person), operator_access())
    typer.echo(
        f"Erased: {receipt.encounters} encounters, {receipt.templates} templates, {receipt.images} images and the key "
        f"that opened them. Tombstone: leaf {receipt.audit_position} of the audit log."
    )
    typer.echo("Copies in backups go when the root key of their day is destroyed (idverify keys destroy).")
