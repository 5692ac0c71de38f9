"""Finds the certificate of a caller: of our own TLS connection, or in a header of a trusted proxy; never of both.

1. with neither configured, there is no certificate, whatever a caller sends;
2. over mutual TLS it is the one that the connection was made with: no header is looked at;
3. the header counts from a peer on the list of proxies only, by the address of the connection itself, which no
   header changes (`api.server` keeps uvicorn from rewriting it);
4. a header of a trusted proxy that stands twice or does not hold a certificate is refused, not ignored.
"""

import base64
import binascii
import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

from fastapi import Request

from idverify.clients.credentials import base64url
from idverify.errors import CredentialInvalid
from idverify.settings import Settings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PEER_CERTIFICATE = "peer_certificate"
"""Under this name `api.server` leaves the DER certificate of a connection in the state of its requests."""


@dataclass(frozen=True, slots=True)
class CertificateSource:
    """Where client certificates come from in this deployment."""

    mutual_tls: bool
    proxies: tuple[Network, ...]
    header: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        parts = filter(None, settings.trusted_proxies.split(","))
        return cls(
            mutual_tls=settings.tls_client_ca_file is not None,
            proxies=tuple(ipaddress.ip_network(part.strip()) for part in parts),
            header=settings.client_certificate_header,
        )

    @property
    def expected(self) -> bool:
        """Whether callers of this deployment show certificates at all."""
        return self.mutual_tls or bool(self.proxies)

    def thumbprint(self, request: Request) -> str | None:
        """x5t#S256 (RFC 8705 section 3.1) of the caller's certificate, or None. Raises CredentialInvalid."""
        der = self._certificate(request)
        return None if der is None else base64url(hashlib.sha256(der).digest())

    def _certificate(self, request: Request) -> bytes | None:
        # 1. and 2.
        if self.mutual_tls:
            der: bytes | None = getattr(request.state, PEER_CERTIFICATE, None)
            return der
        # 3.
        if not self.trusts(request.client.host if request.client else ""):
            return None
        # 4.
        values = request.headers.getlist(self.header)
        if len(values) > 1:
            raise CredentialInvalid("expected one client certificate from the proxy")
        return _decoded(values[0]) if values and values[0] else None

    def trusts(self, address: str) -> bool:
        """Whether a connection from `address` is one of a proxy's."""
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped:
            peer = peer.ipv4_mapped
        return any(peer in network for network in self.proxies)


def _decoded(value: str) -> bytes:
    """RFC 9440 (`:base64 of DER:`), or PEM percent-encoded, as nginx writes it."""
    try:
        if value.startswith(":") and value.endswith(":") and len(value) > 2:
            return base64.b64decode(value[1:-1], validate=True)
        return ssl.PEM_cert_to_DER_cert(unquote(value, errors="strict"))
    except (ValueError, binascii.Error):
        raise CredentialInvalid("the proxy's header does not hold a certificate") from None
