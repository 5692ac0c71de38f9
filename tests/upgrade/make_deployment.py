"""Makes a small deployment of everything that a release stores, for the upgrade tests of later releases.

.venv/bin/python tests/upgrade/make_deployment.py tests/upgrade/release_0_1
"""

import json
import shutil
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from idverify.vision.manifest import BUILTIN
from tests.deployments import copied, create_register
from tests.upgrade import adjudication, people, staffing, upkeep
from tests.upgrade.making import Making, MovingClock
from tests.upgrade.upgrading import ARCHIVE, FACTS, builtin_reader

BEGIN = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SETTINGS = {
    "verifications_per_person_per_day": 4,
    "consecutive_failures_per_person": 3,
    "close_calls_per_person_per_year": 2,
}
"""Beside the model set; recorded in the facts, for the tests run the deployment by the same."""


def before_the_rotation(making: Making) -> None:
    """A day's work, as far as it is done under the first keys."""
    people.found_agencies(making)
    staffing.found_staff(making)
    staffing.found_stations(making)
    people.enrol_everybody(making)
    people.keep_photographs(making)
    people.keep_answer(making, "C-1", "before")
    staffing.enrol_at_station(making)


def after_the_rotation(making: Making) -> None:
    """The rest of the day, up to the backup."""
    making.register.clock.advance(minutes=30)
    people.keep_answer(making, "C-2", "after")
    people.use_up(making)
    adjudication.search_for_duplicates(making)
    adjudication.check_payroll(making)
    adjudication.work_on_cases(making)
    adjudication.leave_a_search(making)
    staffing.fail_at_station(making)
    upkeep.propose(making)
    upkeep.back_up(making)


def after_the_backup(making: Making) -> None:
    """What a restored backup lacks, and what is true at the end of the day only."""
    making.register.clock.advance(minutes=30)
    people.erase(making, "C-10")
    making.facts["outcomes"]["C-11 in civil-register"] = people.enrol(making, "C-11", 12)
    making.facts["outcomes"]["GHOST-6 in civil-register"] = people.enrol(making, "GHOST-6", 6, day=2)
    people.write_down_people(making)
    upkeep.keep_log(making)
    staffing.mistype(making)
    staffing.stay_signed_in(making)
    people.keep_token(making)


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Whose account made the fixture does not matter."""
    return entry.replace(uid=0, gid=0, uname="", gname="", deep=False)


def make(folder: Path, out: Path) -> None:
    """Make the deployment in `folder` and pack it into `out`, a new folder."""
    (deployment := folder / "deployment").mkdir()
    (kept := folder / "kept").mkdir()
    register = create_register(deployment, builtin_reader(), **SETTINGS)
    register.clock = MovingClock(BEGIN)
    making = Making(register, kept)
    with making.running():
        before_the_rotation(making)
    upkeep.change_keys(making)
    with making.running():
        after_the_rotation(making)
        after_the_backup(making)
    making.facts["settings"] = {"model_set": BUILTIN, **SETTINGS}
    making.facts["ended_at"] = register.clock.now.isoformat()
    register.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = copied(deployment, folder / "a-month-later", register.reader, **SETTINGS)
    copy.clock = MovingClock(register.clock.now)
    adjudication.publish(Making(copy, kept, making.facts))
    out.mkdir(parents=True)
    with tarfile.open(out / ARCHIVE, "w:xz", preset=9) as archive:
        for inside in (deployment, kept):
            archive.add(inside, inside.name, filter=_of_nobody)
    (out / FACTS).write_text(json.dumps(making.facts, indent=2, sort_keys=True) + "\n")


def main() -> None:
    """Make a fixture in the folder that the command line names, which must not exist."""
    if len(sys.argv) != 2:
        sys.exit("expected one argument: the folder to make")
    out = Path(sys.argv[1])
    if out.exists():
        sys.exit(f"{out} exists; a release's fixture is never made again")
    folder = Path(tempfile.mkdtemp())
    try:
        make(folder, out)
    finally:
        shutil.rmtree(folder)
    print(f"{out}: {sum(file.stat().st_size for file in out.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
