"""The program of one worker process of a start: opens the deployment as the service does and works on parts of it.

It takes its orders from the socket that it inherits, ends when the other side does, and writes nothing anywhere.
"""

import os
import resource
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from idverify import keys
from idverify.protection.envelope import Envelope
from idverify.startup.tasks import StartupTasks
from idverify.startup.workers import send, serve
from idverify.storage.database import Database

_NICENESS = 5
"""The service may be answering 1:1 meanwhile."""


def main(channel_fd: int) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):  # sent to a whole group; the service says when its workers end
        signal.signal(each, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold templates
    os.nice(_NICENESS)
    with suppress(EOFError, OSError), Connection(channel_fd) as channel:
        address, root_keys, model, dimension = channel.recv()
        database = Database.open(address)
        opened = keys.open_keys(database, Path(root_keys))
        tasks = StartupTasks(database, Envelope(opened.deployment, opened.keyring), model, dimension)
        send(channel, ("ready",))
        serve(channel, tasks)


if __name__ == "__main__":
    main(int(sys.argv[1]))
