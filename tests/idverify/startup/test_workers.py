"""The work of a start comes to the same whoever does it: worker processes, this one, or the ones that are left."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from idverify.errors import SealBroken
from idverify.ids import GalleryId
from idverify.startup.integrity import require_sound
from idverify.startup.tasks import StartupTasks, pieces
from idverify.startup.workers import CONNECTION_VARIABLES, DeploymentLocation, StartupWorkers
from idverify.storage import quick_record_check
from tests.deployments import PEOPLE, REGISTER, Register, photograph
from tests.processes import assert_confined

SECRET = bytes(32)


@contextmanager
def workers_of(register: Register, *, worth: int = 0) -> Iterator[StartupWorkers]:
    """Workers, however little there is to do."""
    engine = register.engine
    model, dimension = engine.reader.model, engine.reader.dimension
    leaf_key = engine.deployment.keys.checkpoint_signer.leaf_key
    here = StartupTasks(engine.database, engine.envelope, leaf_key, model, dimension)
    location = DeploymentLocation(register.settings.database, register.settings.root_keys)
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


def test_workers_open_what_this_process_would(register: Register) -> None:
    with workers_of(register) as workers, workers_of(register, worth=10**9) as alone:
        assert len(workers.pids) == len(os.sched_getaffinity(0))
        assert alone.pids == []
        assert opened(workers) == opened(alone)
        assert opened(workers, REGISTER) == opened(alone)
        assert [only for _, _, only in pieces(workers.here.connection)] == [REGISTER]
        assert sorted(opened(workers)) == sorted(PEOPLE)
        ranges = [(*piece, SECRET) for piece in quick_record_check.ranges(workers.here.connection, 2)]
        assert sorted(workers.each("entries", ranges)) == sorted(alone.each("entries", ranges))
        require_sound(workers, register.engine.deployment.keys.checkpoint_signer, lambda *_: None)


def test_all_workers_see_the_state_in_which_they_were_gathered(own_register: Register) -> None:
    with workers_of(own_register) as workers:
        own_register.enrol("C-7", photograph(7, 1))
        assert "C-7" not in opened(workers)


def test_what_dead_workers_leave_is_done_here(register: Register) -> None:
    with workers_of(register) as workers:
        first, *others = workers.pids
        os.kill(first, signal.SIGKILL)
        assert sorted(opened(workers)) == sorted(PEOPLE)
        for pid in others:
            os.kill(pid, signal.SIGKILL)
        assert sorted(opened(workers)) == sorted(PEOPLE)


def test_a_template_that_does_not_open_in_a_worker_is_told_here(own_register: Register) -> None:
    assert own_register.engine.ready
    ((sealed,),) = own_register.sql("SELECT sealed FROM templates WHERE person = 'C-2'")
    own_register.sql("UPDATE templates SET sealed = ? WHERE person = 'C-1'", sealed)
    with workers_of(own_register) as workers, pytest.raises(SealBroken, match="altered, moved"):
        opened(workers)


def test_workers_are_confined_and_have_only_what_the_database_needs_of_the_environment(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDVERIFY_DATABASE_URL", "postgresql+psycopg://u:hunter2@h/d")
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/authority.pem")
    monkeypatch.setenv("HOME", "/home/of-the-service")
    with workers_of(register) as workers:
        for pid in workers.pids:
            assert_confined(pid)
            variables = dict(each.split("=", 1) for each in Path(f"/proc/{pid}/environ").read_text().split("\0")[:-1])
            assert "hunter2" not in str(variables)
            assert variables["PGSSLROOTCERT"] == "/etc/authority.pem"
            assert variables["HOME"] == "/home/of-the-service"
            assert set(variables) <= {*CONNECTION_VARIABLES, "PYTHONPATH", "OPENBLAS_NUM_THREADS"}


def test_every_variable_by_which_the_client_library_finds_a_database_is_passed_on() -> None:
    known = {option.envvar.decode() for option in psycopg.pq.Conninfo.get_defaults() if option.envvar}
    assert "PGPASSWORD" in known
    assert known <= set(CONNECTION_VARIABLES)


def test_no_worker_outlives_the_start(register: Register) -> None:
    with workers_of(register) as workers:
        pids = workers.pids
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_sound_deployment_is_never_looked_at_the_slow_way(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    for slow in ("audit_verification.verify", "record_check.discrepancies"):
        monkeypatch.setattr(f"idverify.startup.integrity.{slow}", lambda *_, **__: pytest.fail("the slow way"))
    assert register.another().galleries_in_memory.galleries()[0].gallery == REGISTER
