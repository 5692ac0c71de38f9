"""The work of a start comes to the same whoever does it: worker processes, this one, or the ones that are left."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from idverify.errors import SealBroken
from idverify.ids import GalleryId
from idverify.startup.integrity import require_sound
from idverify.startup.tasks import Sweeper, pieces
from idverify.startup.workers import Crew, Whereabouts
from idverify.storage import quick_record_check
from tests.deployments import PEOPLE, REGISTER, Town, photograph

SECRET = bytes(32)


@contextmanager
def crew_of(town: Town, *, worth: int = 0) -> Iterator[Crew]:
    """Workers, however little there is to do."""
    engine = town.engine
    model, dimension = engine.reader.model, engine.reader.dimension
    here = Sweeper(engine.database, engine.envelope, model, dimension)
    whereabouts = Whereabouts(town.settings.database, town.settings.root_keys)
    with Crew.gather(here, engine.database, whereabouts, model, dimension, worth=worth) as crew:
        yield crew


def opened(crew: Crew, only: GalleryId | None = None) -> dict[str, tuple[str, bytes]]:
    """Gallery and vector of each person; `only`: the gallery that everybody is in."""
    ranges = [(*piece, only) for piece in quick_record_check.ranges(crew.here.connection, 2)]
    return {
        person: (part.gallery, vector.tobytes())
        for _, parts in crew.each("opened", ranges)
        for part in parts
        for person, vector in zip(part.persons, part.vectors, strict=True)
    }


def test_workers_open_what_this_process_would(town: Town) -> None:
    with crew_of(town) as crew, crew_of(town, worth=10**9) as alone:
        assert len(crew.pids) == len(os.sched_getaffinity(0))
        assert alone.pids == []
        assert opened(crew) == opened(alone)
        assert opened(crew, REGISTER) == opened(alone)
        assert [only for _, _, only in pieces(crew.here.connection)] == [REGISTER]
        assert sorted(opened(crew)) == sorted(PEOPLE)
        ranges = [(*piece, SECRET) for piece in quick_record_check.ranges(crew.here.connection, 2)]
        assert sorted(crew.each("entries", ranges)) == sorted(alone.each("entries", ranges))
        require_sound(crew, town.engine.administration.keys.checkpoint_signer.verifier, lambda *_: None)


def test_all_of_a_crew_see_the_state_in_which_it_was_gathered(own_town: Town) -> None:
    with crew_of(own_town) as crew:
        own_town.enrol("C-7", photograph(7, 1))
        assert "C-7" not in opened(crew)


def test_what_dead_workers_leave_is_done_here(town: Town) -> None:
    with crew_of(town) as crew:
        first, *others = crew.pids
        os.kill(first, signal.SIGKILL)
        assert sorted(opened(crew)) == sorted(PEOPLE)
        for pid in others:
            os.kill(pid, signal.SIGKILL)
        assert sorted(opened(crew)) == sorted(PEOPLE)


def test_a_template_that_does_not_open_in_a_worker_is_told_here(own_town: Town) -> None:
    assert own_town.engine.ready
    ((sealed,),) = own_town.sql("SELECT sealed FROM templates WHERE person = 'C-2'")
    own_town.sql("UPDATE templates SET sealed = ? WHERE person = 'C-1'", sealed)
    with crew_of(own_town) as crew, pytest.raises(SealBroken, match="altered, moved"):
        opened(crew)


def test_no_worker_outlives_its_crew(town: Town) -> None:
    with crew_of(town) as crew:
        pids = crew.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_sound_deployment_is_never_looked_at_the_slow_way(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for slow in ("audit_verification.verify", "record_check.discrepancies"):
        monkeypatch.setattr(f"idverify.startup.integrity.{slow}", lambda *_, **__: pytest.fail("the slow way"))
    assert town.another().shelf.galleries()[0].gallery == REGISTER
