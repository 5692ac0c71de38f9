"""`idverify galleries …`: make and list galleries."""

from typing import Annotated

import typer
from rich.table import Table

from idverify.administration import Administration
from idverify.cli.terminal import operator_access, print_table
from idverify.galleries import GalleryPolicy
from idverify.ids import gallery_id
from idverify.settings import Settings
from idverify.vision.reader import AttackCheck

app = typer.Typer(help="Galleries and their policies.", no_args_is_help=True)
DEFAULT = GalleryPolicy()


@app.command()
def add(
    gallery: Annotated[str, typer.Argument(help='A name such as "civil-register".')],
    demonstration: Annotated[
        bool, typer.Option("--demonstration", help="Holds rendered citizens: thresholds calibrated on such.")
    ] = False,
    verification_fmr: Annotated[float, typer.Option(help="False match rate of 1:1.")] = DEFAULT.verification_fmr,
    identification_fpir: Annotated[
        float, typer.Option(help="False positive rate of a 1:N search.")
    ] = DEFAULT.identification_fpir,
    duplicate_fpir: Annotated[
        float, typer.Option(help="The same for the duplicate check at enrolment.")
    ] = DEFAULT.duplicate_fpir,
    presentation_attack: Annotated[
        AttackCheck, typer.Option(help="off, advise (report it) or require (refuse when suspected or not evaluated).")
    ] = DEFAULT.presentation_attack,
    keep_images: Annotated[bool, typer.Option(help="Keep photographs, sealed.")] = DEFAULT.keep_images,
) -> None:
    """Make an empty gallery."""
    policy = GalleryPolicy(verification_fmr, identification_fpir, duplicate_fpir, presentation_attack, keep_images)
    with Administration.open(Settings.read()) as administration:
        administration.galleries.add(
            gallery_id(gallery), demonstration=demonstration, policy=policy, access=operator_access()
        )
    typer.echo(f"Gallery {gallery} is ready.")


@app.command("list")
def list_() -> None:
    """Show every gallery with its size and policy."""
    table = Table("gallery", "people", "references", "faces of", "1:1 FMR", "1:N FPIR", "presentation attack", "images")
    with Administration.open(Settings.read()) as administration:
        for view in administration.galleries.list():
            table.add_row(
                view.gallery,
                str(view.people),
                str(view.references),
                "rendered citizens (demonstration)" if view.demonstration else "people",
                f"{view.policy.verification_fmr:g}",
                f"{view.policy.identification_fpir:g}",
                view.policy.presentation_attack,
                "kept, sealed" if view.policy.keep_images else "not kept",
            )
    print_table(table)
