"""`idverify models …`: list the pinned model files, fetch them, and check what is there."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from idverify.cli.terminal import print_table, progress_bar
from idverify.errors import IdverifyError, InvalidInput
from idverify.settings import Settings
from idverify.vision import download
from idverify.vision.manifest import REFERENCE, ModelSet, load_manifest

app = typer.Typer(help="Model files: pinned by sha256, fetched from their public source.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """Show every file of every set, and where it is."""
    settings = Settings.read()
    files = settings.model_files
    table = Table("set", "role", "file", "size", "licence", "state")
    for model_set in load_manifest().sets.values():
        for file in model_set.files.values():
            try:
                files.open_checked(file)
                state = str(files.locate(file).parent)
            except IdverifyError as error:
                state = error.code
            size = f"{file.size_bytes / 1e6:.1f} MB"
            table.add_row(model_set.name, file.role, file.name, size, file.licence, state)
    print_table(table)


@app.command()
def pull(
    source: Annotated[
        Path | None, typer.Option("--from", help="Take the files from this folder instead of their public source.")
    ] = None,
) -> None:
    """Fetch the reference set, or the one that IDVERIFY_MODEL_SET names: what is not there yet, each file checked."""
    settings = Settings.read()
    wanted = load_manifest().set(settings.model_set or REFERENCE)
    if not any(file.source_url for file in wanted.files.values()):
        raise InvalidInput(f"the {wanted.name} set comes with idverify; there is nothing to pull")
    with progress_bar() as progress:
        download.pull(wanted, settings.model_cache_dir, progress=progress, source_dir=source)
    typer.echo(f"The {wanted.name} set is in {settings.model_cache_dir}, checked.")


@app.command()
def check(quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing when all is well.")] = False) -> None:
    """Check every file of the model set in use against its sha256."""
    settings = Settings.read()
    files = settings.model_files
    for file in _model_set(settings).files.values():
        files.open_checked(file)
        if not quiet:
            typer.echo(f"{file.name}: as pinned, in {files.locate(file).parent}")


def _model_set(settings: Settings) -> ModelSet:
    return load_manifest().choose(settings.model_set, settings.model_files)
