"""Pulling models from a real HTTP server that misbehaves, and from a folder."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from idverify.errors import ConfigurationInvalid, ModelDownloadFailed
from idverify.vision.download import ATTEMPTS, pull
from idverify.vision.manifest import ModelFile, ModelSet, NetworkRole

CONTENT = bytes(range(256)) * 2000


@dataclass
class Source:
    """A server on loopback; `behave` is called with the handler and the number of the request, from 1."""

    url: str
    behave: Callable[[BaseHTTPRequestHandler, int], None]
    requests: list[str] = field(default_factory=list)


def send(handler: BaseHTTPRequestHandler, body: bytes, length: int | None = None, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def serve_well(handler: BaseHTTPRequestHandler, _: int) -> None:
    send(handler, CONTENT)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    state = Source("", serve_well)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.path)
            state.behave(self, len(state.requests))
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def wanted(model_set: ModelSet, source: Source) -> ModelSet:
    """A set of one small file at the local source."""
    return one_file_set(model_set, f"{source.url}/weights.onnx")


def one_file_set(model_set: ModelSet, url: str) -> ModelSet:
    file = replace(
        model_set.files[NetworkRole.DETECTOR],
        name="weights.onnx",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        size_bytes=len(CONTENT),
        source_url=url,
    )
    return replace(model_set, files={NetworkRole.DETECTOR: file})


def only_file(model_set: ModelSet) -> ModelFile:
    return model_set.files[NetworkRole.DETECTOR]


def test_a_file_is_fetched_checked_and_shown(wanted: ModelSet, tmp_path: Path) -> None:
    shown: list[tuple[str, int, int]] = []
    pull(wanted, tmp_path / "new" / "folder", progress=lambda *step: shown.append(step))
    assert (tmp_path / "new" / "folder" / "weights.onnx").read_bytes() == CONTENT
    assert shown[-1] == ("weights.onnx", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in shown] == sorted(done for _, done, _ in shown)


def test_a_file_that_is_right_already_is_not_fetched_again(wanted: ModelSet, source: Source, tmp_path: Path) -> None:
    pull(wanted, tmp_path)
    pull(wanted, tmp_path)
    assert len(source.requests) == 1


def test_a_file_that_was_altered_is_replaced(wanted: ModelSet, tmp_path: Path) -> None:
    (tmp_path / "weights.onnx").write_bytes(b"altered")
    pull(wanted, tmp_path)
    assert (tmp_path / "weights.onnx").read_bytes() == CONTENT


def test_a_cut_connection_starts_over_from_the_first_byte(wanted: ModelSet, source: Source, tmp_path: Path) -> None:
    def cut_once(handler: BaseHTTPRequestHandler, number: int) -> None:
        send(handler, CONTENT[: len(CONTENT) // 2] if number == 1 else CONTENT, len(CONTENT))

    source.behave = cut_once
    pull(wanted, tmp_path, pause_s=0)
    assert (tmp_path / "weights.onnx").read_bytes() == CONTENT
    assert len(source.requests) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["weights.onnx"]


def test_a_connection_that_is_always_cut_fails_and_leaves_nothing(
    wanted: ModelSet, source: Source, tmp_path: Path
) -> None:
    source.behave = lambda handler, _: send(handler, CONTENT[:1000], len(CONTENT))
    with pytest.raises(ModelDownloadFailed, match="--from DIR"):
        pull(wanted, tmp_path, pause_s=0)
    assert len(source.requests) == ATTEMPTS
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("body", [CONTENT[::-1], CONTENT + b"\0"], ids=["same size", "too long"])
def test_a_wrong_file_is_refused_and_leaves_nothing(
    wanted: ModelSet, source: Source, tmp_path: Path, body: bytes
) -> None:
    source.behave = lambda handler, _: send(handler, body)
    with pytest.raises(ModelDownloadFailed, match="nothing was kept"):
        pull(wanted, tmp_path, pause_s=0)
    assert len(source.requests) == 1, "a wrong file is no hiccup: asking again would be pointless"
    assert not list(tmp_path.iterdir())


def test_a_wrong_file_does_not_replace_what_is_there(wanted: ModelSet, source: Source, tmp_path: Path) -> None:
    (tmp_path / "weights.onnx").write_bytes(b"older version")
    source.behave = lambda handler, _: send(handler, CONTENT[::-1])
    with pytest.raises(ModelDownloadFailed):
        pull(wanted, tmp_path, pause_s=0)
    assert (tmp_path / "weights.onnx").read_bytes() == b"older version"


def test_an_absent_file_fails_at_once_with_the_address(wanted: ModelSet, source: Source, tmp_path: Path) -> None:
    source.behave = lambda handler, _: send(handler, b"", status=404)
    with pytest.raises(ModelDownloadFailed, match=rf"{source.url}.*404"):
        pull(wanted, tmp_path, pause_s=0)
    assert len(source.requests) == 1


def test_a_busy_server_is_asked_again(wanted: ModelSet, source: Source, tmp_path: Path) -> None:
    source.behave = lambda handler, number: send(
        handler, CONTENT if number == 3 else b"", status=200 if number == 3 else 503
    )
    pull(wanted, tmp_path, pause_s=0)
    assert len(source.requests) == 3


def test_a_redirect_is_not_followed(wanted: ModelSet, source: Source, tmp_path: Path) -> None:
    def redirect(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/elsewhere")
        handler.end_headers()

    source.behave = redirect
    with pytest.raises(ModelDownloadFailed, match="302"):
        pull(wanted, tmp_path, pause_s=0)
    assert source.requests == ["/weights.onnx"]


@pytest.mark.parametrize("url", ["http://example.org/weights.onnx", "file:///etc/hostname", "ftp://127.0.0.1/x"])
def test_only_encrypted_sources_are_asked(model_set: ModelSet, tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="https"):
        pull(one_file_set(model_set, url), tmp_path, pause_s=0)


def test_an_unreachable_source_fails_clearly(
    model_set: ModelSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(ModelDownloadFailed, match=r"weights\.onnx"):
        pull(one_file_set(model_set, "http://127.0.0.1:9/weights.onnx"), tmp_path, pause_s=0)


def test_a_folder_serves_as_source_under_the_same_checks(wanted: ModelSet, source: Source, tmp_path: Path) -> None:
    folder, target = tmp_path / "folder", tmp_path / "target"
    folder.mkdir()
    (folder / "weights.onnx").write_bytes(CONTENT)
    pull(wanted, target, source_dir=folder)
    assert (target / only_file(wanted).name).read_bytes() == CONTENT
    assert not source.requests


@pytest.mark.parametrize("content", [None, CONTENT[:-1], CONTENT[::-1]], ids=["absent", "cut", "altered"])
def test_a_folder_without_the_right_file_is_refused(wanted: ModelSet, tmp_path: Path, content: bytes | None) -> None:
    folder, target = tmp_path / "folder", tmp_path / "target"
    folder.mkdir()
    if content is not None:
        (folder / "weights.onnx").write_bytes(content)
    with pytest.raises(ModelDownloadFailed):
        pull(wanted, target, source_dir=folder)
    assert not list(target.iterdir())


def test_a_target_that_cannot_be_a_folder_is_a_configuration_error(wanted: ModelSet, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationInvalid, match="could not be made"):
        pull(wanted, tmp_path / "file")
