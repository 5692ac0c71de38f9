"""`idverify database …`: bring the schema up to date, and scrub deleted bytes."""

import typer

from idverify.errors import StorageUnavailable
from idverify.settings import Settings
from idverify.storage.database import Database

app = typer.Typer(help="The database's schema and its files.", no_args_is_help=True)


@app.command()
def migrate() -> None:
    """Create the tables, or bring them to this version's schema."""
    settings = Settings.read()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database.open(settings.database)
    database.migrate()
    database.close()
    typer.echo("The database is at this version's schema.")


@app.command()
def scrub() -> None:
    """Empty the write-ahead log, so that no byte of an erased person stays in the live files."""
    database = Database.open(Settings.read().database)
    database.require_current()
    done = database.scrub()
    database.close()
    if not done:
        raise StorageUnavailable("a reader holds an older state of the database; try again when it is done")
    typer.echo("Deleted bytes are gone from the live files.")
