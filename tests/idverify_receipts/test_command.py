"""`idverify-receipts verify` gives the verdicts, words and exit statuses of `idverify receipt verify`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from idverify.cli import app
from idverify.receipts import Receipts
from idverify_receipts.command import main

RECEIPTS = Receipts([bytes(31) + b"\x01"], "5f3b9a52")
CLAIMS: dict[str, object] = {
    "aud": "revenue-authority",
    "sub": "P-1024-7",
    "jti": "request-1",
    "iat": 4_102_444_800,
    "exp": 4_102_445_100,
    "outcome": "match",
    "reason": "similarity_at_or_above_threshold",
    "request_digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # of b"abc"
    "policy": "civil-register/fmr-1e-04",
    "audit_position": 7,
    "demonstration": False,
    "candidates": ["P-1", "P-2"],
}
GENUINE = RECEIPTS.sign(CLAIMS)
ANSWER = {
    **{name: CLAIMS[name] for name in ("outcome", "reason", "policy", "audit_position", "demonstration", "candidates")},
    "person": "P-1024-7",
    "request_id": "request-1",
    "receipt": GENUINE,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place with the published keys in it."""
    monkeypatch.chdir(tmp_path)
    Path("jwks.json").write_text(json.dumps(RECEIPTS.jwks()))
    Path("photo.jpg").write_bytes(b"abc")
    Path("other.jpg").write_bytes(b"abd")
    Path("no-keys.json").write_text("{}")


@pytest.mark.parametrize(
    ("content", "options", "status"),
    [
        (GENUINE, ["--photograph", "photo.jpg", "--audience", "revenue-authority"], 0),
        (json.dumps(ANSWER), [], 0),
        (RECEIPTS.sign(CLAIMS | {"iat": 1_700_000_000, "exp": 1_700_000_300}), [], 0),
        (GENUINE, ["--photograph", "other.jpg"], 20),
        (GENUINE, ["--audience", "transport-authority"], 20),
        (json.dumps(ANSWER | {"outcome": "no_match"}), [], 20),
        (Receipts([bytes(32)], "5f3b9a52").sign(CLAIMS), [], 20),
        (GENUINE[:-8] + "A" * 8, [], 20),
        ("", [], 20),
        ("{", [], 20),
        (json.dumps(ANSWER)[:-1] + ', "outcome": "no_match"}', [], 20),
    ],
)
def test_the_verdict_is_that_of_the_library(
    content: str, options: list[str], status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("receipt").write_text(content)
    arguments = ["verify", "receipt", "--jwks", "jwks.json", *options]
    assert main(arguments) == status
    told = capsys.readouterr()
    library = CliRunner().invoke(app, ["receipt", *arguments])
    assert library.exit_code == status
    assert told.out.splitlines()[-1] == library.stdout.splitlines()[-1]
    assert told.err == ""


def test_a_genuine_receipt_says_what_it_claims(capsys: pytest.CaptureFixture[str]) -> None:
    Path("receipt").write_text(GENUINE)
    main(["verify", "receipt", "--jwks", "jwks.json"])
    *rows, verdict = capsys.readouterr().out.splitlines()
    told = dict(row.split(maxsplit=1) for row in rows)
    assert verdict == "GENUINE"
    assert told.keys() == CLAIMS.keys() | {"iss"}
    assert (told["iss"], told["exp"], told["demonstration"]) == ("5f3b9a52", "2100-01-01T00:05:00Z", "false")
    assert told["candidates"] == '["P-1", "P-2"]'


def test_a_claim_cannot_write_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Path("receipt").write_text(RECEIPTS.sign(CLAIMS | {"sub": "P-1\nGENUINE", "jti": "\x1b[2J"}))
    assert main(["verify", "receipt", "--jwks", "jwks.json"]) == 0
    told = capsys.readouterr().out
    assert told.splitlines().count("GENUINE") == 1
    assert ("\x1b" in told, '"P-1\\nGENUINE"' in told) == (False, True)


@pytest.mark.parametrize("content", ["{}", '{"outcome": "match"}', '{"receipt": 7}'])
def test_a_file_without_a_receipt_is_told_apart(content: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("receipt").write_text(content)
    assert main(["verify", "receipt", "--jwks", "jwks.json"]) == 20
    assert "without a field `receipt`" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere", "--jwks", "jwks.json"], "nowhere: No such file or directory"),
        (["receipt", "--jwks", "nowhere"], "nowhere: No such file or directory"),
        (["receipt", "--jwks", "photo.jpg"], "photo.jpg: expected a JWK set, as /.well-known/jwks.json gives it"),
        (
            ["receipt", "--jwks", "no-keys.json"],
            "keys: expected a JWK set with at least one Ed25519 key, as /.well-known/jwks.json gives it",
        ),
        (["receipt", "--jwks", "jwks.json", "--photograph", "nowhere"], "nowhere: No such file or directory"),
    ],
)
def test_what_cannot_be_used_gives_no_verdict(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("receipt").write_text(GENUINE)
    assert main(["verify", *arguments]) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"error (invalid_input): {complaint}\n")


@pytest.mark.parametrize("arguments", [[], ["verify"], ["verify", "receipt"], ["sign"]])
def test_keys_must_be_named_and_nothing_else_can_be_asked(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: idverify-receipts" in capsys.readouterr().err
