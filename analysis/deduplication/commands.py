"""`python -m analysis duplicates …`, `payroll …` and `report …`: what an analyst does at a terminal."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from analysis.deduplication import report_files, report_page, wording
from analysis.deduplication.archive import Reports, check
from analysis.deduplication.composition import DeduplicationParts, payroll_check_of
from analysis.deduplication.roster import Column, read_roster
from idverify.access import Progress
from idverify.administration.deployment import Deployment
from idverify.cli.receipt import given_keys
from idverify.cli.terminal import operator_access, print_table, progress_bar
from idverify.engine import Engine
from idverify.errors import InvalidInput
from idverify.ids import gallery_id
from idverify.settings import Settings
from idverify.vision.decoder_pool import DecoderPool
from idverify_receipts.errors import ReceiptInvalid
from idverify_receipts.verdict import NOT_GENUINE_EXIT

duplicates = typer.Typer(help="Find one face behind several identities.", no_args_is_help=True)
payroll = typer.Typer(help="Check a payroll roster against a gallery.", no_args_is_help=True)
report = typer.Typer(help="Reports of searches and checks: list, export, verify.", no_args_is_help=True)

GalleryName = Annotated[str, typer.Option("--gallery", help="The gallery.")]
Fmr = Annotated[float | None, typer.Option(help="False match rate of one comparison, such as 1e-6.")]
Budget = Annotated[float | None, typer.Option(help="False pairs that can be reviewed; the threshold follows.")]
Search = Annotated[str, typer.Argument(help="The search's id, as `duplicates list` shows it.")]
ReportId = Annotated[str, typer.Argument(help="The report's id, as `report list` shows it.")]


@duplicates.command()
def search(
    gallery: GalleryName,
    against: Annotated[str | None, typer.Option(help="Another gallery to search against; none: itself.")] = None,
    fmr: Fmr = None,
    budget: Budget = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would cost.")] = False,
) -> None:
    """Search a gallery for one face behind several identities; interrupted, `duplicates resume` goes on."""
    with progress_bar() as progress, Engine.open(Settings.read(), progress=progress) as engine:
        parts = DeduplicationParts.of(engine.deployment)
        other = None if against is None else gallery_id(against)
        plan = parts.searches.plan(gallery_id(gallery), against=other, fmr=fmr, budget=budget)
        typer.echo(f"{wording.announced(plan.expectation)} Policy {plan.policy}.")
        if not dry_run:
            _run(parts, parts.searches.start(plan, operator_access()), progress)


@duplicates.command()
def resume(search: Search) -> None:
    """Go on with a search that was cut off; blocks that are done are not done again."""
    with progress_bar() as progress, Engine.open(Settings.read(), progress=progress) as engine:
        _run(DeduplicationParts.of(engine.deployment), search, progress)


@duplicates.command()
def cancel(search: Search) -> None:
    """Drop a search and all that it found so far."""
    with Deployment.open(Settings.read()) as deployment:
        DeduplicationParts.of(deployment).searches.cancel(search, operator_access())
    typer.echo("Cancelled; nothing of the search is left but its lines in the audit log.")


@duplicates.command("list")
def list_() -> None:
    """Show every search and how far it is."""
    table = Table("search", "started (UTC)", "gallery", "against", "blocks", "state", "report")
    with Deployment.open(Settings.read()) as deployment:
        for view in DeduplicationParts.of(deployment).searches.list():
            done = f"{view.blocks_done} of {view.blocks or '?'}"
            names = (view.plan.gallery, view.plan.against or "itself")
            table.add_row(view.search, view.started_at, *names, done, view.state, view.report or "")
    print_table(table)


@payroll.command("check")
def check_payroll(
    roster: Annotated[Path, typer.Argument(help="CSV of payroll number, person number, photograph.")],
    gallery: GalleryName,
    fmr: Fmr = None,
    budget: Budget = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Which heading is which: payroll=EmpNo, person=NIN, photograph=File.")
    ] = None,
) -> None:
    """Check each payroll number's face against the others and against the gallery."""
    read = read_roster(roster, _columns(column or []))
    typer.echo(f"{len(read.entries):,} entries, {len(read.defects):,} rows or cells that cannot be used. {read.told}")
    for defect in read.defects:
        typer.echo(f"line {defect.line}{f', {defect.column}' if defect.column else ''}: {defect.told}", err=True)
    with progress_bar() as progress, Engine.open(Settings.read(), progress=progress) as engine:
        made = payroll_check_of(engine).run(
            read, gallery_id(gallery), operator_access(), progress, fmr=fmr, budget=budget
        )
        _tell(DeduplicationParts.of(engine.deployment).reports, made)


@report.command("list")
def list_reports() -> None:
    """Show every report."""
    table = Table("report", "made (UTC)", "kind", "galleries")
    with Deployment.open(Settings.read()) as deployment:
        for view in DeduplicationParts.of(deployment).reports.list():
            table.add_row(view.report, view.made_at, view.kind, ", ".join(view.galleries))
    print_table(table)


@report.command()
def export(
    report: ReportId,
    html: Annotated[Path | None, typer.Option(help="One self-contained page.")] = None,
    pdf: Annotated[Path | None, typer.Option(help="The same page on A4.")] = None,
    csv: Annotated[Path | None, typer.Option(help="A row for each identity and finding.")] = None,
    json: Annotated[Path | None, typer.Option(help="The signed content.")] = None,
) -> None:
    """Write a report into files. Everybody whom it shows gets a line in their access log."""
    if not any((html, pdf, csv, json)):
        raise InvalidInput("report export: expected at least one of --html, --pdf, --csv, --json")
    settings = Settings.read()
    with Deployment.open(settings) as deployment:
        reports = DeduplicationParts.of(deployment).reports
        shown = reports.read(report, operator_access())
        if html or pdf:
            with DecoderPool(1) as decoder:
                faces = report_page.as_data(reports.faces(shown), decoder)
            if html:
                html.write_text(report_page.html(shown, faces), encoding="utf-8")
            if pdf:
                pdf.write_bytes(report_page.pdf(shown, faces))
        if csv:
            csv.write_text(report_files.as_csv(shown), encoding="utf-8", newline="")
        if json:
            json.write_bytes(report_files.as_json(shown))
    typer.echo("Written. These files hold personal data: pass them on sealed, and destroy them after use.")


@report.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The JSON or the HTML file.")],
    jwks: Annotated[
        Path | None, typer.Option(help="Keys as /.well-known/jwks.json gave them; without it, this deployment's own.")
    ] = None,
) -> None:
    """Say offline whether a report is what was signed. Exit status 0: genuine; 20: not."""
    content = file.read_bytes()
    try:
        parsed = report_files.parse(content)
        claims = check(parsed, given_keys(jwks))
        if content.lstrip().startswith(b"<") and not report_page.shows(content.decode(errors="replace"), parsed):
            raise ReceiptInvalid("its signed content is genuine, but the page does not show what it says")
    except ReceiptInvalid as error:
        typer.echo(f"NOT GENUINE: {error}")
        raise typer.Exit(NOT_GENUINE_EXIT) from None
    head = parsed.head
    typer.echo(f"Report {head.report} of deployment {claims['iss']}, made {head.made_at}.")
    typer.echo(f"{len(parsed.clusters)} clusters, {len(parsed.findings)} findings, {parsed.gone} gone with an erasure.")
    typer.echo("GENUINE" + (": photographs are not part of the signature" if content.lstrip()[:1] == b"<" else ""))


def _run(parts: DeduplicationParts, search: str, progress: Progress) -> None:
    try:
        made = parts.searches.run(search, operator_access(), progress)
    except KeyboardInterrupt:
        typer.echo(f"Stopped. Go on with: python -m analysis duplicates resume {search}", err=True)
        raise typer.Exit(130) from None
    _tell(parts.reports, made)


def _tell(reports: Reports, made: str) -> None:
    totals = reports.opened(made).head.totals
    found = ", ".join(f"{number:,} {kind}" for kind, number in sorted(totals.items())) or "nothing"
    typer.echo(f"Report {made}: {found}.")
    typer.echo(f"See it with: python -m analysis report export {made} --html report.html --pdf report.pdf")


def _columns(named: list[str]) -> dict[Column, str]:
    columns = {}
    for each in named:
        ours, given, theirs = each.partition("=")
        if not given or ours not in set(Column):
            raise InvalidInput(f"--column: expected {', '.join(Column)}, = and a heading, such as payroll=EmpNo")
        columns[Column(ours)] = theirs
    return columns
