"""A worker program for the tests of `idverify.processes`: says that it is ready, then does what it is asked.

`python -m tests.idverify.worker_program CHANNEL [DESCRIPTOR MEMORY_BYTES CPU_S]`: with limits it gives up its rights.
"""

import os
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from idverify.processes import confine, give_up_rights


def answer(asked: str, argument: str) -> str:
    try:
        match asked:
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                time.sleep(600)
            case "core limit":
                return str(resource.getrlimit(resource.RLIMIT_CORE))
            case "open":
                return f"{len(Path(argument).read_bytes())} bytes"
            case "connect":
                with socket.socket(socket.AF_UNIX) as outside:
                    outside.connect(argument)
                return "connected"
    except OSError as error:
        return f"refused: {error.strerror}"
    return argument


def main(channel_fd: int, *limits: int) -> None:
    if limits:
        give_up_rights(*limits[1:])
    else:
        confine()
    with suppress(EOFError, OSError), Connection(channel_fd) as channel:
        channel.send("ready")
        while True:
            channel.send(answer(*channel.recv()))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
