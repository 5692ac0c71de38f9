"""The quick check computes, from the columns alone, the very digests that the rows have."""

from typing import Any

from sqlalchemy import text

from idverify.storage import quick_record_check, record_check
from idverify.storage.quick_log_check import ENTRY_BYTES, entry

SECRET = b"k" * 32


def test_the_entries_of_people_are_those_of_their_rows(deployed: Any) -> None:
    deployed.enrol("anna", in_galleries=("civil-register", "payroll"))
    deployed.enrol("ben")
    with deployed.database.read() as connection:
        found = quick_record_check.entries_of_people(connection, 1, 1000, SECRET)
        rows = [
            entry(log_name, digest, SECRET)
            for log_name, digest, _ in record_check.stored_records(connection)
            if log_name.partition("/")[0] in ("persons", "encounters", "templates")
        ]
    assert found is not None
    assert len(rows) == 6
    assert sorted(found[at : at + ENTRY_BYTES] for at in range(0, len(found), ENTRY_BYTES)) == sorted(rows)


def test_a_review_that_the_service_never_writes_gives_no_entries(deployed: Any) -> None:
    deployed.enrol("anna")
    with deployed.database.write() as connection:
        connection.execute(text("UPDATE encounters SET review = 'approved'"))
        assert quick_record_check.entries_of_people(connection, 1, 1000, SECRET) is None
