"""The work of a start comes to the same whoever does it: worker processes, this one, or the ones that are left."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from idverify.errors import SealBroken
from idverify.ids import GalleryId
from idverify.startup.integrity import require_sound
from idverify.startup.tasks import StartupTasks, pieces
from idverify.startup.workers import DeploymentLocation, StartupWorkers
from idverify.storage import quick_record_check
from tests.deployments import PEOPLE, REGISTER, Town, photograph

SECRET = bytes(32)


@contextmanager
def crew_of(town: Town, *, worth: int = 0) -> Iterator[StartupWorkers]:
    """Workers, however little there is to do."""
    engine = town.engine
    model, dimension = engine.reader.model, engine.reader.dimension
    here = StartupTasks(engine.database, engine.envelope, model, dimension)
    location = DeploymentLocation(town.settings.database, town.settings.root_keys)
    with StartupWorkers.gather(here, engine.database, location, model, dimension, worth=worth) as workers:
        yield workers


def opened(workers: StartupWorkers, only: GalleryId | None = None) -> dict[str, tuple[str, bytes]]:
    """Gallery and vector of each person; `only`: the gallery that everybody is in."""
    ranges = [(*piece, only) for piece in quick_record_check.ranges(workers.here.connection, 2)]
    return {
        person: (part.gallery, vector.tobytes())
        for _, parts in workers.each("opened", ranges)
        for part in parts
        for person, vector in zip(part.persons, part.vectors, strict=True)
    }


def test_workers_open_what_this_process_would(town: Town) -> None:
    with crew_of(town) as workers, crew_of(town, worth=10**9) as alone:
        assert len(workers.pids) == len(os.sched_getaffinity(0))
        assert alone.pids == []
        assert opened(workers) == opened(alone)
        assert opened(workers, REGISTER) == opened(alone)
        assert [only for _, _, only in pieces(workers.here.connection)] == [REGISTER]
        assert sorted(opened(workers)) == sorted(PEOPLE)
        ranges = [(*piece, SECRET) for piece in quick_record_check.ranges(workers.here.connection, 2)]
        assert sorted(workers.each("entries", ranges)) == sorted(alone.each("entries", ranges))
        require_sound(workers, town.engine.deployment.keys.checkpoint_signer.verifier, lambda *_: None)


def test_all_of_a_crew_see_the_state_in_which_it_was_gathered(own_town: Town) -> None:
    with crew_of(own_town) as workers:
        own_town.enrol("C-7", photograph(7, 1))
        assert "C-7" not in opened(workers)


def test_what_dead_workers_leave_is_done_here(town: Town) -> None:
    with crew_of(town) as workers:
        first, *others = workers.pids
        os.kill(first, signal.SIGKILL)
        assert sorted(opened(workers)) == sorted(PEOPLE)
        for pid in others:
            os.kill(pid, signal.SIGKILL)
        assert sorted(opened(workers)) == sorted(PEOPLE)


def test_a_template_that_does_not_open_in_a_worker_is_told_here(own_town: Town) -> None:
    assert own_town.engine.ready
    ((sealed,),) = own_town.sql("SELECT sealed FROM templates WHERE person = 'C-2'")
    own_town.sql("UPDATE templates SET sealed = ? WHERE person = 'C-1'", sealed)
    with crew_of(own_town) as workers, pytest.raises(SealBroken, match="altered, moved"):
        opened(workers)


def test_no_worker_outlives_its_crew(town: Town) -> None:
    with crew_of(town) as workers:
        pids = workers.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_sound_deployment_is_never_looked_at_the_slow_way(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for slow in ("audit_verification.verify", "record_check.discrepancies"):
        monkeypatch.setattr(f"idverify.startup.integrity.{slow}", lambda *_, **__: pytest.fail("the slow way"))
    assert town.another().galleries_in_memory.galleries()[0].gallery == REGISTER
