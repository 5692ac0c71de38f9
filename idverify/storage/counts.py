"""Counts of attempts by subject and day and of failures in a row, in the caller's transaction; they judge nothing.

A subject is a keyed hash of a person's number or a client's name: people who are not enrolled are counted alike, and
nobody is named.
"""

from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idverify.storage.tables import verification_counts as table
from idverify.storage.tables import verification_streaks as streaks


def count_attempt(connection: Connection, subject: bytes, day: date) -> int:
    """Count one more attempt of that day and return how many it makes. Holds the subject's row until the commit."""
    one_more = _ONE_MORE[connection.dialect.name]
    attempts: int = connection.execute(one_more, {"subject": subject, "day": day, "attempts": 1}).scalar_one()
    return attempts


def attempts_since(connection: Connection, subject: bytes, first_day: date) -> dict[date, int]:
    """Attempts on each day that has any, from `first_day` on, oldest first."""
    return dict(connection.execute(_ATTEMPTS, {"of": subject, "first_day": first_day}).all())


def forget_attempt(connection: Connection, subject: bytes, day: date) -> None:
    """Take back one attempt that was counted in this transaction."""
    connection.execute(
        update(table).where(table.c.subject == subject, table.c.day == day).values(attempts=table.c.attempts - 1)
    )


def forget_before(connection: Connection, day: date) -> int:
    """Delete the counts of days before `day`; how many rows."""
    return connection.execute(delete(table).where(table.c.day < day)).rowcount


def count_failure(connection: Connection, subject: bytes) -> None:
    """One more failure in a row."""
    connection.execute(
        _dialect(connection)
        .insert(streaks)
        .values(subject=subject, failures=1)
        .on_conflict_do_update(index_elements=[streaks.c.subject], set_={"failures": streaks.c.failures + 1})
    )


def failures(connection: Connection, subject: bytes) -> int:
    """How many in a row there are now."""
    return connection.execute(_FAILURES, {"of": subject}).scalar_one_or_none() or 0


def forget_failures(connection: Connection, subject: bytes) -> None:
    """The row of failures is over."""
    connection.execute(_FORGET_FAILURES, {"of": subject})


def _dialect(connection: Connection) -> Any:
    """The two have the same upsert, each in a namespace of its own."""
    return postgresql if connection.dialect.name == "postgresql" else sqlite


# Put together once, because every answer counts.
_ONE_MORE = {
    of.dialect.name: of.insert(table)
    .on_conflict_do_update(index_elements=[table.c.subject, table.c.day], set_={"attempts": table.c.attempts + 1})
    .returning(table.c.attempts)
    for of in (postgresql, sqlite)
}
_ATTEMPTS = (
    select(table.c.day, table.c.attempts)
    .where(table.c.subject == bindparam("of"), table.c.day >= bindparam("first_day"))
    .order_by(table.c.day)
)
_FAILURES = select(streaks.c.failures).where(streaks.c.subject == bindparam("of"))
_FORGET_FAILURES = delete(streaks).where(streaks.c.subject == bindparam("of"))
