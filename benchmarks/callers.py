"""Clients that call the service at a given rate or as fast as it answers; they use little processor time of their own.

Each has one connection, sends requests that were assembled before, and reads no more of an answer than it must.
"""

import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

_BOUNDARY = "benchmark-boundary"


@dataclass(frozen=True, slots=True)
class Answers:
    """What came back: elapsed seconds of each request, the time that all took, and how many were not 200."""

    latency_s: npt.NDArray[np.float64]
    elapsed_s: float
    failed: int

    @property
    def per_second(self) -> float:
        return len(self.latency_s) / self.elapsed_s

    def quantile_ms(self, share: float) -> float:
        return 1000 * float(np.quantile(self.latency_s, share))


def request(path: str, key: str, fields: dict[str, str], photograph: bytes) -> bytes:
    """The bytes of one POST as multipart/form-data."""
    parts = "".join(
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    image = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'
    body = (parts + image).encode() + photograph + f"\r\n--{_BOUNDARY}--\r\n".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: benchmark\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: multipart/form-data; boundary={_BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def call(url: str, requests: Sequence[bytes], *, callers: int, duration_s: float, pace_s: float = 0.0) -> Answers:
    """Send the requests, over and over, for that long: by `callers` at once, each when it is answered.

    With `pace_s`, one is due so many seconds after the other, whoever is free; a request's time counts from when it was
    due, so that one that found nobody free is not made to look quick.
    """
    address = urlsplit(url)
    began_s = time.perf_counter()
    lock = threading.Lock()
    sent = 0
    taken: list[float] = []
    failed = 0

    def work() -> None:
        nonlocal sent, failed
        with socket.create_connection((address.hostname, address.port), timeout=60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    number, sent = sent, sent + 1
                due_s = began_s + number * pace_s if pace_s else time.perf_counter()
                if due_s - began_s >= duration_s:
                    return
                time.sleep(max(0.0, due_s - time.perf_counter()))
                connection.sendall(requests[number % len(requests)])
                status = _status(connection)
                taken.append(time.perf_counter() - due_s)
                failed += status != 200

    threads = [threading.Thread(target=work) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Answers(np.array(taken), time.perf_counter() - began_s, failed)


def _status(connection: socket.socket) -> int:
    """Read one answer to its end."""
    received = connection.recv(65_536)
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += connection.recv(65_536)
    head = received[:end].lower()
    length = int(head[head.index(b"content-length:") + 15 :].split(b"\r\n", 1)[0])
    missing = end + 4 + length - len(received)
    while missing > 0:
        missing -= len(connection.recv(65_536))
    return int(head[9:12])
