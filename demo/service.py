"""A real deployment for the length of the story: its own folder, the real commands, the real API on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

_START_S = 60


@dataclass(frozen=True, slots=True)
class DemoDeployment:
    """A data folder, and the environment that points every command at it."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not _elsewhere(name)}
        return inherited | {"IDVERIFY_DATA_DIR": str(self.folder), "COLUMNS": "110"}

    def command(self, *words: str) -> str:
        """Run `idverify WORDS…` and return what it printed. Raises RuntimeError with its complaint."""
        return self._run([sys.executable, "-m", "idverify", *words])

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise RuntimeError(done.stderr.strip() or done.stdout.strip())
        return done.stdout

    @contextmanager
    def api(self) -> Iterator[str]:
        """Serve `python -m api` on a free loopback port; yields its address."""
        port = _free_port()
        with (self.folder / "api.log").open("wb") as log:
            command = [sys.executable, "-m", "api", "--host", "127.0.0.1", "--port", str(port)]
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)  # noqa: S603
            try:
                address = f"http://127.0.0.1:{port}"
                _wait_until_ready(address, process, self.folder / "api.log")
                yield address
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=_START_S)


@dataclass(frozen=True, slots=True)
class Agency:
    """An e-service with its key and purpose: calls the API as any other government system would."""

    address: str
    key: str
    purpose: str

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self._call("POST", path, {"purpose": self.purpose, **body})

    def get(self, path: str) -> dict[str, Any]:
        return self._call("GET", f"{path}?purpose={self.purpose}", None)

    def delete(self, path: str) -> dict[str, Any]:
        return self._call("DELETE", f"{path}?purpose={self.purpose}", None)

    def _call(self, method: str, path: str, body: Mapping[str, object] | None) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310  loopback only
            self.address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        try:
            with opened(request, timeout_s=30) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')}") from None
        return answer


def opened(request: urllib.request.Request | str, *, timeout_s: float) -> HTTPResponse:
    """The answer of the service on this machine: a proxy that the environment names is not asked."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    response: HTTPResponse = direct.open(request, timeout=timeout_s)
    return response


def image(photograph: bytes) -> str:
    """A photograph as JSON takes it."""
    return b64encode(photograph).decode()


def _elsewhere(name: str) -> bool:
    """Variables that would point the story at somebody's real deployment."""
    return name in {"IDVERIFY_DATABASE_URL", "IDVERIFY_ROOT_KEY_FILE", "IDVERIFY_HOST", "IDVERIFY_PORT"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_until_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(_START_S * 20):
        if process.poll() is not None:
            raise RuntimeError(f"the API did not start: {log.read_text(encoding='utf-8').strip()}")
        try:
            with opened(f"{address}/readyz", timeout_s=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError(f"the API was not ready within {_START_S} s; see {log}")
