"""`idverify approvals …`: what one administrator proposed and another one confirms."""

from typing import Annotated

import typer
from rich.table import Table

from idverify.administration import dual_control
from idverify.administration.approvals import Act, Proposal
from idverify.administration.deployment import Deployment
from idverify.cli.terminal import operator_access, print_table
from idverify.settings import Settings

app = typer.Typer(help="Acts that take two administrators.", no_args_is_help=True)
ProposalId = Annotated[str, typer.Argument(metavar="ID", help="As `idverify approvals list` shows it.")]


@app.command("list")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also what was confirmed, withdrawn or expired.")] = False,
) -> None:
    """Show what waits for a second administrator."""
    table = Table("proposal", "act", "what", "proposed by", "open until (UTC)", "state", "decided by")
    with Deployment.open(Settings.read()) as deployment:
        for one in deployment.approvals.list():
            if everything or one.state == "open":
                table.add_row(
                    one.proposal, one.act, _what(one), one.proposer, one.expires_at, one.state, one.decider or ""
                )
    print_table(table)


@app.command()
def confirm(proposal: ProposalId, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Do what another administrator proposed; refused to the one who proposed it."""
    with Deployment.open(Settings.read()) as deployment:
        found = deployment.approvals.get(proposal)
        typer.echo(f"{found.proposer} proposed {found.act}: {_what(found)}")
        if not yes:
            typer.confirm("Do it?", abort=True)
        typer.echo(dual_control.confirm(deployment, proposal, operator_access()))


@app.command()
def withdraw(proposal: ProposalId) -> None:
    """Close a proposal undone; every administrator may."""
    with Deployment.open(Settings.read()) as deployment:
        deployment.approvals.withdraw(proposal, operator_access())
    typer.echo(f"Proposal {proposal} is withdrawn.")


def tell(proposal: Proposal) -> None:
    """Say what was put on record and what has to happen next."""
    typer.echo(f"Nothing is done yet. {proposal.act}: {_what(proposal)}")
    typer.echo(f"Proposal {proposal.proposal} is recorded and open until {proposal.expires_at}.")
    typer.echo(f"Another administrator confirms with: idverify approvals confirm {proposal.proposal}")


def _what(proposal: Proposal) -> str:
    match proposal.act:
        case Act.CHANGE_GALLERY:
            before, after = proposal.parameters["before"], proposal.parameters["after"]
            changes = [f"{name} {before[name]} -> {after[name]}" for name in after if after[name] != before[name]]
            return f"gallery {proposal.parameters['gallery']}: {', '.join(changes)}"
        case Act.DESTROY_ROOT_KEY:
            return f"destroy root key {proposal.parameters['root']}; backups of its days never open again"
        case Act.EXPORT_AUDIT_LOG:
            return f"write the whole audit log to {proposal.parameters['out']}"
