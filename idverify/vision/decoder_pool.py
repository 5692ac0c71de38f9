"""A pool of confined processes that decode photographs, so that a decoder fault costs one answer and not the service.

Bytes go in and pixels come out through memory that both sides map; a worker is believed only in what it says with one
byte. A photograph that kills, hangs or exhausts its worker is ImageCorrupt, and the worker is replaced.
"""

import fcntl
import mmap
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Self

import numpy as np

import idverify
from idverify.errors import DecoderUnavailable
from idverify.vision.decoder_worker import READY, DecoderAnswer, pixels_at, request
from idverify.vision.header import Header
from idverify.vision.image import DEFAULT_LIMITS, ImageLimits, Pixels, see_through, undecodable

# A worker that takes longer to start (0.1 s of processor time) is on a machine that can not serve anyway.
_START_S = 30.0
# Beyond what a worker uses at rest, for each pixel of the largest picture. Measured: the dearest picture, a progressive
# JPEG without subsampling, takes 12 bytes a pixel: its coefficients and two decoded copies.
_WORKING_BYTES_PER_PIXEL = 24
PICTURES_PER_WORKER = 10_000
"""A start takes 0.2 s of a core from the photographs of that moment. After 1,000 pictures, these were one in a hundred
at the load of two cores."""
# Memory that a worker keeps between pictures: fresh pages cost more than decoding does (measured: 1.3 ms at 480 x 640).
_KEPT_BYTES = 16 * 1024 * 1024


class DecoderPool:
    """A `Decoder` that runs in other processes; safe to use from several threads, which queue for a free worker."""

    def __init__(
        self,
        workers: int,
        limits: ImageLimits = DEFAULT_LIMITS,
        *,
        deadline_s: float = 10.0,
        pictures_per_worker: int = PICTURES_PER_WORKER,
        memory_bytes: int | None = None,
    ) -> None:
        """Start the workers, and wait for none of them. `memory_bytes` (none: enough) is for decoding one picture."""
        memory = limits.max_pixels * _WORKING_BYTES_PER_PIXEL if memory_bytes is None else memory_bytes
        self._idle: SimpleQueue[_Worker | None] = SimpleQueue()
        self._workers = [_Worker(limits, deadline_s, pictures_per_worker, memory) for _ in range(workers)]
        for worker in self._workers:
            self._idle.put(worker)

    @property
    def pids(self) -> frozenset[int]:
        """The process ids of the workers, for those who watch them."""
        return frozenset(worker.pid for worker in self._workers)

    def __call__(self, data: bytes, header: Header) -> Pixels:
        """Upright RGB pixels. Raises ImageCorrupt, ImageFormatUnsupported, or DecoderUnavailable."""
        worker = self._idle.get()
        try:
            if worker is None:
                raise DecoderUnavailable("decoder: the service is shutting down; send the photograph again")
            return worker.decode(data, header)
        finally:
            self._idle.put(worker)

    def check(self) -> None:
        """Wait until each worker has started. Raises DecoderUnavailable."""
        for worker in self._workers:
            worker.await_ready()

    def close(self) -> None:
        """End every worker, each after the photograph that it has in hand; later calls find the pool closed."""
        while self._workers:
            worker = self._idle.get()
            if worker is not None:
                worker.end()
                self._workers.remove(worker)
        self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Worker:
    """One process at a time, used by one thread at a time, and replaced when it has died or grown old.

    The successor of an old one is started beside it, so that no photograph waits for a start.
    """

    def __init__(self, limits: ImageLimits, deadline_s: float, most_pictures: int, memory_bytes: int) -> None:
        self._start = partial(_Process, limits, deadline_s, most_pictures, memory_bytes)
        self._now = self._start()
        self._next: _Process | None = None

    @property
    def pid(self) -> int:
        return self._now.pid

    def decode(self, data: bytes, header: Header) -> Pixels:
        """Raises ImageCorrupt, ImageFormatUnsupported, or DecoderUnavailable."""
        if self._now.dead:  # it died while it had nothing to do: not this photograph's fault
            self._replace()
        elif self._now.old:
            self._make_way()
        self.await_ready()
        answer = self._now.ask(data, header)
        try:
            if answer is DecoderAnswer.DECODED:
                return self._now.pixels(len(data), header)
            raise see_through() if answer is DecoderAnswer.UNSUPPORTED else undecodable(header)
        finally:
            if answer is None:
                self._replace()
            else:
                self._now.forget(len(data), header)

    def await_ready(self) -> None:
        """Return when the process has given up its rights. Raises DecoderUnavailable."""
        if not self._now.ready(_START_S):
            self._replace()
            raise DecoderUnavailable("decoder: a worker process did not start; look for a lack of memory or processes")

    def end(self) -> None:
        """They hold nothing that must be saved."""
        self._now.end()
        if self._next is not None:
            self._next.end()

    def _make_way(self) -> None:
        """Start the successor, or hand over to it when it is ready; one that can not be had is tried again."""
        if self._next is None:
            with suppress(DecoderUnavailable):
                self._next = self._start()
        elif self._next.dead:
            self._next.end()
            self._next = None
        elif self._next.ready(0):
            self._replace()

    def _replace(self) -> None:
        """Have another process for the next photograph; where none can be started, that one tries again."""
        self._now.end()
        if self._next is not None:
            self._now, self._next = self._next, None
            return
        with suppress(DecoderUnavailable):
            self._now = self._start()


class _Process:
    """One confined process, the channel to it, and the memory that both map."""

    def __init__(self, limits: ImageLimits, deadline_s: float, most_pictures: int, memory_bytes: int) -> None:
        """Raises DecoderUnavailable when no process can be started."""
        self._deadline_s, self._most_pictures = deadline_s, most_pictures
        # Reached by no honest worker: its successor is there long before.
        self._most_busy_s = 6 * deadline_s
        self._pictures, self._busy_s = 0, 0.0
        self._ready = False
        most_bytes = pixels_at(limits.max_bytes) + 3 * limits.max_pixels
        memory_fd = os.memfd_create("photograph", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(memory_fd, most_bytes)
        # A worker that could shrink the memory could kill the service at its next touch (SIGBUS).
        fcntl.fcntl(memory_fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        self._memory = mmap.mmap(memory_fd, most_bytes)
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cpu_s = int(2 * self._most_busy_s)
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own module, no shell, numbers for arguments
                [sys.executable, "-P", "-m", "idverify.vision.decoder_worker"]
                + [str(number) for number in (theirs.fileno(), memory_fd, memory_bytes, cpu_s)],
                pass_fds=(theirs.fileno(), memory_fd),
                env=_environment(limits),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise DecoderUnavailable(f"decoder: no worker process could be started ({error.strerror})") from None
        finally:
            theirs.close()
            os.close(memory_fd)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def dead(self) -> bool:
        return self._process.poll() is not None

    @property
    def old(self) -> bool:
        """Whether it has done its share, in pictures or in time."""
        return self._pictures >= self._most_pictures or self._busy_s >= self._most_busy_s

    def ready(self, timeout_s: float) -> bool:
        """Whether it has given up its rights, at the latest after `timeout_s`."""
        if not self._ready:
            self._channel.settimeout(timeout_s)
            try:
                self._ready = self._channel.recv(len(READY)) == READY
            except OSError:  # also when it was too slow
                return False
            self._channel.settimeout(self._deadline_s)
        return self._ready

    def ask(self, data: bytes, header: Header) -> DecoderAnswer | None:
        """None when the process died, did not answer in time, or answered with what is no answer."""
        began = time.monotonic()
        try:
            self._memory[: len(data)] = data
            self._channel.send(request(len(data), header))
            return DecoderAnswer(self._channel.recv(1)[0])
        except (OSError, IndexError, ValueError):
            return None
        finally:
            self._pictures += 1
            self._busy_s += time.monotonic() - began

    def pixels(self, length_bytes: int, header: Header) -> Pixels:
        """The one copy out of the shared memory, of the size that the header check made sure of."""
        turned = header.orientation >= 5
        height_px, width_px = (header.width_px, header.height_px) if turned else (header.height_px, header.width_px)
        shared = np.frombuffer(self._memory, np.uint8, 3 * width_px * height_px, pixels_at(length_bytes))
        return shared.reshape(height_px, width_px, 3).copy()

    def forget(self, length_bytes: int, header: Header) -> None:
        """Leave nothing of the photograph: overwritten, or where it was large, given back to the system."""
        used_bytes = pixels_at(length_bytes) + 3 * header.width_px * header.height_px
        if used_bytes > _KEPT_BYTES:
            self._memory.madvise(mmap.MADV_REMOVE)
        else:
            np.frombuffer(self._memory, np.uint8, used_bytes)[:] = 0

    def end(self) -> None:
        """It holds nothing that must be saved."""
        self._process.kill()
        self._process.wait()
        self._channel.close()
        self._memory.close()


def _environment(limits: ImageLimits) -> dict[str, str]:
    """Nothing of the service's own environment, which may hold a database password."""
    return {
        "PYTHONPATH": str(Path(idverify.__file__).parents[1]),
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(limits.max_pixels),
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_MMAP_THRESHOLD_": str(_KEPT_BYTES),
        "MALLOC_TRIM_THRESHOLD_": str(2 * _KEPT_BYTES),
    }
