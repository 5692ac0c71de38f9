"""Stores sealed answers by slot, with keyed hashes of the people whom they name; it opens none and hashes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from idverify.storage.rows import RowTable
from idverify.storage.tables.callers import stored_answer_persons, stored_answers


@dataclass(frozen=True, slots=True)
class KeptAnswerRow:
    """`request` is a keyed hash of what was asked; `sealed` is None once a person whom the answer named is erased."""

    slot: bytes
    request: bytes
    sealed: bytes | None = field(repr=False)
    expires_at: str


ANSWERS = RowTable(KeptAnswerRow, stored_answers)


def find(connection: Connection, slot: bytes, now: str) -> KeptAnswerRow | None:
    """The answer in that slot, unless it has expired by `now`."""
    column = stored_answers.c
    return ANSWERS.one(connection, ANSWERS.select.where(column.slot == slot, column.expires_at > now))


def add(connection: Connection, row: KeptAnswerRow, subjects: Iterable[bytes], now: str) -> bool:
    """Store the answer; False when the slot is taken. What has expired by `now` goes first, whoever's it was."""
    drop_expired(connection, now)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    fresh = (
        dialect.insert(stored_answers)
        .values(ANSWERS.values(row))
        .on_conflict_do_nothing()
        .returning(stored_answers.c.slot)
    )
    if connection.execute(fresh).one_or_none() is None:
        return False
    named = [{"slot": row.slot, "subject": subject} for subject in subjects]
    if named:
        connection.execute(stored_answer_persons.insert(), named)
    return True


def drop_expired(connection: Connection, now: str) -> None:
    """Delete what has expired by `now`."""
    connection.execute(delete(stored_answers).where(stored_answers.c.expires_at <= now))


def blank(connection: Connection, subject: bytes) -> int:
    """Take the content out of every answer that names this person; how many. The slots stay taken until they expire."""
    named = select(stored_answer_persons.c.slot).where(stored_answer_persons.c.subject == subject)
    blanked = connection.execute(
        update(stored_answers).where(stored_answers.c.slot.in_(named)).values(sealed=None)
    ).rowcount
    connection.execute(delete(stored_answer_persons).where(stored_answer_persons.c.subject == subject))
    return blanked
