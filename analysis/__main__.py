"""`python -m analysis …`: what a fraud analyst does at a terminal: searches, payroll checks, reports, instructions."""

import typer

from analysis.adjudication import instruction_command
from analysis.deduplication import commands as deduplication
from idverify.cli.terminal import run

app = typer.Typer(
    help="Find one face behind several identities.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(deduplication.duplicates, name="duplicates")
app.add_typer(deduplication.payroll, name="payroll")
app.add_typer(deduplication.report, name="report")
app.add_typer(instruction_command.app, name="instruction")

if __name__ == "__main__":
    run(app)
