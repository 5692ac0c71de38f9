"""Two processes append to one audit log (docs/security.md)."""

import multiprocessing
import time
from pathlib import Path

import pytest

from idverify.administration.deployment import Deployment
from idverify.settings import Settings
from idverify.storage import audit_log, audit_verification
from idverify.vision.reader import Reader
from tests.deployments import create_register
from tests.idverify.storage.conftest import Server
from tests.soak.appending import append

WRITERS = ("one", "two")


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, reader: Reader) -> dict[str, str]:
    """Of a new deployment."""
    database = {}
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        database["database_url"] = server.new_database("appends")
    create_register(tmp_path, reader, **database).close()
    return {"data_dir": str(tmp_path), **database}


@pytest.mark.parametrize("each", [pytest.param(300, id="some"), pytest.param(10_000, id="all", marks=pytest.mark.soak)])
def test_two_writers_leave_a_dense_log_without_a_fork(settings: dict[str, str], each: int) -> None:
    with Deployment.open(Settings.read(**settings)) as deployment:
        with deployment.database.read() as connection:
            first = audit_log.size(connection)
        context = multiprocessing.get_context("spawn")
        positions, barrier = context.Queue(), context.Barrier(len(WRITERS))
        writers = [context.Process(target=append, args=(settings, name, each, barrier, positions)) for name in WRITERS]
        for writer in writers:
            writer.start()
        started_s = time.monotonic()
        one, two = positions.get(timeout=1_200), positions.get(timeout=1_200)
        for writer in writers:
            writer.join()
        print(f"\n2 x {each} appends in {time.monotonic() - started_s:.1f} s")
        # Each position was handed out once, in order, without a gap; and the writers did take turns.
        assert sorted(one + two) == list(range(first, first + 2 * each))
        assert one == sorted(one)
        assert two == sorted(two)
        assert max(one[0], two[0]) < min(one[-1], two[-1])
        with deployment.database.read() as connection:
            verified = audit_verification.verify(connection, deployment.keys.checkpoint_signer)
            assert verified.size == first + 2 * each
            # What was handed to the one is not what stands as the other's.
            names = {leaf.sequence: leaf.clerk for leaf in audit_log.leaves_after(connection, first - 1)}
            assert {names[position] for position in one} | {names[position] for position in two} == set(WRITERS)
            assert len({names[position] for position in one}) == 1
