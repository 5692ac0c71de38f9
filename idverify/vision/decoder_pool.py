"""A pool of confined processes that decode photographs, so that a decoder fault costs one answer and not the service.

Bytes go in and pixels come out through memory that both sides map; a worker must not be believed in anything but one
byte, its answer. A photograph that kills, hangs or exhausts its worker is ImageCorrupt, and the worker is replaced.
"""

import fcntl
import mmap
import os
import socket
import time
from functools import partial

import numpy as np

from idverify.errors import DecoderUnavailable
from idverify.processes import PoolWorker, WorkerLost, WorkerPool
from idverify.vision.decoder_worker import READY, DecoderAnswer, pixels_at, request
from idverify.vision.header import Header
from idverify.vision.image import DEFAULT_LIMITS, ImageLimits, Pixels, see_through, undecodable

# Beyond what a worker uses at rest, for each pixel of the largest picture. Measured: the dearest picture, a progressive
# JPEG without subsampling, takes 12 bytes a pixel: its coefficients and two decoded copies.
_WORKING_BYTES_PER_PIXEL = 24
PICTURES_PER_WORKER = 10_000
"""A start takes 0.2 s of a core from the photographs of that moment. After 1,000 pictures, these were one in a hundred
at the load of two cores."""
# Memory that a worker keeps between pictures: fresh pages cost more than decoding does (measured: 1.3 ms at 480 x 640).
_KEPT_BYTES = 16 * 1024 * 1024


class _DecoderProcess(PoolWorker[socket.socket]):
    """One confined process, and the memory that both sides map."""

    def __init__(self, limits: ImageLimits, deadline_s: float, most_pictures: int, memory_bytes: int) -> None:
        self._pictures_left = most_pictures
        self._busy_left_s = 6 * deadline_s
        most_bytes = pixels_at(limits.max_bytes) + 3 * limits.max_pixels
        memory_fd = os.memfd_create("photograph", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(memory_fd, most_bytes)
            # A worker that could shrink the memory could kill the service at its next touch (SIGBUS).
            fcntl.fcntl(memory_fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
            self._memory = mmap.mmap(memory_fd, most_bytes)
            super().__init__(
                "idverify.vision.decoder_worker",
                socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET),
                memory_bytes,
                int(2 * self._busy_left_s),  # reached by no honest worker: its successor is there long before
                descriptors=[memory_fd],
                variables={
                    "OPENCV_IO_MAX_IMAGE_PIXELS": str(limits.max_pixels),
                    "MALLOC_MMAP_THRESHOLD_": str(_KEPT_BYTES),
                    "MALLOC_TRIM_THRESHOLD_": str(2 * _KEPT_BYTES),
                },
                deadline_s=deadline_s,
            )
        finally:
            os.close(memory_fd)

    def greeted(self) -> bool:
        """Whether it has given up its rights."""
        return self.channel.recv(len(READY)) == READY

    def decode(self, data: bytes, header: Header) -> tuple[DecoderAnswer, Pixels | None]:
        """Its answer, and the pixels of what it DECODED. Raises OSError or EOFError when it gives no answer."""
        answer = self._ask(data, header)
        pixels = self._pixels(len(data), header) if answer is DecoderAnswer.DECODED else None
        self._forget(len(data), header)
        return answer, pixels

    def end(self) -> None:
        super().end()
        self._memory.close()

    def _ask(self, data: bytes, header: Header) -> DecoderAnswer:
        began = time.monotonic()
        self._memory[: len(data)] = data
        self.channel.send(request(len(data), header))
        try:
            return DecoderAnswer(self.channel.recv(1)[0])
        except (IndexError, ValueError):
            raise EOFError from None  # it died, or said what is no answer
        finally:
            self._pictures_left -= 1
            self._busy_left_s -= time.monotonic() - began
            self.old = min(self._pictures_left, self._busy_left_s) <= 0

    def _pixels(self, length_bytes: int, header: Header) -> Pixels:
        """The one copy out of the shared memory, of the size that the header check made sure of."""
        turned = header.orientation >= 5
        height_px, width_px = (header.width_px, header.height_px) if turned else (header.height_px, header.width_px)
        shared = np.frombuffer(self._memory, np.uint8, 3 * width_px * height_px, pixels_at(length_bytes))
        return shared.reshape(height_px, width_px, 3).copy()

    def _forget(self, length_bytes: int, header: Header) -> None:
        """Leave nothing of the photograph: overwritten, or where it was large, given back to the system."""
        used_bytes = pixels_at(length_bytes) + 3 * header.width_px * header.height_px
        if used_bytes > _KEPT_BYTES:
            self._memory.madvise(mmap.MADV_REMOVE)
        else:
            np.frombuffer(self._memory, np.uint8, used_bytes)[:] = 0


class DecoderPool(WorkerPool[_DecoderProcess]):
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
        """Start the workers, and wait for none of them. `memory_bytes` (none: enough) is for decoding one picture.

        Raises DecoderUnavailable.
        """
        memory = limits.max_pixels * _WORKING_BYTES_PER_PIXEL if memory_bytes is None else memory_bytes
        start = partial(_DecoderProcess, limits, deadline_s, pictures_per_worker, memory)
        super().__init__("decoder", DecoderUnavailable, start, workers)

    def __call__(self, data: bytes, header: Header) -> Pixels:
        """Upright RGB pixels. Raises ImageCorrupt, ImageFormatUnsupported, or DecoderUnavailable."""
        try:
            with self.worker() as worker:
                answer, pixels = worker.decode(data, header)
        except WorkerLost:
            raise undecodable(header) from None
        if pixels is None:
            raise see_through() if answer is DecoderAnswer.UNSUPPORTED else undecodable(header)
        return pixels
