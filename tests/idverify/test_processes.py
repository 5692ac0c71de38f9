"""Worker processes are replaced when they die, hang or grow old, and threads share them."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from idverify.processes import WorkerLost, WorkerPool
from tests.idverify.echo_workers import Echo, Unavailable, ask, only, pool_of
from tests.processes import eventually, gone, to_be_killed


@pytest.fixture
def pool() -> Iterator[WorkerPool[Echo]]:
    with pool_of() as opened:
        yield opened


def test_a_crash_costs_what_was_asked_and_the_next_worker_answers(pool: WorkerPool[Echo]) -> None:
    pool.check()
    first = only(pool)
    with pytest.raises(WorkerLost):
        ask(pool, "crash")
    assert gone(first)
    assert ask(pool, "echo", "a") == "a"
    assert only(pool) != first


def test_a_worker_that_hangs_is_ended_at_its_deadline() -> None:
    with pool_of(deadline_s=0.2) as pool:
        pool.check()
        first = only(pool)
        with pytest.raises(WorkerLost):
            ask(pool, "hang")
        assert gone(first)


def test_a_worker_that_takes_nothing_in_is_ended_at_its_deadline_as_well() -> None:
    with pool_of(deadline_s=0.2) as pool:
        pool.check()
        first = only(pool)
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(WorkerLost, match="echo: the worker process ended or did not answer"):
            ask(pool, "echo", "more than any socket holds " * 1_000_000)
        assert gone(first)


def test_a_worker_that_died_while_idle_costs_nothing(pool: WorkerPool[Echo]) -> None:
    pool.check()
    first = only(pool)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: gone(first))
    assert ask(pool, "echo", "a") == "a"


def test_nobody_gets_the_answer_to_what_another_one_asked(pool: WorkerPool[Echo]) -> None:
    with suppress(KeyboardInterrupt), pool.worker() as worker:
        worker.channel.send(("echo", "of the one who was interrupted"))
        raise KeyboardInterrupt
    assert ask(pool, "echo", "a") == "a"


def test_an_old_worker_answers_until_its_successor_is_ready() -> None:
    with pool_of(share=3) as pool:
        pool.check()
        first = only(pool)
        for number in range(3):
            assert ask(pool, "echo", str(number)) == str(number)
            assert only(pool) == first

        def replaced() -> bool:
            assert ask(pool, "echo", "b") == "b"
            return only(pool) != first

        assert eventually(replaced)
        assert gone(first)


def test_a_successor_that_dies_is_started_again_and_nothing_is_lost() -> None:
    with pool_of(share=1) as pool:
        pool.check()
        first = only(pool)
        for _ in range(2):  # the second starts a successor
            ask(pool, "echo")
        successor = pool._slots[0].successor
        assert successor is not None
        os.kill(successor.pid, signal.SIGKILL)
        assert eventually(lambda: successor.dead)

        def replaced() -> bool:
            assert ask(pool, "echo", "b") == "b"
            return only(pool) not in (first, successor.pid)

        assert eventually(replaced)


def test_where_no_process_can_be_had_the_pool_says_so_and_tries_again_for_the_next() -> None:
    had = [True, False, False, True]

    def start() -> Echo:
        if not had.pop(0):
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return Echo()

    with WorkerPool("echo", Unavailable, start, 1) as pool:
        with pytest.raises(WorkerLost):  # its replacement is the first that can not be had
            ask(pool, "crash")
        with pytest.raises(Unavailable, match=r"echo: no worker process could be started \(Resource temporarily"):
            ask(pool, "echo")
        assert ask(pool, "echo", "a") == "a"
        assert had == []


def test_a_pool_that_can_not_be_started_whole_leaves_nothing() -> None:
    started: list[Echo] = []

    def start() -> Echo:
        if started:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        started.append(Echo())
        return started[-1]

    with pytest.raises(Unavailable):
        WorkerPool("echo", Unavailable, start, 2)
    assert gone(started[0].pid)


def test_a_program_that_does_not_say_that_it_is_ready_did_not_start() -> None:
    with pool_of(program="idverify.errors") as pool:
        with pytest.raises(Unavailable, match="echo: a worker process did not start"):
            pool.check()
        with pytest.raises(Unavailable, match="echo: a worker process did not start"):
            ask(pool, "echo")


def test_threads_queue_for_a_free_worker() -> None:
    with pool_of(2) as pool, ThreadPoolExecutor(8) as threads:
        numbers = [str(number) for number in range(60)]
        assert list(threads.map(lambda number: ask(pool, "echo", number), numbers)) == numbers
        assert len(pool.pids) == 2


def test_closing_waits_for_what_is_in_hand_and_later_askers_are_refused() -> None:
    pool = pool_of()
    pool.check()
    pid = only(pool)
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(ask, pool, "echo", "a")
        assert eventually(pool._idle.empty)
        closing = threading.Thread(target=pool.close)
        closing.start()
        os.kill(pid, signal.SIGCONT)
        assert answer.result() == "a"
        closing.join()
    assert gone(pid)
    for _ in range(2):
        with pytest.raises(Unavailable, match="echo: the service is shutting down"):
            ask(pool, "echo")
    pool.close()


def test_pools_leave_no_process_and_no_descriptor() -> None:
    def once() -> list[int]:
        with pool_of(2, share=1) as pool:
            ask(pool, "echo")
            ask(pool, "echo")
            ask(pool, "echo")  # by an old one, which has a successor now
            with pytest.raises(WorkerLost):
                ask(pool, "crash")
            return [each.pid for slot in pool._slots for each in (slot.now, slot.successor) if each is not None]

    once()
    before = len(list(Path("/proc/self/fd").iterdir()))
    pids = [pid for _ in range(2) for pid in once()]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert all(map(gone, pids))


def test_both_ends_are_closed_where_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError):
        Echo()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_workers_end_when_the_service_is_killed() -> None:
    program = """
        from tests.idverify.echo_workers import pool_of
        pool = pool_of(2)
        pool.check()
    """
    with to_be_killed(program) as pids:
        assert len(pids) == 2
    assert eventually(lambda: all(map(gone, pids)))
