"""`python -m demo`: set a deployment up in a temporary folder, tell the story, clean up."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from demo.cast import cast
from demo.service import DemoDeployment
from demo.story import Story
from idverify.cli.terminal import run, tell_model_set
from idverify.settings import Settings
from idverify.vision.manifest import load_manifest

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def tell(
    photos: Annotated[Path | None, typer.Option(help="Your own photographs, a folder a person.")] = None,
) -> None:
    """Tell the main job as a story, on rendered citizens or on your own photographs."""
    console = Console(width=None if sys.stdout.isatty() else 100)
    settings = Settings.read()
    tell_model_set(load_manifest().choose(settings.model_set, settings.model_files))
    started = time.perf_counter()
    with console.status("Drawing the citizens" if photos is None else "Reading the photographs"):
        company = cast(photos)
    with tempfile.TemporaryDirectory(prefix="idverify-demo-") as folder:
        try:
            Story(DemoDeployment(Path(folder)), company, console).play()
        except RuntimeError as error:
            console.print(f"[bold red]The story stopped:[/] {error}")
            raise typer.Exit(1) from None
    console.print(f"\nThe whole story took {time.perf_counter() - started:.0f} s.")


if __name__ == "__main__":
    run(app)
