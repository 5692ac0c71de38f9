"""Certificates: over mutual TLS, or from a trusted proxy's header only; what is bound to one needs that one."""

from __future__ import annotations

import base64
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import jwt
import pytest

from api.certificates import CertificateSource
from api.server import tls_context
from idverify.access import Access
from idverify.clients.agencies import Scope
from idverify.clients.credentials import Credential
from idverify.errors import ConfigurationInvalid
from idverify.ids import ClientId, GalleryId, RequestId
from idverify.settings import Settings
from tests.api.test_main import command, listening
from tests.proofs import Identity, assertion, authority, issued, key_of, pem, private_pem

if TYPE_CHECKING:
    from tests.api.conftest import Problem, Serve, Service

ADMINISTRATION = Access(RequestId("tests-api"), "administration")
RIGHTS: dict[str, Any] = {
    "scopes": [Scope.VERIFY],
    "galleries": [GalleryId("demo-register")],
    "purposes": ["tax-filing"],
    "sees_scores": False,
    "access": ADMINISTRATION,
}
HEADER = "Client-Cert"
_numbers = count(1)


@pytest.fixture(scope="module")
def root() -> Identity:
    return authority()


@pytest.fixture(scope="module")
def tls_files(root: Identity, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of a server's identity and of the authority of its clients, as settings name them."""
    folder, server = tmp_path_factory.mktemp("tls"), issued(root, "server", server=True)
    files = {
        "tls_certificate_file": (folder / "server.pem", server.pem),
        "tls_key_file": (folder / "server.key", private_pem(server.key)),
        "tls_client_ca_file": (folder / "clients.pem", root.pem),
    }
    for path, content in files.values():
        path.write_bytes(content)
        path.chmod(0o400)
    return {name: path for name, (path, _) in files.items()}


@dataclass
class CertificateAccess:
    """A service and a way to come to it with a certificate."""

    service: Service
    headers_of: Callable[[Identity | None], dict[str, str]] = field(default=lambda _: {})
    files: Path | None = None
    root: Identity | None = None

    def come(self, shown: Identity | None, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self.headers_of(shown), **more.pop("headers", {})}
        with httpx.Client(base_url=self.service.url, verify=self._tls(shown), trust_env=False) as client:
            return client.request(method, path, headers=headers, **more)

    def _tls(self, shown: Identity | None) -> ssl.SSLContext | bool:
        if self.files is None or self.root is None:
            return False
        context = ssl.create_default_context(cadata=self.root.pem.decode())
        if shown is not None:
            chain = self.files / f"{next(_numbers)}.pem"
            chain.write_bytes(private_pem(shown.key) + shown.pem)
            context.load_cert_chain(chain)
        return context

    def client(self, *proofs: Credential) -> tuple[ClientId, str]:
        client, key = self.service.engine.clients.add(f"bound-{next(_numbers)}", proofs=proofs, **RIGHTS)
        return client.client, key

    def ask(self, shown: Identity | None, name: str, **more: Any) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion(key_of("EdDSA"), name, self.service.engine.tokens.issuer),
        }
        return self.come(shown, "POST", "/oauth/token", data=form, **more)

    def use(self, shown: Identity | None, proof: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {proof}", **more.pop("headers", {})}
        return self.come(shown, "GET", "/v1/galleries", headers=headers, **more)


def rfc9440(shown: Identity | None) -> dict[str, str]:
    return {} if shown is None else {HEADER: f":{base64.b64encode(shown.der).decode()}:"}


def nginx(shown: Identity | None) -> dict[str, str]:
    return {} if shown is None else {HEADER: quote(shown.pem.decode())}


@pytest.fixture(scope="module", params=["mutual TLS", "proxy, RFC 9440", "proxy, nginx"])
def access(
    request: pytest.FixtureRequest,
    service: Service,
    serve: Serve,
    tls_files: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
    root: Identity,
) -> Iterator[CertificateAccess]:
    with ExitStack() as stack:
        if request.param == "mutual TLS":
            running = stack.enter_context(serve(service.engine, **tls_files))
            yield CertificateAccess(running, files=tmp_path_factory.mktemp("clients"), root=root)
        else:
            proxied = serve(service.engine, trusted_proxies="127.0.0.0/8", client_certificate_header=HEADER)
            yield CertificateAccess(stack.enter_context(proxied), rfc9440 if "9440" in request.param else nginx)


def test_a_token_is_bound_to_the_certificate_it_was_asked_for_with(
    access: CertificateAccess, root: Identity, problem: Problem
) -> None:
    own, others = issued(root, "own"), issued(root, "others")
    name, _ = access.client(Credential.of_public_key(pem(key_of("EdDSA"))))
    answer = access.ask(own, name)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["cnf"] == {"x5t#S256": own.thumbprint}
    assert access.use(own, token).status_code == 200
    problem(access.use(others, token), 401, "credential_invalid")


def test_a_client_that_is_held_to_a_certificate_comes_with_no_other(access: CertificateAccess, root: Identity) -> None:
    own, others = issued(root, "own"), issued(root, "others")
    name, _ = access.client(Credential.of_public_key(pem(key_of("EdDSA"))), Credential.of_certificate(own.pem))
    assert access.ask(own, name).status_code == 200
    assert access.ask(others, name).status_code == 401
    _, key = access.client(Credential.of_certificate(own.pem))
    assert access.use(own, key).status_code == 200
    assert access.use(others, key).status_code == 401


def test_who_shows_no_certificate_gets_no_token(access: CertificateAccess) -> None:
    name, _ = access.client(Credential.of_public_key(pem(key_of("EdDSA"))))
    try:
        status = access.ask(None, name).status_code
    except httpx.TransportError:  # over TLS there is not even a connection
        assert access.files is not None
    else:
        assert (status, access.files) == (401, None)


def test_a_key_lives_on_beside_certificates_where_the_client_is_held_to_none(
    access: CertificateAccess, root: Identity
) -> None:
    _, key = access.client()
    assert access.use(issued(root, "any"), key).status_code == 200


def test_over_mutual_tls_only_certificates_of_the_authority_connect(
    service: Service, serve: Serve, tls_files: dict[str, Path], tmp_path: Path, root: Identity
) -> None:
    with serve(service.engine, **tls_files) as running:
        access = CertificateAccess(running, files=tmp_path, root=root)
        assert access.come(issued(root, "good"), "GET", "/healthz").status_code == 200
        for shown in (None, issued(authority("Impostor"), "bad"), issued(authority(), "bad"), authority()):
            with pytest.raises(httpx.TransportError):
                access.come(shown, "GET", "/healthz")
        # A header is not looked at, whatever it says.
        own, others = issued(root, "own"), issued(root, "others")
        name, _ = access.client(Credential.of_public_key(pem(key_of("EdDSA"))), Credential.of_certificate(own.pem))
        assert access.ask(others, name, headers=rfc9440(own)).status_code == 401
        with httpx.Client(verify=access._tls(own), trust_env=False) as plain, pytest.raises(httpx.TransportError):
            plain.get(running.url.replace("https", "http") + "/healthz")


# What somebody who is no proxy may try, to pass for one that shows `own`.
SPOOFS: list[dict[str, str]] = [
    {},
    {"X-Forwarded-For": "192.0.2.1"},
    {"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Proto": "https"},
    {"Forwarded": "for=192.0.2.1"},
    {"X-Real-IP": "192.0.2.1"},
    {"X-Client-IP": "192.0.2.1", "True-Client-IP": "192.0.2.1"},
]


@pytest.mark.parametrize("proxies", ["192.0.2.0/24", "2001:db8::/32", "::1"])
def test_the_header_of_anybody_but_the_proxy_is_ignored(
    service: Service, serve: Serve, root: Identity, problem: Problem, proxies: str
) -> None:
    own = issued(root, "own")
    proof = Credential.of_public_key(pem(key_of("EdDSA")))
    with serve(service.engine, trusted_proxies=proxies, client_certificate_header=HEADER) as running:
        access = CertificateAccess(running, rfc9440)
        name, _ = access.client(proof, Credential.of_certificate(own.pem))
        _, key = access.client(Credential.of_certificate(own.pem))
        _, plain = access.client()
        bound = service.engine.tokens._signed(name, proof.name, [Scope.VERIFY], own.thumbprint)
        assert service.engine.tokens.open(bound, own.thumbprint).client == name
        for spoof in SPOOFS:
            assert access.ask(own, name, headers=spoof).status_code == 401
            problem(access.use(own, key, headers=spoof), 401, "credential_invalid")
            problem(access.use(own, bound, headers=spoof), 401, "credential_invalid")
            # Ignored, not refused: who needs no certificate is served.
            assert access.use(own, plain, headers=spoof).status_code == 200


def test_without_a_proxy_in_the_settings_no_header_counts(service: Service, root: Identity, problem: Problem) -> None:
    own = issued(root, "own")
    access = CertificateAccess(service, rfc9440)
    _, key = access.client(Credential.of_certificate(own.pem))
    problem(access.use(own, key), 401, "credential_invalid")


@pytest.mark.parametrize(
    "values",
    [
        [":AAAA:", ":AAAA:"],
        [":!!!!:"],
        ["::"],
        ["AAAA"],
        ["-----BEGIN CERTIFICATE-----"],
        ["%FF%FE"],
        ["\u00e9"],
    ],
)
def test_a_header_of_the_proxy_without_one_certificate_is_refused(
    service: Service, serve: Serve, problem: Problem, values: list[str]
) -> None:
    with serve(service.engine, trusted_proxies="127.0.0.1", client_certificate_header=HEADER) as running:
        _, key = CertificateAccess(running).client()
        sent = [(HEADER.encode(), value.encode("latin-1")) for value in values]
        with httpx.Client(base_url=running.url, trust_env=False) as client:
            credentials = (b"Authorization", f"Bearer {key}".encode())
            problem(client.get("/v1/galleries", headers=[credentials, *sent]), 401, "credential_invalid")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tls_key_file": None}, "together"),
        ({"tls_certificate_file": None, "tls_key_file": None}, "needs TLS_CERTIFICATE_FILE"),
        ({"trusted_proxies": "127.0.0.1"}, "TRUSTED_PROXIES and CLIENT_CERTIFICATE_HEADER together"),
        ({"client_certificate_header": HEADER}, "TRUSTED_PROXIES and CLIENT_CERTIFICATE_HEADER together"),
        ({"trusted_proxies": "127.0.0.1", "client_certificate_header": HEADER}, "never both"),
        ({"trusted_proxies": "proxy.example"}, "TRUSTED_PROXIES: .*does not appear to be an IPv4 or IPv6 network"),
        ({"trusted_proxies": "192.0.2.1/24"}, "host bits"),
        ({"client_certificate_header": "Client Cert"}, "CLIENT_CERTIFICATE_HEADER"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    tls_files: dict[str, Path], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigurationInvalid, match=told):
        Settings.read(**{**tls_files, **changes})


def test_tls_files_are_refused_when_others_can_read_the_key_or_they_do_not_fit(
    tls_files: dict[str, Path], tmp_path: Path, root: Identity
) -> None:
    assert tls_context(Settings.read()) is None
    context = tls_context(Settings.read(**tls_files))
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    key, other = tmp_path / "readable.key", tmp_path / "other.key"
    for path, mode in ((key, 0o440), (other, 0o400)):
        path.write_bytes(private_pem(issued(root, "other").key))
        path.chmod(mode)
    for change, told in (
        ({"tls_key_file": key}, "chmod 400"),
        ({"tls_key_file": other}, "expected PEM"),
        ({"tls_key_file": tmp_path / "nowhere"}, "No such file"),
        ({"tls_certificate_file": tls_files["tls_key_file"]}, "expected PEM"),
        ({"tls_client_ca_file": tls_files["tls_key_file"]}, "expected PEM"),
    ):
        with pytest.raises(ConfigurationInvalid, match=told):
            tls_context(Settings.read(**{**tls_files, **change}))


def test_an_address_of_ipv4_in_ipv6_is_the_address_itself() -> None:
    source = CertificateSource.of(Settings.read(trusted_proxies="192.0.2.0/24, ::1", client_certificate_header=HEADER))
    for address, trusted in (("::ffff:192.0.2.7", True), ("::1", True), ("::ffff:198.51.100.7", False), ("", False)):
        assert source.trusts(address) is trusted


def test_the_command_itself_asks_callers_for_their_certificate(
    deployment_with_a_person: tuple[Path, Path, str, str], tls_files: dict[str, Path], tmp_path: Path, root: Identity
) -> None:
    folder, model_dir, key, _ = deployment_with_a_person
    files = {f"IDVERIFY_{name.upper()}": str(path) for name, path in tls_files.items()}
    process = command("--port", "0", IDVERIFY_DATA_DIR=str(folder), IDVERIFY_MODEL_DIR=str(model_dir), **files)
    try:
        url, _ = listening(process)
        chain = tmp_path / "client.pem"
        shown = issued(root, "client")
        chain.write_bytes(private_pem(shown.key) + shown.pem)
        context = ssl.create_default_context(cadata=root.pem.decode())
        for loaded in (False, True):
            if loaded:
                context.load_cert_chain(chain)
            with httpx.Client(base_url=url, verify=context, trust_env=False) as client:
                headers = {"Authorization": f"Bearer {key}"}
                if loaded:
                    assert client.get("/v1/galleries", headers=headers).status_code == 200
                else:
                    with pytest.raises(httpx.TransportError):
                        client.get("/v1/galleries", headers=headers)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 0
