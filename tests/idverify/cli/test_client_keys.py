"""`idverify clients …` on credentials, as administrators type it."""

import re
from pathlib import Path

from tests.commands import Commands
from tests.deployments import Register
from tests.proofs import authority, issued, key_of, pem, private_pem

ADD = ("add", "revenue-authority", "--scope", "verify", "--gallery", "civil-register", "--purpose", "tax-filing")


def test_a_key_is_printed_once_rotated_and_revoked(own_register: Register, commands: Commands) -> None:
    old = commands.done("clients", *ADD, "--expires-in-days", "30").strip()
    assert re.fullmatch(r"idv\.revenue-authority\.[\w-]{43}", old)
    new = commands.done("clients", "keys", "rotate", "revenue-authority", "--grace-hours", "1").strip()
    assert re.fullmatch(r"idv\.revenue-authority\.[\w-]{43}", new)
    table = commands.done("clients", "keys", "list", "revenue-authority")
    assert table.count("secret") == 2
    assert table.count("rotated or revoked") == 1
    for key in (old, new):
        assert key.rpartition(".")[2] not in table
    for name in re.findall(r"\b[0-9a-f]{16}\b", table):
        assert name in commands.done("clients", "keys", "revoke", "revenue-authority", name)
    assert "rotated or revoked" not in commands.done("clients", "keys", "list", "revenue-authority")
    assert commands.done("clients", "keys", "add", "revenue-authority").startswith("idv.revenue-authority.")
    told = commands.done("clients", "limit", "revenue-authority", "--identifications-per-day", "7")
    assert "1200 (default) requests a minute, 7 searches a day" in " ".join(told.split())
    commands.done("clients", "suspend", "revenue-authority")
    assert "suspended" in commands.done("clients", "list")
    commands.done("clients", "resume", "revenue-authority")
    assert "suspended" not in commands.done("clients", "list")


def test_a_client_with_a_public_key_gets_no_key_and_the_issuer(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    public, certificate = tmp_path / "public.pem", tmp_path / "certificate.pem"
    public.write_bytes(pem(key_of("EdDSA")))
    certificate.write_bytes(issued(authority(), "agency").pem)
    told = commands.done("clients", *ADD, "--public-key", public, "--certificate", certificate)
    assert told == f"{own_register.engine.tokens.issuer}\n"
    public.write_bytes(pem(key_of("ES256")))
    commands.done("clients", "keys", "rotate", "revenue-authority", "--public-key", public)
    certificate.write_bytes(issued(authority(), "agency").pem)
    commands.done("clients", "keys", "add", "revenue-authority", "--certificate", certificate)
    table = commands.done("clients", "keys", "list", "revenue-authority")
    assert (table.count("public-key"), table.count("certificate"), table.count("secret")) == (2, 2, 0)


def test_what_is_no_public_key_is_refused_and_nothing_is_added(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    wrong = tmp_path / "private.pem"
    wrong.write_bytes(private_pem(key_of("EdDSA")))
    assert "not a private one" in commands.refused("clients", *ADD, "--public-key", wrong)
    both = ("--public-key", wrong, "--certificate", wrong)
    assert "one at a time" in commands.refused("clients", "keys", "add", "nobody", *both)
    assert "idverify clients list" in commands.refused("clients", "keys", "rotate", "nobody")
    assert "nowhere" in commands.refused("clients", *ADD, "--certificate", tmp_path / "nowhere")
    assert own_register.engine.clients.list() == ()
