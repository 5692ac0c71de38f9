"""`idverify receipt …`: says whether a signed answer is genuine and what it claims; it needs no service or network.

The checks and the words are those of `idverify_receipts`; what this adds is this deployment's own keys.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from idverify.administration.deployment import Deployment
from idverify.cli.terminal import print_table
from idverify.settings import Settings
from idverify_receipts.errors import ReceiptInvalid
from idverify_receipts.verdict import (
    NOT_GENUINE_EXIT,
    claim_rows,
    false_verdict,
    genuine_claims,
    genuine_verdict,
    keys_in,
    text_in,
)

app = typer.Typer(help="Receipts: the signed answers that agencies keep.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `verify` a command of its own although it is the only one."""


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="The receipt (compact JWS), or the whole answer as JSON.")],
    jwks: Annotated[
        Path | None, typer.Option(help="Keys as /.well-known/jwks.json gave them; without it, this deployment's own.")
    ] = None,
    photograph: Annotated[
        Path | None, typer.Option(help="The photograph that was asked about, to compare with the receipt's digest.")
    ] = None,
    audience: Annotated[str | None, typer.Option(help="The client that the answer must be for.")] = None,
) -> None:
    """Say whether a receipt is genuine and what it claims. Exit status 0: genuine (expired or not); 20: not."""
    try:
        claims = genuine_claims(text_in(file), given_keys(jwks), photograph=photograph, audience=audience)
    except ReceiptInvalid as error:
        typer.echo(false_verdict(error))
        raise typer.Exit(NOT_GENUINE_EXIT) from None
    table = Table("claim", "value", title="what the receipt says")
    for name, value in claim_rows(claims):
        table.add_row(name, value)
    print_table(table)
    typer.echo(genuine_verdict(claims, datetime.now(UTC)))


def given_keys(jwks: Path | None) -> dict[str, Any]:
    """The JWK set of a file, or without one this deployment's own keys. Raises InvalidInput."""
    if jwks is not None:
        return keys_in(jwks)
    with Deployment.open(Settings.read()) as deployment:
        return dict(deployment.keys.receipts.jwks())
