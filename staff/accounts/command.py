"""`python -m enrolment staff …` and `… stations …`: accounts and stations, as an administrator manages them."""

from typing import Annotated

import typer
from rich.table import Table

from idverify.administration.deployment import Deployment
from idverify.cli.terminal import operator_access, print_table
from idverify.ids import gallery_id, staff_id, station_id
from idverify.settings import Settings
from staff.accounts.accounts import LANGUAGES, Account, Role
from staff.accounts.composition import Staff

staff = typer.Typer(help="Accounts of clerks, supervisors and analysts.", no_args_is_help=True)
stations = typer.Typer(help="Enrolment stations: computers that may take photographs.", no_args_is_help=True)


@staff.command("add")
def add_staff(
    name: Annotated[str, typer.Argument(help='Account name, such as "clerk.one".')],
    display_name: Annotated[str, typer.Option("--display-name", help="The person's own name, as pages show it.")],
    role: Annotated[list[Role], typer.Option(help="What they are there for; repeat the option for more.")],
    gallery: Annotated[list[str], typer.Option(help="In which galleries they may work; repeat for more.")],
    language: Annotated[str, typer.Option(help=f"Of the pages: {', '.join(LANGUAGES)}.")] = "en",
) -> None:
    """Add an account and print the one-time code of its first sign-in, this once."""
    with Deployment.open(Settings.read()) as deployment:
        known = {view.gallery for view in deployment.galleries.list()}
        galleries = [gallery_id(text) for text in gallery]
        code = Staff.of(deployment).accounts.add(
            staff_id(name),
            display_name=display_name,
            roles=role,
            galleries=galleries,
            language=language,
            access=operator_access(),
        )
    for missing in sorted(set(galleries) - known):
        typer.echo(f"note: there is no gallery {missing} yet", err=True)
    _tell_code(f"Account {name}", code, "/staff/first-sign-in")


@staff.command("change")
def change_staff(
    name: str,
    role: Annotated[list[Role] | None, typer.Option(help="All roles from now on; repeat for more.")] = None,
    gallery: Annotated[list[str] | None, typer.Option(help="All galleries from now on; repeat for more.")] = None,
) -> None:
    """Give an account other roles or galleries in the place of those that it has."""
    with Deployment.open(Settings.read()) as deployment:
        Staff.of(deployment).accounts.change(
            staff_id(name),
            roles=role or (),
            galleries=[gallery_id(text) for text in gallery or ()],
            access=operator_access(),
        )
    typer.echo(f"Account {name} is changed.")


@staff.command("list")
def list_staff() -> None:
    """Show every account, what it may do, and how it signs in."""
    table = Table("account", "name", "state", "roles", "galleries", "signs in by")
    with Deployment.open(Settings.read()) as deployment:
        for account in Staff.of(deployment).accounts.list():
            table.add_row(
                account.staff,
                account.display_name,
                "suspended" if account.suspended else "active",
                ", ".join(sorted(account.roles)),
                ", ".join(sorted(account.galleries)),
                _signs_in_by(account),
            )
    print_table(table)


@staff.command("suspend")
def suspend_staff(name: str) -> None:
    """Let nobody in by this account, and end its sessions, from now on."""
    with Deployment.open(Settings.read()) as deployment:
        Staff.of(deployment).accounts.suspend(staff_id(name), operator_access())
    typer.echo(f"Account {name} is suspended.")


@staff.command("resume")
def resume_staff(name: str) -> None:
    """Let a suspended account in again, by what it signed in with before."""
    with Deployment.open(Settings.read()) as deployment:
        Staff.of(deployment).accounts.resume(staff_id(name), operator_access())
    typer.echo(f"Account {name} is active.")


@staff.command("recover")
def recover_staff(name: str) -> None:
    """For somebody who cannot get in: end their password, passkeys and sessions, and print a one-time code."""
    with Deployment.open(Settings.read()) as deployment:
        code = Staff.of(deployment).accounts.recover(staff_id(name), operator_access())
    _tell_code(f"Account {name}", code, "/staff/first-sign-in")


@stations.command("add")
def add_station(
    name: Annotated[str, typer.Argument(help='Such as "maseru-2".')],
    gallery: Annotated[str, typer.Option(help="Into which people are enrolled there.")],
) -> None:
    """Add a station and print its activation code, this once; a supervisor enters it in the browser of the station."""
    with Deployment.open(Settings.read()) as deployment:
        code = Staff.of(deployment).stations.add(station_id(name), gallery_id(gallery), operator_access())
    _tell_code(f"Station {name}", code, "/staff/stations/activate")


@stations.command("list")
def list_stations() -> None:
    """Show every station."""
    table = Table("station", "gallery", "state", "activated")
    with Deployment.open(Settings.read()) as deployment:
        for station in Staff.of(deployment).stations.list():
            state = "suspended" if station.suspended else "active"
            table.add_row(station.station, station.gallery, state, "yes" if station.activated else "no")
    print_table(table)


@stations.command("renew")
def renew_station(name: str) -> None:
    """Forget the browser that is this station, and print a code to activate another one."""
    with Deployment.open(Settings.read()) as deployment:
        code = Staff.of(deployment).stations.renew(station_id(name), operator_access())
    _tell_code(f"Station {name}", code, "/staff/stations/activate")


@stations.command("suspend")
def suspend_station(name: str) -> None:
    """Take nothing from this station from now on."""
    with Deployment.open(Settings.read()) as deployment:
        Staff.of(deployment).stations.suspend(station_id(name), operator_access())
    typer.echo(f"Station {name} is suspended.")


@stations.command("resume")
def resume_station(name: str) -> None:
    """Take what a suspended station sends again."""
    with Deployment.open(Settings.read()) as deployment:
        Staff.of(deployment).stations.resume(station_id(name), operator_access())
    typer.echo(f"Station {name} is active.")


def _tell_code(whose: str, code: str, page: str) -> None:
    typer.echo(f"{whose}. Its one-time code for {page}, valid for 24 hours, shown this once and not stored:", err=True)
    typer.echo(code)


def _signs_in_by(account: Account) -> str:
    return ", ".join(sorted(account.signs_in_by)) or "nothing: `staff recover`"
