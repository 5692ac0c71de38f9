"""Counts attempts and close calls by subject and day, and failures in a row; it does not judge how many are too many.

A subject is a keyed hash of a person's number or a client's name: people who are not enrolled are counted alike, and
nobody is named. All happens in the caller's transaction.
"""

from datetime import date

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idverify.storage.tables.callers import verification_counts as table
from idverify.storage.tables.callers import verification_streaks as streaks


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


def forget_before(connection: Connection, day: date, *, close_calls: date) -> int:
    """Delete the counts of days before `day`, those with close calls before the day `close_calls`; how many rows."""
    gone = or_(table.c.close_calls == 0, table.c.day < close_calls)
    return connection.execute(delete(table).where(table.c.day < day, gone)).rowcount


def count_close(connection: Connection, subject: bytes, day: date, calls: int) -> None:
    """So many of the attempts that were counted on that day were close calls. The same statement for none."""
    connection.execute(_COUNT_CLOSE, {"of": subject, "on": day, "calls": calls})


def standing(connection: Connection, subject: bytes, first_day: date) -> tuple[int, int]:
    """Close calls from `first_day` on, and failures in a row."""
    close_calls, failures = connection.execute(_STANDING, {"of": subject, "first_day": first_day}).one()
    return close_calls or 0, failures or 0


def forget_close(connection: Connection, subject: bytes) -> None:
    """None of the attempts counts as a close call any more."""
    connection.execute(update(table).where(table.c.subject == subject).values(close_calls=0))


def count_failure(connection: Connection, subject: bytes) -> None:
    """One more failure in a row."""
    connection.execute(_ONE_MORE_FAILURE[connection.dialect.name], {"subject": subject, "failures": 1})


def forget_failures(connection: Connection, subject: bytes) -> None:
    """The row of failures is over."""
    connection.execute(_FORGET_FAILURES, {"of": subject})


# Put together once, because every answer counts. Both dialects have the same upsert, each in a namespace of its own.
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
_COUNT_CLOSE = (
    update(table)
    .where(table.c.subject == bindparam("of"), table.c.day == bindparam("on"))
    .values(close_calls=table.c.close_calls + bindparam("calls"))
)
_ONE_MORE_FAILURE = {
    of.dialect.name: of.insert(streaks).on_conflict_do_update(
        index_elements=[streaks.c.subject], set_={"failures": streaks.c.failures + 1}
    )
    for of in (postgresql, sqlite)
}
_STANDING = select(
    select(func.sum(table.c.close_calls))
    .where(table.c.subject == bindparam("of"), table.c.day >= bindparam("first_day"))
    .scalar_subquery(),
    select(streaks.c.failures).where(streaks.c.subject == bindparam("of")).scalar_subquery(),
)
_FORGET_FAILURES = delete(streaks).where(streaks.c.subject == bindparam("of"))
