"""A process with every module and model loaded that forks a serving API at each order, so that one starts at once."""

import json
import os
import socket
import sys
from pathlib import Path

import uvicorn

from api.app import create_app
from idverify.access import no_progress
from idverify.administration.deployment import Deployment
from idverify.engine import Engine
from idverify.settings import Settings
from idverify.vision.manifest import ModelFiles, load_manifest
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime


def serve(settings: Settings, reader: Reader, listening: socket.socket) -> None:
    """What `python -m api` does, on a socket that listens already: who connects waits for the galleries."""
    engine = Engine(Deployment.open(settings), reader)
    engine.galleries_in_memory.load(no_progress)
    config = uvicorn.Config(create_app(engine), log_config=None, access_log=False, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])


def main(model_dir: Path) -> None:
    """Fork a service for each line of settings on stdin; print its process id and port, and then how it ended."""
    files = ModelFiles(model_dir, model_dir)
    reader = Reader.open(load_manifest().choose("", files), files, Runtime(threads=1))
    print("ready", flush=True)
    for line in sys.stdin:
        listening = socket.create_server(("127.0.0.1", 0))
        child = os.fork()
        if child == 0:
            try:
                serve(Settings.read(**json.loads(line)), reader, listening)
            except BaseException as error:  # noqa: BLE001  whatever it is, the parent's loop is not ours to go on with
                sys.stderr.write(f"service: {type(error).__name__}: {error}\n")
                os._exit(1)
            os._exit(0)
        print(child, listening.getsockname()[1], flush=True)
        listening.close()
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
