"""`idverify incident …`: reports whose data an incident touched, and contains it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from idverify.administration import incidents
from idverify.administration.containment import Containment
from idverify.administration.deployment import Deployment
from idverify.administration.incidents import IncidentQuery, IncidentReport, Touched
from idverify.cli.spreadsheet import write_csv
from idverify.cli.terminal import operator_access, print_table, progress_bar
from idverify.errors import InvalidInput
from idverify.ids import client_id, gallery_id
from idverify.settings import Settings

app = typer.Typer(help="Breaches: whom to notify, and how to contain them.", no_args_is_help=True)
COLUMNS = ("person", "first (UTC)", "last (UTC)", "events", "by")
LOG_IN_DOUBT = 14


@app.command()
def report(
    client: Annotated[str | None, typer.Option(help="What this client did.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="2026-11-21 or 2026-11-21T09:30, UTC.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The same; a day is meant as a whole.")] = None,
    gallery: Annotated[str | None, typer.Option(help="What was done in this gallery.")] = None,
    station: Annotated[str | None, typer.Option(help="What was done at this station.")] = None,
    clerk: Annotated[str | None, typer.Option(help="What this clerk or administrator did.")] = None,
    key_version: Annotated[int | None, typer.Option(help="Whose key this wrapping key ever wrapped.")] = None,
    csv: Annotated[Path | None, typer.Option(help="New file for the list, for a spreadsheet (mode 0600).")] = None,
    json: Annotated[Path | None, typer.Option(help="New file for the report as JSON (mode 0600).")] = None,
) -> None:
    """List the people whose data was touched; the report itself is on record.

    Exit status: 0, or 14 when the audit log does not verify, so that the list may lack people.
    """
    query = IncidentQuery(
        since=None if since is None else moment(since, end=False),
        until=None if until is None else moment(until, end=True),
        client=None if client is None else client_id(client),
        gallery=None if gallery is None else gallery_id(gallery),
        station=station,
        clerk=clerk,
        key_version=key_version,
    )
    with Deployment.open(Settings.read()) as deployment, progress_bar() as progress:
        for path in filter(None, (csv, json)):
            path.touch(mode=0o600, exist_ok=False)  # before the work: a list that was made must find its place
        found = incidents.report(deployment, query, operator_access(), progress)
    if json is not None:
        json.write_bytes(found.document)
    if csv is not None:
        write_csv(csv, COLUMNS, map(_row, found.persons))
    _tell(found)
    if found.fault is not None:
        raise typer.Exit(LOG_IN_DOUBT)


@app.command()
def contain(
    client: Annotated[list[str] | None, typer.Option(help="Suspend this client; repeat for more.")] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Rotate the keys and rewrap everybody.")] = False,
) -> None:
    """Suspend clients, rotate the keys and rewrap everybody; cut off, the same command goes on where it stopped."""
    names = [client_id(name) for name in client or ()]
    with Deployment.open(Settings.read()) as deployment, progress_bar() as progress:
        containment = Containment.begin(deployment, names, rotate, operator_access(), progress)
        try:
            containment.run()
        finally:
            _tell_steps(containment)
        roots = containment.roots_to_destroy()
    if rotate:
        typer.echo("Next, by hand: copy the root key file to its safe place again.")
    for root in roots:
        typer.echo(f"When no backup of its days is needed any more: idverify keys destroy {root}")


def _tell_steps(containment: Containment) -> None:
    remaining = containment.remaining
    for step in containment.steps:
        typer.echo(f"{'remains' if step.what in remaining else 'done'}: {step.what}")
    if remaining:
        typer.echo("Run the same command again to go on.", err=True)


def _tell(found: IncidentReport) -> None:
    table = Table(*COLUMNS, title=f"Incident report {found.incident}")
    for touched in found.persons:
        table.add_row(*_row(touched))
    print_table(table)
    typer.echo(f"{len(found.persons)} people to notify, of {found.leaves} leaves read.")
    if found.erased:
        typer.echo(f"{found.erased} more were touched and are erased: nobody knows who they were.")
    if found.unresolved:
        typer.echo(f"{found.unresolved} more are in the log but in no table and were never erased.", err=True)
    for kind, number in found.other_events.items():
        typer.echo(f"Events that name nobody: {kind}, {number} times.")
    if found.fault is not None:
        typer.echo(f"THE LIST MAY LACK PEOPLE: the audit log does not verify. {found.fault}", err=True)


def _row(touched: Touched) -> tuple[str, ...]:
    events = ", ".join(f"{kind} x{number}" for kind, number in touched.events.items())
    return touched.person, touched.first, touched.last, events, ", ".join(touched.by)


def moment(text: str, *, end: bool) -> datetime:
    """A time in UTC; a day without a time stands for its beginning, or for its end."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"time: expected 2026-11-21 or 2026-11-21T09:30 (UTC), got {text[:40]!r}") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return at + timedelta(days=1) if end and len(text) == len("2026-11-21") else at
