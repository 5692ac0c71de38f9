"""`idverify clients …`: the agencies that may call the verification API, and what they prove themselves by."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from idverify.administration.deployment import Deployment
from idverify.cli.terminal import operator_access, print_table
from idverify.clients.agencies import MOST, Scope
from idverify.clients.credentials import Credential
from idverify.errors import InvalidInput
from idverify.ids import client_id, gallery_id
from idverify.settings import Settings

app = typer.Typer(help="Client agencies, their keys and certificates.", no_args_is_help=True)
keys = typer.Typer(help="What a client proves itself by: added, rotated, revoked.", no_args_is_help=True)
app.add_typer(keys, name="keys")

PublicKeyFile = Annotated[
    Path | None,
    typer.Option("--public-key", help="PEM or JWK file: the client signs assertions and has no key of ours."),
]
CertificateFile = Annotated[
    Path | None, typer.Option("--certificate", help="PEM file: the client must show this certificate.")
]
Days = Annotated[
    int | None, typer.Option("--expires-in-days", min=1, help="Else it is valid until rotated or revoked.")
]

Quota = Annotated[int | None, typer.Option(min=1, max=MOST)]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help='Such as "revenue-authority".')],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeat the option for more.")],
    gallery: Annotated[list[str], typer.Option(help="On which galleries; repeat for more.")],
    purpose: Annotated[list[str], typer.Option(help='For what, such as "tax-filing"; repeat for more.')],
    sees_scores: Annotated[bool, typer.Option("--sees-scores", help="Similarities are shown to it.")] = False,
    public_key: PublicKeyFile = None,
    certificate: CertificateFile = None,
    expires_in_days: Days = None,
) -> None:
    """Add a client and print its key, this once; with --public-key, the issuer to which it addresses assertions."""
    proofs = [
        *([] if public_key is None else [Credential.of_public_key(public_key.read_bytes())]),
        *([] if certificate is None else [Credential.of_certificate(certificate.read_bytes())]),
    ]
    galleries = [gallery_id(text) for text in gallery]
    with Deployment.open(Settings.read()) as deployment:
        known = {view.gallery for view in deployment.galleries.list()}
        _, key = deployment.clients.add(
            name,
            scopes=scope,
            galleries=galleries,
            purposes=purpose,
            sees_scores=sees_scores,
            access=operator_access(),
            proofs=proofs,
            lifetime=_lifetime(expires_in_days),
        )
        issuer = deployment.issuer
    for missing in sorted(set(galleries) - known):
        typer.echo(f"note: there is no gallery {missing} yet", err=True)
    if key:
        typer.echo(_shown_once(name, key))
        return
    typer.echo(f"Client {name}. It addresses its assertions to this issuer:", err=True)
    typer.echo(issuer)


@app.command("list")
def list_() -> None:
    """Show every client and what it may do."""
    table = Table("client", "state", "scopes", "galleries", "purposes", "sees scores", "requests/min", "searches/day")
    with Deployment.open(Settings.read()) as deployment:
        settings = deployment.settings
        for client in deployment.clients.list():
            table.add_row(
                client.client,
                "suspended" if client.suspended else "active",
                ", ".join(sorted(client.scopes)),
                ", ".join(sorted(client.galleries)),
                ", ".join(sorted(client.purposes)),
                "yes" if client.sees_scores else "no",
                _quota(client.requests_per_minute, settings.requests_per_client_per_minute),
                _quota(client.identifications_per_day, settings.identifications_per_client_per_day),
            )
    print_table(table)


@app.command()
def suspend(name: str) -> None:
    """Refuse everything that a client proves itself by, and its tokens, from now on."""
    with Deployment.open(Settings.read()) as deployment:
        deployment.clients.suspend(client_id(name), operator_access())
    typer.echo(f"Client {name} is suspended.")


@app.command()
def resume(name: str) -> None:
    """Let a suspended client in again, by what has not expired or been revoked."""
    with Deployment.open(Settings.read()) as deployment:
        deployment.clients.resume(client_id(name), operator_access())
    typer.echo(f"Client {name} is active.")


@app.command()
def limit(
    name: str,
    requests_per_minute: Quota = None,
    identifications_per_day: Quota = None,
) -> None:
    """Set how much a client may ask, from now on; what is not named goes back to what holds for all."""
    with Deployment.open(Settings.read()) as deployment:
        deployment.clients.limit(
            client_id(name),
            operator_access(),
            requests_per_minute=requests_per_minute,
            identifications_per_day=identifications_per_day,
        )
        settings = deployment.settings
    requests = _quota(requests_per_minute, settings.requests_per_client_per_minute)
    searches = _quota(identifications_per_day, settings.identifications_per_client_per_day)
    typer.echo(f"Client {name}: {requests} requests a minute, {searches} searches a day.")


@keys.command("list")
def list_keys(name: str) -> None:
    """Show what a client proves itself by, and until when."""
    table = Table("credential", "kind", "since", "until")
    with Deployment.open(Settings.read()) as deployment:
        for row in deployment.client_keys.list(client_id(name)):
            table.add_row(row.credential, row.kind, row.created_at, row.expires_at or "rotated or revoked")
    print_table(table)


@keys.command("add")
def add_key(
    name: str, public_key: PublicKeyFile = None, certificate: CertificateFile = None, expires_in_days: Days = None
) -> None:
    """Add one more public key or certificate, or a secret key, which is printed this once."""
    client, proof, lifetime = client_id(name), _one_proof(public_key, certificate), _lifetime(expires_in_days)
    with Deployment.open(Settings.read()) as deployment:
        if proof is None:
            typer.echo(_shown_once(name, deployment.client_keys.add_secret(client, operator_access(), lifetime)))
        else:
            deployment.client_keys.add(client, proof, operator_access(), lifetime)
            typer.echo(f"Client {name} has the {proof.kind} {proof.name} now.")


@keys.command()
def rotate(
    name: str,
    public_key: PublicKeyFile = None,
    certificate: CertificateFile = None,
    grace_hours: Annotated[int, typer.Option(min=0, help="How long the ones before it stay valid.")] = 24,
) -> None:
    """Put a new secret key, public key or certificate in the place of those of its kind, after a period of grace."""
    client, proof, grace = client_id(name), _one_proof(public_key, certificate), timedelta(hours=grace_hours)
    with Deployment.open(Settings.read()) as deployment:
        if proof is None:
            typer.echo(_shown_once(name, deployment.client_keys.rotate_secret(client, operator_access(), grace)))
        else:
            deployment.client_keys.rotate(client, proof, operator_access(), grace)
            typer.echo(f"Client {name} has the {proof.kind} {proof.name} now.")
    typer.echo(f"Those before it are refused in {grace_hours} hours.", err=True)


@keys.command()
def revoke(name: str, credential: Annotated[str, typer.Argument(help="As `clients keys list` shows it.")]) -> None:
    """Refuse one credential, and the tokens that were got by it, from now on."""
    with Deployment.open(Settings.read()) as deployment:
        deployment.client_keys.revoke(client_id(name), credential, operator_access())
    typer.echo(f"Client {name} is refused with {credential} from now on.")


def _one_proof(public_key: Path | None, certificate: Path | None) -> Credential | None:
    """The credential of the file that was named; None: a secret key is wanted. Raises InvalidInput."""
    if public_key is not None and certificate is not None:
        raise InvalidInput("expected --public-key or --certificate, one at a time")
    if public_key is not None:
        return Credential.of_public_key(public_key.read_bytes())
    return None if certificate is None else Credential.of_certificate(certificate.read_bytes())


def _lifetime(days: int | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)


def _quota(own: int | None, of_all: int) -> str:
    return f"{of_all} (default)" if own is None else str(own)


def _shown_once(name: str, key: str) -> str:
    typer.echo(f"Client {name}. Its key, shown this once and not stored:", err=True)
    return key
