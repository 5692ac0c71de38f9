"""Says how uvicorn serves the application: address, TLS, limits of a connection, and the certificate of its peer.

It must not trust a header about who the peer is.
"""

import asyncio
import gc
import ssl
import stat
import sys
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.certificates import PEER_CERTIFICATE
from idverify.errors import ConfigurationInvalid
from idverify.settings import Settings

_SWITCH_S = 0.0005
"""How long one thread may keep the others from running. Python's 5 ms are longer than an answer's own work, and who
writes waits for its next turn with the database locked (measured: a tenth fewer answers a second)."""
_STOP_WITHIN_S = 30
"""How long requests that are being answered may take after the signal to stop."""
_MOST_HEAD_BYTES = 65_536
"""What a request may have besides its body: first line, headers, trailers, and what frames its chunks."""


class _PeerAwareProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, which also hands the peer's verified certificate on (its ASGI scope has no place for it), and
    ends the connection of a caller whose headers do not end: the parser would keep more and more of them.
    """

    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        certificate = None if tls is None else tls.getpeercert(binary_form=True)
        # Copied into the state of each request of this connection, and of no other.
        self.app_state = {**self.app_state, PEER_CERTIFICATE: certificate}

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > _MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(f"Expected at most {_MOST_HEAD_BYTES} bytes of headers.")

    def on_body(self, body: bytes) -> None:
        self._head_bytes -= len(body)  # `api.limits` bounds bodies
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        super().on_message_complete()


def keep_pauses_short() -> None:
    """For a process that serves, once all its parts are there: threads take short turns, and what is there now is never
    gone through for garbage again (measured: 80 to 190 ms in which nobody is answered).
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()


def server_config(
    app: FastAPI, settings: Settings, tls: ssl.SSLContext | None, logs: dict[str, Any] | None
) -> uvicorn.Config:
    """`tls`: what `tls_context` made of the settings; `logs`: for `logging.config`, None: leave them as they are."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=_PeerAwareProtocol,
        loop="uvloop",
        ws="none",
        # A peer is who the connection is from: X-Forwarded-For would let a caller choose its address.
        proxy_headers=False,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        log_config=logs,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_WITHIN_S,
    )


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """None without a certificate file. With a client authority, nobody connects without a certificate of it.

    Raises ConfigurationInvalid for files that are missing, readable by others, or do not fit together.
    """
    if settings.tls_certificate_file is None or settings.tls_key_file is None:
        return None
    _check_private(settings.tls_key_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # An encrypted key would make OpenSSL ask at the terminal.
        context.load_cert_chain(settings.tls_certificate_file, settings.tls_key_file, password="")
        if settings.tls_client_ca_file is not None:
            context.load_verify_locations(settings.tls_client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
            # Every connection shows its certificate anew: a ticket would outlive the certificate that it stands for.
            context.num_tickets = 0
            context.options |= ssl.OP_NO_TICKET
    except OSError as error:
        raise ConfigurationInvalid(
            f"TLS files: {error.strerror or error.reason if isinstance(error, ssl.SSLError) else error}; expected PEM: "
            "a certificate chain, its unencrypted key, and the authorities of clients"
        ) from None
    return context


def _check_private(key_file: Path) -> None:
    try:
        mode = key_file.stat().st_mode
    except OSError as error:
        raise ConfigurationInvalid(f"TLS key file {key_file} cannot be opened: {error.strerror}") from None
    if mode & 0o077:
        raise ConfigurationInvalid(
            f"TLS key file {key_file} has mode {stat.S_IMODE(mode):04o}: others can read it; run `chmod 400 {key_file}`"
        )
