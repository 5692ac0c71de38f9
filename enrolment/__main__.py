"""`python -m enrolment …`: enrol one person or many, check a printed receipt, manage staff accounts and stations.

It decides nothing itself: each command opens the deployment, calls one flow and prints what came of it.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from enrolment import composition
from enrolment.bulk_import import FAILED, BulkImport
from enrolment.enroller import EnrolmentOutcome, EnrolmentRequest, EnrolmentResult
from enrolment.station.receipt_codes import ReceiptCodes
from idverify.administration.deployment import Deployment
from idverify.cli.spreadsheet import write_csv
from idverify.cli.terminal import operator_access, print_table, progress_bar, run, tell_model_set
from idverify.engine import Engine
from idverify.errors import InvalidInput
from idverify.ids import EncounterId, gallery_id, person_id
from idverify.settings import Settings
from staff.accounts.command import staff, stations

app = typer.Typer(
    help="Put people into galleries.", no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False
)
app.add_typer(staff, name="staff")
app.add_typer(stations, name="stations")
MOVED = ("duplicates", "payroll", "report", "instruction")
"""Commands that `python -m analysis` has; for one release they say so here."""
GalleryName = Annotated[str, typer.Option("--gallery", help="The gallery; make one with `idverify galleries add`.")]
REFUSED_EXIT = 3


@app.command()
def enrol(
    photographs: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="1 to 10 frames of one capture.")],
    gallery: GalleryName,
    person: Annotated[str, typer.Option(help="The person's number.")],
) -> None:
    """Enrol one visit of one person; of several photographs the best is taken.

    Exit status: 0 enrolled (perhaps for review), 3 refused, 2 an error.
    """
    frames = [_read(path) for path in photographs]
    with progress_bar() as progress, Engine.open(Settings.read(), progress=progress) as engine:
        tell_model_set(engine.deployment.model_set)
        request = EnrolmentRequest(person_id(person), gallery_id(gallery), frames, operator_access(), source="cli")
        answer = composition.enroller(engine).enrol(request)
    _tell(answer)
    if answer.outcome is EnrolmentOutcome.REFUSED:
        raise typer.Exit(REFUSED_EXIT)


@app.command()
def receipt(
    code: Annotated[str, typer.Argument(help="The code on the printed receipt of an enrolment station.")],
    person: Annotated[str, typer.Option(help="The person's number on it.")],
    encounter: Annotated[str, typer.Option("--encounter", "--visit", help="The visit number on it.")],
) -> None:
    """Say whether a printed receipt is genuine. Exit status: 0 genuine, 3 not."""
    with Deployment.open(Settings.read()) as deployment:
        codes = ReceiptCodes(deployment.keys.keyring)
    if not codes.fits(code, person_id(person), EncounterId(encounter.strip().lower())):
        typer.echo("Not genuine: this code does not belong to this person and visit.")
        raise typer.Exit(REFUSED_EXIT)
    typer.echo("Genuine: a station of this deployment gave this receipt for this person and visit.")


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="A folder a person, or a CSV with the columns person, photograph.")],
    gallery: GalleryName,
    refused: Annotated[Path, typer.Option(help="CSV to write of what was refused and why.")] = Path("refused.csv"),
) -> None:
    """Import photographs; interrupted, it goes on where it stopped when you run it again."""
    with progress_bar() as progress, Engine.open(Settings.read(), progress=progress) as engine:
        tell_model_set(engine.deployment.model_set)
        bulk = composition.bulk_import(engine, gallery_id(gallery), source, operator_access())
        try:
            summary = bulk.run(progress)
        except KeyboardInterrupt:
            typer.echo("Stopped. What was imported stays; run the same command again to go on.", err=True)
            raise typer.Exit(130) from None
        table = Table("outcome", "reason", "photographs", title=f"{summary.total} photographs into {gallery}")
        for (outcome, reason), number in sorted(summary.outcomes.items(), key=str):
            table.add_row(outcome, reason or "", str(number))
        print_table(table)
        if summary.skipped:
            typer.echo(f"{summary.skipped} were done by an earlier run or stand in the source twice.")
        if summary.count(EnrolmentOutcome.REFUSED) + summary.count(FAILED):
            rows = _write_refused(bulk, refused)
            typer.echo(f"{rows} were refused or failed: see {refused}. Mend them and run the same command again.")


def _say_where_it_went(context: typer.Context) -> None:
    given = " ".join([str(context.info_name), *context.args])
    raise InvalidInput(f"this command has moved; run: python -m analysis {given}")


for name in MOVED:
    app.command(
        name,
        hidden=True,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(_say_where_it_went)


def _write_refused(bulk: BulkImport, path: Path) -> int:
    rows = []
    for item in bulk.refused():
        place, _, advice = (item.detail or "").partition("\t")
        person = item.person or item.item.partition(": ")[2]
        rows.append((place, person, item.outcome, item.reason or "", advice))
    write_csv(path, ["place", "person", "outcome", "reason", "what to do"], rows)
    return len(rows)


def _tell(answer: EnrolmentResult) -> None:
    if answer.outcome is EnrolmentOutcome.REFUSED:
        typer.echo(f"Refused: {answer.reason}.")
    else:
        typer.echo(f"Enrolled {answer.person} in {answer.gallery} as encounter {answer.encounter}.")
    if answer.outcome is EnrolmentOutcome.NEEDS_REVIEW:
        typer.echo(
            f"Marked for review: {', '.join(answer.review_reasons)}. An analyst decides; nobody is refused for it."
        )
    if answer.verdict is not None:
        typer.echo(f"Quality {answer.verdict.score} of 100.")
    for advice in answer.advice:
        typer.echo(f"Advice: {advice.text}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"photograph {path}: {error.strerror}") from error


if __name__ == "__main__":
    run(app)
