"""`idverify receipt …`: says whether a signed answer is genuine and what it claims; it needs no service or network."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from idverify.administration.deployment import Deployment
from idverify.cli.terminal import print_table
from idverify.errors import InvalidInput
from idverify.protection.keyring import ServiceKeyKind
from idverify.receipts import MAX_CHARACTERS, ReceiptInvalid, Receipts, agree, check
from idverify.settings import Settings

NOT_GENUINE_EXIT = 20

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
    text = _text(file)
    try:
        claims = _genuine(text, given_keys(jwks), photograph, audience)
    except ReceiptInvalid as error:
        typer.echo(f"NOT GENUINE: {error}")
        raise typer.Exit(NOT_GENUINE_EXIT) from None
    table = Table("claim", "value", title="what the receipt says")
    for name, value in sorted(claims.items()):
        table.add_row(name, _time_text(value) if name in ("iat", "exp") else _plain(value))
    print_table(table)
    expired = claims["exp"] <= datetime.now(UTC).timestamp()
    typer.echo("GENUINE" + (": it has expired, so it proves a past answer and allows no new decision" * expired))


def _genuine(text: str, keys: dict[str, Any], photograph: Path | None, audience: str | None) -> dict[str, Any]:
    # 1. The signature; and of a whole answer, that its fields are those that were signed.
    answer: dict[str, Any] | None = None
    if text.startswith("{"):
        answer = _json(text)
        if answer is None:
            raise ReceiptInvalid("the answer is not a JSON object")
        text = str(answer.get("receipt", ""))
    claims = check(text, keys)
    if answer is not None:
        agree(answer, claims)
    # 2. Whom it is for.
    if audience is not None and claims["aud"] != audience:
        raise ReceiptInvalid("it is for another client")
    # 3. The photograph that it is about.
    if photograph is not None:
        digest = hashlib.sha256(photograph.read_bytes()).hexdigest()
        if claims["request_digest"] != f"sha256:{digest}":
            raise ReceiptInvalid("it is about another photograph")
    return claims


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as stream:
            return stream.read(2 * MAX_CHARACTERS).strip()
    except UnicodeDecodeError:
        return ""  # which `check` refuses as no receipt


def given_keys(jwks: Path | None) -> dict[str, Any]:
    """The JWK set of a file, or without one this deployment's own keys. Raises InvalidInput."""
    if jwks is not None:
        try:
            keys = _json(jwks.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            keys = None
        if keys is None:
            raise InvalidInput(f"{jwks}: expected a JWK set, as /.well-known/jwks.json gives it")
        return keys
    with Deployment.open(Settings.read()) as deployment:
        own = deployment.keys
        return dict(Receipts(own.keyring.every_version(ServiceKeyKind.ANSWER_SIGNING), own.deployment).jwks())


def _json(text: str) -> dict[str, Any] | None:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _time_text(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
