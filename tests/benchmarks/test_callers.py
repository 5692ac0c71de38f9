"""Callers count every answer, keep their pace, and notice what was not answered with 200."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.callers import call, request


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = self.path == "/good" and b"photograph" in body and self.headers["Authorization"] == "Bearer key"
        self.send_response(200 if good else 422)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"x" * 100_000)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the name of the standard library
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_every_request_is_counted_and_paced(url: str) -> None:
    good = request("/good", "key", {"gallery": "g"}, b"photograph")
    answers = call(url, [good], callers=4, duration_s=0.5, pace_s=0.01)
    assert (len(answers.latency_s), answers.failed) == (50, 0)
    assert answers.elapsed_s >= 0.49
    assert 0 < answers.quantile_ms(0.5) <= answers.quantile_ms(0.99)


def test_what_is_not_answered_with_200_is_told(url: str) -> None:
    mixed = [request(path, "key", {}, b"photograph") for path in ("/good", "/bad")]
    answers = call(url, mixed, callers=2, duration_s=0.2)
    assert 0 < answers.failed < len(answers.latency_s)
