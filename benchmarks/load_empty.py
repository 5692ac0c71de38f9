"""An endpoint that only reads the photograph that it is sent: what HTTP alone leaves of the recipe's rate.

It checks no client, counts nothing, records nothing and signs nothing; framework, server and body are the service's.
"""

import socket
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI, File, Form, UploadFile

from api.server import keep_pauses_short
from benchmarks.models import open_reader
from idverify.vision.reader import ReadingPolicy
from idverify.vision.runtime import Runtime


def main(descriptor: int) -> None:
    """Serve on the listening socket of that number until the process is ended."""
    reader, policy = open_reader(Runtime(threads=1)), ReadingPolicy.verification()
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False})

    @app.post("/v1/verifications")
    def read(
        gallery: Annotated[str, Form()],  # noqa: ARG001  sent like those of a verification
        person: Annotated[str, Form()],  # noqa: ARG001
        purpose: Annotated[str, Form()],  # noqa: ARG001
        image: Annotated[UploadFile, File()],
    ) -> dict[str, str]:
        reader.read(image.file.read(), policy)
        return {"outcome": "read"}

    keep_pauses_short()
    config = uvicorn.Config(app, loop="uvloop", http="httptools", ws="none", log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=descriptor)])


if __name__ == "__main__":
    typer.run(main)
