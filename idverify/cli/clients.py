"""`idverify clients …`: the agencies that may call the verification API."""

from typing import Annotated

import typer
from rich.table import Table

from idverify.administration import Administration
from idverify.cli.terminal import operator_access, print_table
from idverify.clients import Scope
from idverify.ids import client_id, gallery_id
from idverify.settings import Settings

app = typer.Typer(help="Client agencies and their keys.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help='Such as "revenue-authority".')],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeat the option for more.")],
    gallery: Annotated[list[str], typer.Option(help="On which galleries; repeat for more.")],
    purpose: Annotated[list[str], typer.Option(help='For what, such as "tax-filing"; repeat for more.')],
    sees_scores: Annotated[bool, typer.Option("--sees-scores", help="Similarities are shown to it.")] = False,
) -> None:
    """Add a client and print its key, this once."""
    with Administration.open(Settings.read()) as administration:
        known = {view.gallery for view in administration.galleries.list()}
        galleries = [gallery_id(text) for text in gallery]
        client, key = administration.clients.add(
            name,
            scopes=scope,
            galleries=galleries,
            purposes=purpose,
            sees_scores=sees_scores,
            access=operator_access(),
        )
    for missing in sorted(set(galleries) - known):
        typer.echo(f"note: there is no gallery {missing} yet", err=True)
    typer.echo(f"Client {client.client}. Its key, shown this once and not stored:", err=True)
    typer.echo(key)


@app.command("list")
def list_() -> None:
    """Show every client and what it may do."""
    table = Table("client", "state", "scopes", "galleries", "purposes", "sees scores")
    with Administration.open(Settings.read()) as administration:
        for client in administration.clients.list():
            table.add_row(
                client.client,
                "suspended" if client.suspended else "active",
                ", ".join(sorted(client.scopes)),
                ", ".join(sorted(client.galleries)),
                ", ".join(sorted(client.purposes)),
                "yes" if client.sees_scores else "no",
            )
    print_table(table)


@app.command()
def suspend(name: str) -> None:
    """Refuse a client's key from now on."""
    with Administration.open(Settings.read()) as administration:
        administration.clients.suspend(client_id(name), operator_access())
    typer.echo(f"Client {name} is suspended.")
