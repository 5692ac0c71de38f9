"""What the server takes from a connection before any request is known: heads that do not end are not kept."""

import socket
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from idverify.clients.agencies import Scope
from tests.api.conftest import Service

PIECE = b"x" * 16_384
ENOUGH = 40
"""Pieces that no honest head comes to."""


@pytest.mark.parametrize(
    "begun",
    [
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Endless: ",
        b"GET /healthz?",
        b"POST /oauth/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Endless: ",
        b"POST /oauth/token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;",
    ],
    ids=["header", "address", "trailer", "chunk extension"],
)
def test_a_head_that_does_not_end_ends_the_connection(service: Service, begun: bytes) -> None:
    with _connected(service) as connection:
        connection.sendall(begun)
        assert _refused(connection)
    assert service.stranger().get("/healthz").status_code == 200


def test_many_headers_are_taken_up_to_the_limit(service: Service) -> None:
    with closing(HTTPConnection(urlsplit(service.url).netloc, timeout=30)) as connection:
        for _ in range(3):  # on one connection, where each request has the whole limit
            connection.request("GET", "/healthz", headers={"X-Long": "x" * 60_000})
            answer = connection.getresponse()
            assert (answer.status, answer.read()) == (200, b'{"status":"ok"}')


def test_a_body_in_small_chunks_is_no_head(service: Service) -> None:
    with service.client(Scope.VERIFY) as client:
        body = b"x" * 2_000_000
        chunks = (body[start : start + 512] for start in range(0, len(body), 512))
        headers = {"Content-Type": "application/json"}
        refused = client.post("/v1/verifications", content=chunks, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "request_invalid")


def _connected(service: Service) -> socket.socket:
    address = urlsplit(service.url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def _refused(connection: socket.socket) -> bool:
    """Whether the connection is ended while more and more is sent."""
    try:
        for _ in range(ENOUGH):
            connection.sendall(PIECE)
        while connection.recv(65_536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True
