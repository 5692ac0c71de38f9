"""Opens the engine, serves the API until a signal to stop, finishes the requests that it took, and closes the engine.

This is `python -m api`. A large deployment is served before its galleries are loaded; when loading finds them altered,
the process ends and says so. It must never serve what failed a check.
"""

import logging
import signal
from types import FrameType
from typing import Annotated, NoReturn

import typer
import uvicorn

from api.app import create_app
from api.logs import configuration
from api.server import keep_pauses_short, server_config, tls_context
from idverify.cli.terminal import progress_bar, run, tell_model_set
from idverify.engine import Engine
from idverify.settings import Settings

_LISTEN_AFTER_S = 3
"""What takes no longer to load is loaded when the service begins to listen; with more, 1:1 is answered from here on."""

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else IDVERIFY_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port, 0: a free one; else IDVERIFY_PORT.")
    ] = None,
) -> None:
    """Serve the verification API. Everything else comes from IDVERIFY_… variables."""
    logging.captureWarnings(True)  # into the log, where the formatter withholds what it does not know
    # uvicorn raises the signal again when it is done, which by default ends the process before the engine is closed.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _leave)
    chosen = {name: value for name, value in {"host": host, "port": port}.items() if value is not None}
    settings = Settings.read(**chosen)
    tls = tls_context(settings)
    with Engine.open(settings, serving=True) as engine:
        tell_model_set(engine.deployment.model_set)
        server = uvicorn.Server(server_config(create_app(engine), settings, tls, configuration()))
        with progress_bar() as progress:
            engine.follower.start(progress, refused=lambda: setattr(server, "should_exit", True))
            engine.follower.await_loaded(_LISTEN_AFTER_S)
        keep_pauses_short()
        server.run()
        engine.follower.await_loaded(0)


def _leave(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    run(cli)
