"""`idverify galleries …`: make and list galleries, and propose other thresholds for them."""

from dataclasses import replace
from typing import Annotated, Any

import typer
from rich.filesize import decimal
from rich.table import Table

from idverify.administration import dual_control
from idverify.administration.deployment import Deployment
from idverify.administration.migration import Migration
from idverify.cli.approvals import tell
from idverify.cli.terminal import operator_access, print_table, progress_bar
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import gallery_id
from idverify.settings import Settings
from idverify.vision.manifest import load_manifest
from idverify.vision.reader import AttackCheck, Reader
from idverify.vision.runtime import Runtime

app = typer.Typer(help="Galleries and their policies.", no_args_is_help=True)
DEFAULT = GalleryPolicy()
UNREADABLE_EXIT = 3
LegalBases = Annotated[list[str] | None, typer.Option(help="A code that clerks choose from; name it for each.")]
PersonPattern = Annotated[str | None, typer.Option(help="Regular expression that a person's number must match.")]
AllowFiles = Annotated[bool | None, typer.Option(help="Stations may take a photograph from a file.")]
CaptureTries = Annotated[int | None, typer.Option(help="Failed captures before a failure to enrol may be recorded.")]


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
    legal_basis: LegalBases = None,
    person_pattern: PersonPattern = None,
    allow_files: AllowFiles = None,
    capture_tries: CaptureTries = None,
) -> None:
    """Make an empty gallery."""
    rates = (verification_fmr, identification_fpir, duplicate_fpir)
    at_stations = _at_stations(legal_basis, person_pattern, allow_files, capture_tries)
    policy = replace(GalleryPolicy(*rates, presentation_attack, keep_images), **at_stations)
    with Deployment.open(Settings.read()) as deployment:
        deployment.galleries.add(
            gallery_id(gallery), demonstration=demonstration, policy=policy, access=operator_access()
        )
    typer.echo(f"Gallery {gallery} is ready.")


@app.command("set")
def set_(
    gallery: Annotated[str, typer.Argument(help="An existing gallery.")],
    verification_fmr: Annotated[float | None, typer.Option(help="False match rate of 1:1.")] = None,
    identification_fpir: Annotated[float | None, typer.Option(help="False positive rate of a 1:N search.")] = None,
    duplicate_fpir: Annotated[float | None, typer.Option(help="The same for the duplicate check at enrolment.")] = None,
    presentation_attack: Annotated[AttackCheck | None, typer.Option(help="off, advise or require.")] = None,
    keep_images: Annotated[bool | None, typer.Option(help="Keep photographs, sealed, from now on.")] = None,
    legal_basis: LegalBases = None,
    person_pattern: PersonPattern = None,
    allow_files: AllowFiles = None,
    capture_tries: CaptureTries = None,
) -> None:
    """Propose other thresholds or another policy for a gallery; what you do not name stays."""
    asked = {
        "verification_fmr": verification_fmr,
        "identification_fpir": identification_fpir,
        "duplicate_fpir": duplicate_fpir,
        "presentation_attack": presentation_attack,
        "keep_images": keep_images,
    }
    at_stations = _at_stations(legal_basis, person_pattern, allow_files, capture_tries)
    changes = {name: value for name, value in asked.items() if value is not None} | at_stations
    with Deployment.open(Settings.read()) as deployment:
        tell(dual_control.propose_gallery_change(deployment, gallery_id(gallery), changes, operator_access()))


@app.command()
def migrate(
    gallery: Annotated[str, typer.Argument(help="An existing gallery whose photographs are kept.")],
    to: Annotated[str, typer.Option("--to", help="The model set that it moves to, such as reference.")],
) -> None:
    """Move a gallery to another model set: read its kept photographs again. Interrupted, run it again to go on.

    Until it is done the gallery belongs to the set that it had, and services of that set answer as before; a service of
    the new set can search whoever has moved. Exit status: 0 done, 3 some photographs show the new set no face.
    """
    settings = Settings.read()
    target = load_manifest().set(to)
    with progress_bar() as progress, Deployment.open(settings) as deployment:
        reader = Reader.open(target, settings.model_files, Runtime(settings.threads))
        result = Migration(deployment, target, reader).run(gallery_id(gallery), operator_access(), progress)
    typer.echo(f"{result.moved} encounters of gallery {gallery} were read again by the {to} set.")
    if not result.done:
        typer.echo("In the photographs of these encounters it finds no face; enrol or erase their people:", err=True)
        for encounter in result.unreadable:
            typer.echo(encounter, err=True)
        raise typer.Exit(UNREADABLE_EXIT)
    typer.echo(f"The gallery belongs to it now; {result.removed} old templates are removed.")
    typer.echo(f"Start its services with IDVERIFY_MODEL_SET={to}.")


@app.command("list")
def list_() -> None:
    """Show every gallery with its size, the memory it takes in a running service, and its policy."""
    sizes, policy = ("people", "references", "memory"), ("1:1 FMR", "1:N FPIR", "presentation attack", "images")
    table = Table("gallery", *sizes, "faces of", *policy)
    with Deployment.open(Settings.read()) as deployment:
        for view in deployment.galleries.list():
            size = deployment.galleries.size(view.gallery)
            table.add_row(
                view.gallery,
                str(size.people),
                str(size.references),
                decimal(size.memory_bytes),
                "rendered citizens (demonstration)" if view.demonstration else "people",
                f"{view.policy.verification_fmr:g}",
                f"{view.policy.identification_fpir:g}",
                view.policy.presentation_attack,
                "kept, sealed" if view.policy.keep_images else "not kept",
            )
    print_table(table)


def _at_stations(
    legal_bases: list[str] | None, person_pattern: str | None, allow_files: bool | None, capture_tries: int | None
) -> dict[str, Any]:
    """The named options as fields of `GalleryPolicy`."""
    asked = {
        "legal_bases": tuple(legal_bases) if legal_bases else None,
        "person_pattern": person_pattern,
        "allow_files": allow_files,
        "capture_tries": capture_tries,
    }
    return {name: value for name, value in asked.items() if value is not None}
