"""Visits as rows, on both databases: one saves over another only knowingly, and blank keys are used again."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from idverify.errors import Conflict, IdverifyError
from idverify.ids import GalleryId, VisitId
from idverify.protection.envelope import WrappedKey
from idverify.protection.visit_key import VisitKeys
from idverify.storage import visits
from idverify.storage.database import Connection
from idverify.storage.visits import VisitRow, VisitState

SUBJECT = b"\x01" * 32


def _row(deployed: Any, name: str) -> VisitRow:
    _, wrapped = VisitKeys("deployment", deployed.keyring).new(VisitId(name), 1)
    times = "2026-11-21T09:30:00.000Z", "2026-11-22T09:30:00.000Z"
    place = GalleryId("payroll"), "maseru-1", "clerk-1"
    return VisitRow(VisitId(name), wrapped, SUBJECT, *place, VisitState.OPEN, 1, b"sealed", *times)


def test_a_visit_comes_back_as_it_was_saved_and_is_found_by_all_who_look(deployed: Any) -> None:
    row = _row(deployed, "visit-1")
    with deployed.database.write() as connection:
        visits.add(connection, row)
        assert visits.find(connection, row.visit) == row
        saved = visits.save(connection, row, replace(row, state=VisitState.EXCEPTION, sealed=b"more"))
        assert saved.revision == 2
        assert visits.find(connection, row.visit) == saved
        assert visits.of_clerk(connection, "maseru-1", "clerk-1") == [saved]
        assert visits.awaiting(connection, GalleryId("payroll")) == [saved]
        assert visits.of_subject(connection, SUBJECT) == [row.visit]
        assert visits.expired(connection, "2026-11-22T09:30:00.000Z") == [row.visit]
        assert visits.wrapped_before(connection, 2) == [saved]
        with pytest.raises(Conflict):
            visits.save(connection, row, row)


def test_another_key_takes_the_place_of_the_old_one(deployed: Any) -> None:
    row = _row(deployed, "visit-1")
    with deployed.database.write() as connection:
        visits.add(connection, row)
        fresh = WrappedKey(2, b"\x07" * len(row.wrapped.sealed))
        visits.save(connection, row, replace(row, wrapped=fresh))
        found = visits.find(connection, row.visit)
        assert found is not None
        assert found.wrapped == fresh


def test_captures_keep_their_ids_when_their_content_goes(deployed: Any) -> None:
    row = _row(deployed, "visit-1")
    with deployed.database.write() as connection:
        visits.add(connection, row)
        visits.put_capture(connection, row.visit, "capture-1", b"sealed")
        visits.empty_captures(connection, row.visit)
        assert visits.find_capture(connection, "capture-1") == (row.visit, None)
    with pytest.raises(Conflict), deployed.database.write() as connection:
        visits.put_capture(connection, row.visit, "capture-1", b"again")
    with deployed.database.write() as connection:
        visits.erase(connection, [row.visit])
        assert visits.find_capture(connection, "capture-1") is None


def test_visits_that_begin_at_once_get_keys_of_their_own(deployed: Any) -> None:
    """Also where a blank row lies ready that all of them want."""
    with deployed.database.write() as connection:
        visits.add(connection, gone := _row(deployed, "gone"))
        visits.erase(connection, [gone.visit])
    begin, failed = threading.Barrier(4), list[IdverifyError]()

    def add(row: VisitRow) -> None:
        begin.wait()
        try:
            with deployed.database.write() as connection:
                visits.add(connection, row)
        except IdverifyError as error:
            failed.append(error)

    rows = [_row(deployed, f"visit-{number}") for number in range(4)]
    threads = [threading.Thread(target=add, args=(row,)) for row in rows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with deployed.database.read() as connection:
        assert _found(connection, rows) == rows


def _found(connection: Connection, rows: list[VisitRow]) -> list[VisitRow | None]:
    return [visits.find(connection, row.visit) for row in rows]
