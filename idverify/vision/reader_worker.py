"""The program of one reader process: opens the networks and reads one photograph after the other.

It ends when the other side does, writes nothing anywhere, and keeps nothing of a photograph that it has answered.
"""

import gc
import random
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import cv2

from idverify.errors import IdverifyError
from idverify.processes import confine
from idverify.vision.decoder_pool import PICTURES_PER_WORKER, DecoderPool
from idverify.vision.reader import Reader, Reading
from idverify.vision.reader_messages import Networks, Order, Parts, Told, portable
from idverify.vision.runtime import Runtime
from idverify.vision.stages import Stage


def serve(channel: Connection, reader: Reader) -> None:
    """Answer one request after the other until the other side is gone. Anything but our own errors ends the process."""
    stages: list[tuple[Stage, float]] = []
    reader.stages.listen(lambda stage, duration_s: stages.append((stage, duration_s)))
    while True:
        method, data, policy = channel.recv()
        try:
            result: Any = getattr(reader, method)(data, policy)
        except IdverifyError as error:
            result = error
        if isinstance(result, Reading):
            result = Parts.of(result)
        elif isinstance(result, tuple):
            result = portable(result)
        channel.send(Told(result, tuple(stages)))
        stages.clear()
        del data, result


def main(channel_fd: int) -> None:
    """The argument is the inherited descriptor of the channel, over which the `Order` comes."""
    confine()
    cv2.setNumThreads(1)
    with suppress(EOFError, OSError), Connection(channel_fd) as channel:
        order: Order = channel.recv()
        # Readers share the photographs evenly: with equal shares, all their decoders would be replaced at one moment.
        share = random.randint(PICTURES_PER_WORKER // 2, PICTURES_PER_WORKER)
        with DecoderPool(1, pictures_per_worker=share) as decoder:
            try:
                reader = Reader.open(order.model_set, order.model_files, Runtime(order.threads), decoder)
                decoder.check()
            except IdverifyError as error:
                channel.send(Told(error))
                return
            gc.freeze()  # all that is there stays: a collection that went through it would take 0.1 s
            channel.send(Told(Networks(reader.model, reader.dimension)))
            serve(channel, reader)


if __name__ == "__main__":
    main(int(sys.argv[1]))
