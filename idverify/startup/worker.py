"""The program of one worker process of a start: opens the deployment as the service does and does pieces of its work.

It takes the pieces from the socket that it inherits, ends when the service does, and must not write anything anywhere.
"""

import os
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from idverify import keys
from idverify.processes import confine
from idverify.protection.envelope import Envelope
from idverify.startup.tasks import StartupTasks
from idverify.startup.workers import send, serve
from idverify.storage.database import Database

_NICENESS = 5
"""The service may be answering 1:1 meanwhile."""


def main(channel_fd: int) -> None:
    confine()
    os.nice(_NICENESS)
    with suppress(EOFError, OSError), Connection(channel_fd) as channel:
        address, root_keys, model, dimension = channel.recv()
        database = Database.open(address)
        opened = keys.open_keys(database, Path(root_keys))
        envelope = Envelope(opened.deployment, opened.keyring)
        tasks = StartupTasks(database, envelope, opened.checkpoint_signer.leaf_key, model, dimension)
        send(channel, ("ready",))
        serve(channel, tasks)


if __name__ == "__main__":
    main(int(sys.argv[1]))
