"""The program that decodes photographs for `idverify.vision.decoder_pool`, in a process that can do nothing else.

It gives up files, sockets, memory and time before the first photograph comes, and must never write, log or keep one.
"""

import ctypes
import mmap
import os
import resource
import signal
import socket
import struct
import sys
from enum import IntEnum
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from idverify.errors import ImageCorrupt, ImageFormatUnsupported
from idverify.vision.header import Header
from idverify.vision.image import decode_as_stored, upright

READY = b"ready"
_REQUEST = struct.Struct("=IIIBBB?")  # length in bytes, stored width and height in px, channels, orientation, …
_ALIGNMENT_BYTES = 64
# From linux/prctl.h.
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


class DecoderAnswer(IntEnum):
    """What the worker says of a photograph. One byte, and never text: nothing that a picture chose is passed on."""

    DECODED = 0
    CORRUPT = 1
    UNSUPPORTED = 2


def pixels_at(length_bytes: int) -> int:
    """Where, in the memory shared by both sides, the pixels begin: behind a photograph of this length."""
    return -(-length_bytes // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES


def request(length_bytes: int, header: Header) -> bytes:
    """What the worker must know of a photograph: its length, and what the header check made of it."""
    return _REQUEST.pack(
        length_bytes,
        header.width_px,
        header.height_px,
        header.channels,
        header.orientation,
        header.format == "png",
        header.several_scans,
    )


def confine(memory_bytes: int, cpu_s: int) -> None:
    """Give up, for good, what a decoder never needs; `memory_bytes` is on top of what the process uses already.

    Nothing more can be opened: with a limit of 0 descriptors, every call that would give a new one (a file, a socket,
    a pipe, a copy) fails. The root user could lift the limits again, so the service should not run as root.
    """
    used_bytes = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    libc = ctypes.CDLL(None, use_errno=True)
    for limit, most in (
        (resource.RLIMIT_AS, used_bytes + memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),  # a core file would hold the photograph
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    for option, value in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_DUMPABLE, 0)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def serve(channel: socket.socket, memory: npt.NDArray[np.uint8]) -> None:
    """Answer one request after the other until the other side is gone, for whatever reason."""
    while asked := channel.recv(_REQUEST.size):
        length_bytes, width_px, height_px, channels, orientation, is_png, several_scans = _REQUEST.unpack(asked)
        header = Header(
            "png" if is_png else "jpeg", width_px, height_px, channels, orientation, None, several_scans=several_scans
        )
        channel.send(bytes([_decode(memory, length_bytes, header)]))


def _decode(memory: npt.NDArray[np.uint8], length_bytes: int, header: Header) -> DecoderAnswer:
    """Anything but a refusal ends the process: after an unknown fault nobody knows what its memory holds."""
    try:
        pixels = upright(decode_as_stored(memory[:length_bytes].tobytes(), header), header.orientation)
    except ImageCorrupt:
        return DecoderAnswer.CORRUPT
    except ImageFormatUnsupported:
        return DecoderAnswer.UNSUPPORTED
    start = pixels_at(length_bytes)
    np.copyto(memory[start : start + pixels.size].reshape(pixels.shape), pixels)
    return DecoderAnswer.DECODED


def main(channel_fd: int, memory_fd: int, memory_bytes: int, cpu_s: int) -> None:
    """The arguments are the inherited descriptors of the channel and the shared memory, then the limits."""
    for each in (signal.SIGINT, signal.SIGTERM):  # sent to a whole group; the service says when its workers end
        signal.signal(each, signal.SIG_IGN)
    cv2.setNumThreads(1)
    channel = socket.socket(fileno=channel_fd)
    memory = np.frombuffer(mmap.mmap(memory_fd, 0), np.uint8)
    os.close(memory_fd)
    confine(memory_bytes, cpu_s)
    channel.send(READY)
    serve(channel, memory)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
