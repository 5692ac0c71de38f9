"""The service that `benchmarks.load` puts under load: `python -m api` on a deployment, with strangers in its gallery.

The strangers are simulated embeddings that stand in memory only, so that a search has a nation to go through.
"""

import sys
from pathlib import Path

import numpy as np
import uvicorn

from api.app import create_app
from api.logs import configuration
from api.server import keep_pauses_short, server_config
from benchmarks.register import REGISTER, unlimited
from idverify.engine import Engine
from idverify.ids import EncounterId, PersonId

_BLOCK = 65_536
_LOADED_WITHIN_S = 600


def main(folder: Path, strangers: Path) -> None:
    """Serve the deployment in `folder`; `strangers`: a file of float32 vectors (numpy), or one that is not there."""
    settings = unlimited(folder, port=0)
    with Engine.open(settings, serving=True) as engine:
        engine.follower.start(lambda *_: None, refused=lambda: None)
        engine.follower.await_loaded(_LOADED_WITHIN_S)
        if strangers.exists():
            with engine.database.read() as connection:
                gallery = engine.galleries_in_memory.caught_up(connection, REGISTER)
            vectors = np.load(strangers)
            for start in range(0, len(vectors), _BLOCK):
                block = vectors[start : start + _BLOCK]
                names = [f"S-{number}" for number in range(start, start + len(block))]
                gallery.add_block(list(map(PersonId, names)), list(map(EncounterId, names)), block)
            gallery.settle()
        server = uvicorn.Server(server_config(create_app(engine), settings, None, configuration()))
        keep_pauses_short()
        server.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
