"""Checkpoints are C2SP signed notes that other tools verify, and ours verify theirs."""

import base64
import pickle

import pytest

from idverify.audit.checkpoint import CheckpointSigner, VerifierKey, verify
from idverify.errors import CheckpointInvalid

ORIGIN = "idverify/5f3b9a52"
# The example of golang.org/x/mod/sumdb/note, whose format C2SP's signed-note is.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
GO_CHECKSUM_DATABASE = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


@pytest.fixture
def signer() -> CheckpointSigner:
    return CheckpointSigner(ORIGIN, bytes(range(32)), bytes(32))


def test_a_published_note_verifies() -> None:
    text = VerifierKey.parse(PETER).verified_text(PETERS_NOTE)
    assert text.endswith("what your problem is.\n")


def test_a_published_note_does_not_verify_when_a_letter_differs() -> None:
    with pytest.raises(CheckpointInvalid, match="no valid signature"):
        VerifierKey.parse(PETER).verified_text(PETERS_NOTE.replace("answer", "Answer"))


def test_published_key_ids_come_out() -> None:
    for text in (PETER, GO_CHECKSUM_DATABASE):
        assert VerifierKey.parse(text).text == text


def test_a_checkpoint_has_the_form_of_the_specification(signer: CheckpointSigner) -> None:
    lines = signer.sign(1234, bytes(32)).split("\n")
    assert lines[:4] == [ORIGIN, "1234", base64.b64encode(bytes(32)).decode(), ""]
    mark, name, signature = lines[4].split(" ")
    assert (mark, name) == ("—", ORIGIN)
    assert base64.b64decode(signature)[:4] == signer.verifier.key_id
    assert len(base64.b64decode(signature)) == 4 + 64
    assert lines[5:] == [""]


def test_a_signed_checkpoint_verifies(signer: CheckpointSigner) -> None:
    checkpoint = verify(signer.sign(7, bytes(range(32))), VerifierKey.parse(signer.verifier.text))
    assert (checkpoint.origin, checkpoint.size, checkpoint.root) == (ORIGIN, 7, bytes(range(32)))


def test_a_checkpoint_with_a_witness_beside_verifies(signer: CheckpointSigner) -> None:
    witness = CheckpointSigner("witness.example", bytes(32), bytes(32))
    note = signer.sign(7, bytes(32))
    cosigned = note + witness.sign(7, bytes(32)).split("\n\n")[1]
    assert verify(cosigned, signer.verifier).size == 7


@pytest.mark.parametrize(
    ("old", "new"),
    [("\n7\n", "\n8\n"), ("\n7\n", "\n07\n"), (ORIGIN + "\n", ORIGIN + "x\n"), ("AAAA", "AAAB"), ("\n\n", "\n")],
)
def test_an_altered_checkpoint_is_refused(signer: CheckpointSigner, old: str, new: str) -> None:
    note = signer.sign(7, bytes(32))
    assert old in note
    with pytest.raises(CheckpointInvalid):
        verify(note.replace(old, new, 1), signer.verifier)


def test_a_checkpoint_of_another_log_or_key_is_refused(signer: CheckpointSigner) -> None:
    for other in (
        CheckpointSigner("another", bytes(range(32)), bytes(32)),
        CheckpointSigner(ORIGIN, bytes(32), bytes(32)),
    ):
        with pytest.raises(CheckpointInvalid):
            verify(other.sign(7, bytes(32)), signer.verifier)


def test_a_signed_text_that_is_no_checkpoint_is_refused(signer: CheckpointSigner) -> None:
    with pytest.raises(CheckpointInvalid):
        verify(signer.sign(7, b"short"), signer.verifier)
    with pytest.raises(CheckpointInvalid):
        verify(signer.sign(-7, bytes(32)), signer.verifier)
    with pytest.raises(CheckpointInvalid):
        verify(PETERS_NOTE, VerifierKey.parse(PETER))


@pytest.mark.parametrize("text", ["", "a+b", "a+00000000+AA==", PETER.replace("c74f20a3", "c74f20a4"), "+" + PETER])
def test_a_damaged_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(CheckpointInvalid):
        VerifierKey.parse(text)


def test_the_signing_key_is_not_shown_or_pickled(signer: CheckpointSigner) -> None:
    assert repr(signer) == f"CheckpointSigner({ORIGIN!r}, key withheld)"
    with pytest.raises(TypeError):
        pickle.dumps(signer)
