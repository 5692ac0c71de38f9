"""Counts of verification attempts by subject and day, in the caller's transaction; they judge nothing.

A subject is a keyed hash of the person's number: people who are not enrolled are counted alike, and nobody is named.
"""

from datetime import date

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idverify.storage.tables import verification_counts as table


def count_attempt(connection: Connection, subject: bytes, day: date) -> int:
    """Count one more attempt of that day and return how many it makes. Holds the subject's row until the commit."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    one_more = (
        dialect.insert(table)
        .values(subject=subject, day=day, attempts=1)
        .on_conflict_do_update(index_elements=[table.c.subject, table.c.day], set_={"attempts": table.c.attempts + 1})
        .returning(table.c.attempts)
    )
    attempts: int = connection.execute(one_more).scalar_one()
    return attempts


def attempts_since(connection: Connection, subject: bytes, first_day: date) -> dict[date, int]:
    """Attempts on each day that has any, from `first_day` on, oldest first."""
    days = select(table.c.day, table.c.attempts).where(table.c.subject == subject, table.c.day >= first_day)
    return dict(connection.execute(days.order_by(table.c.day)).all())


def forget_attempt(connection: Connection, subject: bytes, day: date) -> None:
    """Take back one attempt that was counted in this transaction."""
    connection.execute(
        update(table).where(table.c.subject == subject, table.c.day == day).values(attempts=table.c.attempts - 1)
    )


def forget_before(connection: Connection, day: date) -> int:
    """Delete the counts of days before `day`; how many rows."""
    return connection.execute(delete(table).where(table.c.day < day)).rowcount
