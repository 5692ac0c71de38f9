"""A decoder fault costs one answer: confined workers, replaced when they die, hang or run out of memory."""

import fcntl
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from idverify import keys
from idverify.administration.deployment import utc_now
from idverify.engine import Engine
from idverify.errors import DecoderUnavailable, ImageCorrupt, ImageFormatUnsupported, ImageTooSmall
from idverify.settings import Settings
from idverify.storage.database import Database
from idverify.vision.decoder_pool import DecoderPool
from idverify.vision.image import DEFAULT_LIMITS, Image, decode
from idverify.vision.reader import Reading, ReadingPolicy
from tests.deployments import access
from tests.idverify.vision.hostile import encoded, scene
from tests.processes import assert_confined, eventually, gone, status, to_be_killed


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    with DecoderPool(1) as opened:
        yield opened


@pytest.fixture(scope="module")
def photograph() -> bytes:
    return encoded(scene())


def only(pool: DecoderPool) -> int:
    (pid,) = pool.pids
    return pid


def sent_and_unread(pool: DecoderPool) -> bool:
    """Whether a photograph waits for the pool's one worker, which is stopped."""
    (slot,) = pool._slots
    waiting = fcntl.ioctl(slot.now.channel, termios.TIOCOUTQ, bytes(4))
    return int.from_bytes(waiting, sys.byteorder) > 0


@pytest.mark.parametrize("kind", ["jpeg", "png"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_sandbox_gives_the_very_pixels_of_the_plain_decoder(pool: DecoderPool, kind: str, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = encoded(scene(), kind, exif=exif)
    confined, plain = decode(data, decoder=pool), decode(data)
    assert np.array_equal(confined.pixels, plain.pixels)
    assert (confined.format, confined.jpeg_quality) == (plain.format, plain.jpeg_quality)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_grey_and_opaque_alpha_come_through(pool: DecoderPool, mode: str) -> None:
    data = encoded(scene().convert(mode), "png")
    assert np.array_equal(decode(data, decoder=pool).pixels, decode(data).pixels)


def test_refusals_are_the_same_in_and_out_of_the_sandbox(pool: DecoderPool, photograph: bytes) -> None:
    faded = scene()
    faded.putalpha(7)
    half = photograph[: len(photograph) // 2] + b"\xff\xd9"
    for data, kind in ((encoded(faded, "png"), ImageFormatUnsupported), (half, ImageCorrupt)):
        with pytest.raises(kind) as plain:
            decode(data)
        with pytest.raises(kind) as confined:
            decode(data, decoder=pool)
        assert str(confined.value) == str(plain.value)


def test_what_the_header_check_refuses_never_reaches_a_worker(photograph: bytes) -> None:
    closed = DecoderPool(1)
    closed.close()
    with pytest.raises(ImageTooSmall):
        decode(encoded(scene(100, 100)), decoder=closed)
    with pytest.raises(DecoderUnavailable):
        decode(photograph, decoder=closed)


def test_a_worker_that_is_killed_over_a_photograph_costs_that_photograph_only(photograph: bytes) -> None:
    with DecoderPool(1) as pool, ThreadPoolExecutor(1) as threads:
        decode(photograph, decoder=pool)
        first = only(pool)
        os.kill(first, signal.SIGSTOP)
        answer = threads.submit(decode, photograph, decoder=pool)
        assert eventually(lambda: sent_and_unread(pool))
        assert not answer.done()
        os.kill(first, signal.SIGSEGV)
        os.kill(first, signal.SIGCONT)
        with pytest.raises(ImageCorrupt):
            answer.result()
        assert decode(photograph, decoder=pool).width_px == 320
        assert only(pool) != first
        assert gone(first)


def test_a_worker_that_hangs_is_ended_at_the_deadline(photograph: bytes) -> None:
    with DecoderPool(1, deadline_s=0.3) as pool:
        pool.check()
        first = only(pool)
        os.kill(first, signal.SIGSTOP)
        with pytest.raises(ImageCorrupt):
            decode(photograph, decoder=pool)
        assert gone(first)
    with DecoderPool(1, deadline_s=10) as pool:
        assert decode(photograph, decoder=pool).width_px == 320


def test_a_worker_that_died_while_idle_is_replaced_and_the_next_photograph_is_read(photograph: bytes) -> None:
    with DecoderPool(1) as pool:
        pool.check()
        os.kill(only(pool), signal.SIGKILL)
        assert eventually(lambda: gone(only(pool)))
        assert decode(photograph, decoder=pool).width_px == 320


def test_a_picture_that_needs_more_memory_than_there_is_costs_itself_only(photograph: bytes) -> None:
    with DecoderPool(1, memory_bytes=16 * 1024 * 1024) as pool:
        with pytest.raises(ImageCorrupt):
            decode(encoded(Pillow.new("RGB", (4000, 3000)), "png"), decoder=pool)
        assert decode(photograph, decoder=pool).width_px == 320


@pytest.mark.parametrize(
    "options",
    [{"quality": 60, "progressive": True, "subsampling": 0}, {"quality": 60}],
    ids=["progressive", "baseline"],
)
def test_the_largest_picture_that_is_allowed_is_decoded(options: dict[str, Any]) -> None:
    side = int(DEFAULT_LIMITS.max_pixels**0.5)
    with DecoderPool(1, deadline_s=60) as pool:
        assert decode(encoded(Pillow.new("RGB", (side, side)), **options), decoder=pool).pixels.size == 3 * side * side


def test_a_worker_is_replaced_after_its_share_of_pictures(photograph: bytes) -> None:
    with DecoderPool(1, pictures_per_worker=3) as pool:
        first = only(pool)
        for _ in range(3):
            decode(photograph, decoder=pool)
            assert only(pool) == first

        def replaced() -> bool:
            decode(photograph, decoder=pool)  # by the old one, while its successor starts
            return only(pool) != first

        assert eventually(replaced)
        assert gone(first)


def test_many_threads_share_few_workers(photograph: bytes) -> None:
    pictures = [encoded(scene(200 + 10 * number, 240)) for number in range(6)]
    with DecoderPool(2) as pool, ThreadPoolExecutor(8) as threads:
        images: list[Image] = list(threads.map(lambda data: decode(data, decoder=pool), pictures * 10))
        assert [image.width_px for image in images] == [200 + 10 * number for number in range(6)] * 10
        assert len(pool.pids) == 2


def test_nothing_of_a_photograph_stays_in_the_shared_memory(photograph: bytes) -> None:
    with DecoderPool(1) as pool:
        decode(photograph, decoder=pool)
        shared = pool._slots[0].now._memory
        assert not any(shared[: len(photograph) + 320 * 240 * 3])


def test_pools_leave_no_process_no_descriptor_and_no_memory(photograph: bytes) -> None:
    def once() -> frozenset[int]:
        with DecoderPool(2) as pool:
            decode(photograph, decoder=pool)
            return pool.pids

    once()
    before = len(list(Path("/proc/self/fd").iterdir()))
    pids = [pid for _ in range(5) for pid in once()]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert all(status(pid, "State") == "" for pid in pids)


def test_closing_waits_for_the_photograph_in_hand(photograph: bytes) -> None:
    pool = DecoderPool(1)
    pool.check()
    os.kill(only(pool), signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(decode, photograph, decoder=pool)
        assert eventually(pool._idle.empty)
        closing = threading.Thread(target=pool.close)
        closing.start()
        os.kill(only(pool), signal.SIGCONT)
        assert answer.result().width_px == 320
        closing.join()


def test_workers_end_when_the_service_is_killed() -> None:
    program = """
        from idverify.vision.decoder_pool import DecoderPool
        pool = DecoderPool(2)
        pool.check()
    """
    with to_be_killed(program) as pids:
        assert len(pids) == 2
    assert eventually(lambda: all(map(gone, pids)))


def test_a_worker_is_confined() -> None:
    with DecoderPool(1) as pool:
        pool.check()
        assert_confined(only(pool))


def test_a_signal_to_the_whole_group_leaves_the_worker_to_finish(photograph: bytes) -> None:
    with DecoderPool(1) as pool:
        pool.check()
        first = only(pool)
        for each in (signal.SIGINT, signal.SIGTERM):
            os.kill(first, each)
        assert decode(photograph, decoder=pool).width_px == 320
        assert only(pool) == first


def test_a_worker_has_nothing_of_the_services_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDVERIFY_DATABASE_URL", "postgresql+psycopg://u:hunter2@h/d")
    with DecoderPool(1) as pool:
        environment = Path(f"/proc/{only(pool)}/environ")
        assert b"hunter2" not in environment.read_bytes()


def test_the_engine_reads_in_the_sandbox_and_outlives_its_workers(
    tmp_path: Path, model_dir: Path, portrait: Callable[[int, int], bytes]
) -> None:
    settings = Settings.read(data_dir=tmp_path, model_dir=model_dir, readers=1)
    database = Database.open(settings.database)
    database.migrate()
    keys.create(database, settings.root_keys, utc_now, access("setup"))
    database.close()
    with Engine.open(settings) as engine:
        pool = engine.decoder
        assert isinstance(pool, DecoderPool)
        os.kill(only(pool), signal.SIGSTOP)
        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(engine.reader.read, portrait(1, 1), ReadingPolicy.verification())
            os.kill(only(pool), signal.SIGKILL)
            with suppress(ImageCorrupt):  # or read by the next worker, when this one was dead before it was asked
                answer.result()
        assert isinstance(engine.reader.read(portrait(1, 1), ReadingPolicy.verification()), Reading)
        last = only(pool)
    assert gone(last)
