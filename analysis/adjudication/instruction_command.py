"""`python -m analysis instruction …`: checks whether an instruction is genuine; it asks no service and no network."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from analysis.adjudication.instructions import check, in_file
from idverify.cli.receipt import given_keys
from idverify.cli.terminal import print_table
from idverify.errors import InvalidInput
from idverify_receipts.errors import ReceiptInvalid
from idverify_receipts.verdict import NOT_GENUINE_EXIT

MAX_BYTES = 64 * 1024 * 1024

app = typer.Typer(help="Instructions: what analysts decided, signed for a payroll or register.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `verify` a command of its own although it is the only one."""


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="An instruction (compact JWS), or a batch of them as JSON.")],
    jwks: Annotated[
        Path | None, typer.Option(help="Keys as /.well-known/jwks.json gave them; without it, this deployment's own.")
    ] = None,
) -> None:
    """Say what each instruction asks for. Exit status 0: all are genuine (expired or not); 20: one is not."""
    try:
        with file.open(encoding="utf-8") as stream:
            text = stream.read(MAX_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: expected a file of instructions that can be read") from error
    keys = given_keys(jwks)
    table = Table("case", "action", "persons", "payroll numbers", "decided", "good until")
    false = 0
    for number, instruction in enumerate(in_file(text), start=1):
        try:
            claims = check(instruction, keys)
        except ReceiptInvalid as error:
            false += 1
            typer.echo(f"NOT GENUINE: instruction {number}: {error}")
            continue
        table.add_row(
            claims["jti"],
            claims["action"],
            " ".join(claims["persons"]),
            " ".join(claims["payroll"]),
            claims.get("decided_at") or "contested",
            _until(claims["exp"]),
        )
    print_table(table)
    if false:
        raise typer.Exit(NOT_GENUINE_EXIT)
    typer.echo("GENUINE")


def _until(expires_at_s: int) -> str:
    until = datetime.fromtimestamp(expires_at_s, UTC)
    day = until.strftime("%Y-%m-%d")
    return day if until > datetime.now(UTC) else f"{day} (expired)"
