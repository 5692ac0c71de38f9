"""`idverify receipt verify`: a clear verdict and exit status, from files alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from idverify.cli import app
from idverify.errors import InvalidInput
from idverify.receipts import Receipts
from idverify_receipts.verdict import NOT_GENUINE_EXIT

RECEIPTS = Receipts([bytes(31) + b"\x01"], "5f3b9a52")
ANSWER: dict[str, Any] = {
    "outcome": "match",
    "reason": "similarity_at_or_above_threshold",
    "gallery": "civil-register",
    "purpose": "tax-filing",
    "policy": "civil-register/fmr-1e-04",
    "audit_position": 7,
    "demonstration": False,
    "population": "photographs",
    "presentation_attack": "live",
    "nonce": "n-0123456789",
}
CLAIMS = ANSWER | {
    "sub": "P-1024-7",
    "aud": "revenue-authority",
    "jti": "request-1",
    "iat": 4_102_444_800,
    "exp": 4_102_445_100,
    "request_digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",  # of b"abc"
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place with the published keys in it, far from any deployment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDVERIFY_DATA_DIR", str(tmp_path / "no-deployment"))
    Path("jwks.json").write_text(json.dumps(RECEIPTS.jwks()))
    Path("photo.jpg").write_bytes(b"abc")
    return tmp_path


def _verify(content: object, *options: str) -> Result:
    Path("receipt").write_text(content if isinstance(content, str) else json.dumps(content))
    return CliRunner().invoke(app, ["receipt", "verify", "receipt", "--jwks", "jwks.json", *options])


def _answer(**change: object) -> dict[str, Any]:
    whole = ANSWER | {"person": "P-1024-7", "request_id": "request-1", "receipt": RECEIPTS.sign(CLAIMS)}
    return whole | change


def test_a_genuine_receipt_says_what_it_claims(folder: Path) -> None:
    result = _verify(RECEIPTS.sign(CLAIMS) + "\n", "--photograph", "photo.jpg", "--audience", "revenue-authority")
    assert result.exit_code == 0, result.output
    assert "GENUINE" in result.output.splitlines()[-1]
    assert "expired" not in result.output
    for told in ("P-1024-7", "revenue-authority", "match", "5f3b9a52", "2100-01-01T00:00:00Z", "n-0123456789"):
        assert told in result.output


def test_a_whole_answer_is_held_against_its_receipt(folder: Path) -> None:
    assert _verify(_answer()).exit_code == 0
    for change in ({"outcome": "no_match"}, {"person": "P-2"}, {"nonce": None}, {"audit_position": 8}, {"policy": ""}):
        result = _verify(_answer(**change))
        assert (result.exit_code, result.output[:11]) == (NOT_GENUINE_EXIT, "NOT GENUINE")
        assert next(iter(change)) in result.output


def test_an_expired_receipt_is_genuine_and_says_so(folder: Path) -> None:
    result = _verify(RECEIPTS.sign(CLAIMS | {"iat": 1_700_000_000, "exp": 1_700_000_300}))
    assert result.exit_code == 0
    assert "it has expired" in result.output


def test_forged_and_misdirected_receipts_are_not_genuine(folder: Path) -> None:
    other = Receipts([bytes(32)], "5f3b9a52").sign(CLAIMS)
    genuine = RECEIPTS.sign(CLAIMS)
    forged = ".".join((genuine.split(".")[0], other.split(".")[1], other.split(".")[2]))
    for content in (other, forged, genuine[:-8], "", "{", '{"outcome": "match"}', "[]"):
        assert _verify(content).exit_code == NOT_GENUINE_EXIT, content
    assert _verify(genuine, "--audience", "transport-authority").exit_code == NOT_GENUINE_EXIT
    Path("photo.jpg").write_bytes(b"abd")
    assert _verify(genuine, "--photograph", "photo.jpg").exit_code == NOT_GENUINE_EXIT


def test_a_broken_file_of_keys_gives_no_verdict(folder: Path) -> None:
    Path("jwks.json").write_text("<html>")
    result = _verify(RECEIPTS.sign(CLAIMS))
    assert isinstance(result.exception, InvalidInput)
    assert "GENUINE" not in result.output
