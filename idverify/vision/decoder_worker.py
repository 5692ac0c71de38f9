"""The program that decodes photographs for `idverify.vision.decoder_pool`, in a process that can do nothing else.

It gives up files, sockets, memory and time before the first photograph comes, and must never write, log or keep one.
"""

import mmap
import os
import socket
import struct
import sys
from enum import IntEnum

import cv2
import numpy as np
import numpy.typing as npt

from idverify.errors import ImageCorrupt, ImageFormatUnsupported
from idverify.processes import give_up_rights
from idverify.vision.header import Header
from idverify.vision.image import decode_as_stored, upright

READY = b"ready"
_REQUEST = struct.Struct("=IIIBBB?")  # length in bytes, stored width and height in px, channels, orientation, …
_ALIGNMENT_BYTES = 64


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
    cv2.setNumThreads(1)
    channel = socket.socket(fileno=channel_fd)
    memory = np.frombuffer(mmap.mmap(memory_fd, 0), np.uint8)
    os.close(memory_fd)
    give_up_rights(memory_bytes, cpu_s)
    channel.send(READY)
    serve(channel, memory)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
