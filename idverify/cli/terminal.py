"""What all commands share: errors as one line, progress bars, tables, and the account of the administrator."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from idverify.access import Access
from idverify.cli.operator import account
from idverify.errors import IdverifyError, InvalidInput
from idverify.ids import RequestId
from idverify.vision.manifest import ModelSet

ERROR_EXIT = 2
WIDEST_COLUMNS = 10_000


def run(app: typer.Typer) -> None:
    """Run the command line; what the library or a file refuses is one line on stderr and a non-zero exit status."""
    try:
        app()
    except IdverifyError as error:
        complain(error)
        sys.exit(ERROR_EXIT)
    except OSError as error:
        # A file or folder that was named wrongly, or a full disk: a traceback would add nothing.
        complain(InvalidInput(f"{error.filename}: {error.strerror}" if error.filename else str(error)))
        sys.exit(ERROR_EXIT)


def complain(error: IdverifyError) -> None:
    """Say on stderr what is wrong, with the error's stable code."""
    Console(stderr=True, soft_wrap=True).print(f"[bold red]error[/] ({error.code}): ", end="")
    Console(stderr=True, soft_wrap=True).print(str(error), markup=False, highlight=False)


def print_table(table: Table) -> None:
    """Print a table to stdout: fitted to a terminal, at its full width into a file or pipe. Cells are plain text."""
    terminal = sys.stdout.isatty()
    Console(width=None if terminal else WIDEST_COLUMNS, markup=False, emoji=False).print(table)


def tell_model_set(model_set: ModelSet) -> None:
    """Say on stderr, in one line, when what runs is for demonstrations only."""
    if model_set.demonstration:
        note = f"The {model_set.name} model set is for demonstrations: it knows rendered citizens only, no real people."
        typer.echo(note, err=True)


def operator_access() -> Access:
    """An administrator at this terminal, by the name of their account."""
    return Access(request=RequestId(str(uuid4())), purpose="administration", clerk=account())


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A callback (what, done, total) that draws one bar for each `what`; it is silent when stderr is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show
