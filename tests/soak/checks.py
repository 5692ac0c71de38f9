"""What must hold after any fault: nothing corrupt, nothing acknowledged lost, no record without its leaf."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from idverify.access import no_progress
from idverify.administration.deployment import Deployment
from idverify.audit.events import Event, EventKind
from idverify.engine import Engine
from idverify.ids import PersonId
from idverify.settings import Settings
from idverify.storage import audit_log, encounters, persons
from idverify.storage.database import Connection
from idverify.vision.reader import Reader
from tests.soak.writers import IMPORTED, LEAVING, NEWCOMERS


def sound(folder: Path, reader: Reader) -> Engine:
    """The engine of the deployment in `folder`, opened as at a start: the caller closes it.

    The start itself verifies the log, holds every record against it (altered, unlogged, missing, of somebody erased)
    and opens every template.
    """
    settings = Settings.read(data_dir=folder)
    with closing(sqlite3.connect(settings.database.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    engine = Engine(Deployment.open(settings), reader)
    try:
        engine.galleries_in_memory.load(no_progress)
    except BaseException:
        engine.close()
        raise
    return engine


def kept(engine: Engine, acts: Iterable[dict[str, object]]) -> None:
    """Every act that was acknowledged stands, once, with its leaf."""
    with engine.database.read() as connection:
        leaves = list(audit_log.leaves_after(connection, -1))
        for act in acts:
            match act:
                case {"act": "enrolled", "person": str(person), "encounter": str(encounter), "position": int(at)}:
                    visits = encounters.encounters_of(connection, PersonId(person))
                    assert [visit.encounter for visit in visits] == [encounter]
                    _leaf_of(leaves, at, EventKind.ENCOUNTER_ENROLLED, visits[0].log_name)
                case {"act": "erased", "person": str(person), "position": int(at)}:
                    assert persons.find(connection, PersonId(person)) is None
                    assert leaves[at].event is EventKind.PERSON_ERASED
                case {"act": "gone", "person": str(person)}:
                    assert persons.find(connection, PersonId(person)) is None
                case {"act": "imported", "total": int(total), "enrolled": int(enrolled)}:
                    assert total == enrolled == len(IMPORTED)
                    assert _visits(connection, "I", IMPORTED) == [1] * total
                case {"act": "rotated", "version": int(version)}:
                    assert engine.deployment.keys.keyring.current_wrapping_version >= version
                case {"act": "rewrapped", "version": int(version)}:
                    assert not persons.persons_wrapped_before(connection, version, after=None, limit=1)
                case {"act": "found" | "failed" | "end"}:
                    pass
                case _:
                    raise AssertionError(act)


def done(engine: Engine, flow: str) -> None:
    """The flow's work is there, all of it and nothing twice, as after it ran, or was repeated, to the end."""
    with engine.database.read() as connection:
        if flow == "enrolment":
            assert _visits(connection, "N", NEWCOMERS) == [1] * len(NEWCOMERS)
        elif flow == "import":
            assert _visits(connection, "I", IMPORTED) == [1] * len(IMPORTED)
        elif flow == "erasure":
            assert _visits(connection, "C", LEAVING) == [0] * len(LEAVING)
            tombstones = audit_log.leaves_after(connection, -1, [EventKind.PERSON_ERASED])
            assert set(Counter(event.person for event in tombstones).values()) == {1}
        elif flow == "rewrap":
            version = engine.deployment.keys.keyring.current_wrapping_version
            assert version >= 2
            assert not persons.persons_wrapped_before(connection, version, after=None, limit=1)


def _leaf_of(leaves: list[Event], at: int, kind: EventKind, record: str) -> None:
    assert leaves[at].event is kind
    assert [leaf.sequence for leaf in leaves if record in leaf.records] == [at]


def _visits(connection: Connection, letter: str, seeds: Iterable[int]) -> list[int]:
    """How many encounters each of them has."""
    return [len(encounters.encounters_of(connection, PersonId(f"{letter}-{seed}"))) for seed in seeds]
