"""`idverify clients …` as administrators type it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idverify.cli import app
from idverify.errors import ClientNotFound, InvalidInput
from tests.deployments import Town
from tests.proofs import authority, issued, key_of, pem, private_pem

Typed = Callable[..., str]
ADD = [
    "clients",
    "add",
    "revenue-authority",
    "--scope",
    "verify",
    "--gallery",
    "civil-register",
    "--purpose",
    "tax-filing",
]


@pytest.fixture
def typed(own_town: Town, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """typed("clients", …) -> what it printed; the deployment is own_town's."""
    monkeypatch.setenv("IDVERIFY_DATA_DIR", str(own_town.settings.data_dir))

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


def test_a_key_is_printed_once_rotated_and_revoked(own_town: Town, typed: Typed) -> None:
    old = typed(*ADD, "--expires-in-days", "30").strip()
    assert re.fullmatch(r"idv\.revenue-authority\.[A-Za-z0-9_-]{43}", old)
    new = typed("clients", "keys", "rotate", "revenue-authority", "--grace-hours", "1").strip()
    assert new != old
    table = typed("clients", "keys", "list", "revenue-authority")
    assert table.count("secret") == 2
    assert table.count("rotated or revoked") == 1
    for key in (old, new):
        assert key.rpartition(".")[2] not in table
    for name in re.findall(r"[0-9a-f]{16}", table):
        typed("clients", "keys", "revoke", "revenue-authority", name)
    third = typed("clients", "keys", "add", "revenue-authority").strip()
    assert third.startswith("idv.")
    typed("clients", "suspend", "revenue-authority")
    assert "suspended" in typed("clients", "list")
    typed("clients", "resume", "revenue-authority")
    assert "active" in typed("clients", "list")


def test_a_client_with_a_public_key_gets_no_key_and_the_issuer(own_town: Town, typed: Typed, tmp_path: Path) -> None:
    public, certificate = tmp_path / "public.pem", tmp_path / "certificate.pem"
    public.write_bytes(pem(key_of("EdDSA")))
    certificate.write_bytes(issued(authority(), "agency").pem)
    told = typed(*ADD, "--public-key", str(public), "--certificate", str(certificate)).strip()
    assert told == own_town.engine.tokens.issuer
    public.write_bytes(pem(key_of("ES256")))
    typed("clients", "keys", "rotate", "revenue-authority", "--public-key", str(public))
    table = typed("clients", "keys", "list", "revenue-authority")
    assert (table.count("public-key"), table.count("certificate"), table.count("secret")) == (2, 1, 0)


def test_what_is_no_public_key_is_refused_and_nothing_is_added(own_town: Town, typed: Typed, tmp_path: Path) -> None:
    wrong = tmp_path / "private.pem"
    wrong.write_bytes(private_pem(key_of("EdDSA")))
    with pytest.raises(InvalidInput, match="not a private one"):
        typed(*ADD, "--public-key", str(wrong))
    with pytest.raises(InvalidInput, match="one at a time"):
        typed("clients", "keys", "add", "nobody", "--public-key", str(wrong), "--certificate", str(wrong))
    with pytest.raises(ClientNotFound):
        typed("clients", "keys", "rotate", "nobody")
    assert own_town.engine.clients.list() == ()
