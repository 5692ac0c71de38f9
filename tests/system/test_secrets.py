"""No template, photograph or key in the clear: not in the database, the logs, what is printed, or temporary files."""

import base64
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from enrolment import composition
from enrolment.enroller import EnrolmentOutcome
from idverify import keys
from idverify.errors import IdverifyError
from idverify.ids import PersonId
from idverify.protection.root_key import RootKeyFile
from idverify.protection.sealing import new_key
from idverify.vision.reader import Reader, Reading, ReadingPolicy
from tests.commands import Commands
from tests.deployments import PAYROLL, Register, access, photograph


@pytest.fixture
def temporary_files(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh folder that everything temporary goes to, Python's and SQLite's alike."""
    folder = tmp_path_factory.mktemp("temporary")
    for name in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def data_keys(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every data key that is made during the test, as it is in memory."""
    made: list[bytes] = []

    def remember() -> bytes:
        made.append(new_key())
        return made[-1]

    monkeypatch.setattr("idverify.protection.envelope.new_key", remember)
    return made


def test_nothing_secret_is_written_anywhere_by_any_flow(
    empty_register: Register,
    reader: Reader,
    commands: Commands,
    temporary_files: Path,
    data_keys: list[bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    pictures = {f"W-{seed}": photograph(seed, 1) for seed in range(31, 37)}
    folder = empty_register.settings.data_dir / "incoming"
    folder.mkdir()
    with caplog.at_level(logging.DEBUG):
        for person in ("W-31", "W-32"):
            assert empty_register.enrol(person, pictures[person], gallery=PAYROLL).outcome is EnrolmentOutcome.ENROLLED
        for person in ("W-33", "W-34"):
            (folder / f"{person}.jpg").write_bytes(pictures[person])
        composition.bulk_import(empty_register.engine, PAYROLL, folder, access()).run(lambda *_: None)
        for seed in (31, 32, 33):
            empty_register.verify("W-31", photograph(seed, 1), gallery=PAYROLL)
            empty_register.identify(photograph(seed, 1), gallery=PAYROLL)
        empty_register.enrol("GHOST", photograph(31, 1), gallery=PAYROLL)
        empty_register.engine.persons.show(PersonId("W-31"), access())
        with pytest.raises(IdverifyError):
            empty_register.verify("W-31", pictures["W-31"][:-20], gallery=PAYROLL)
        keys_file = empty_register.settings.root_keys
        deployment = empty_register.engine.deployment
        keys.rotate(deployment.database, keys_file, deployment.keys, deployment.journal, access())
        fresh = empty_register.another().deployment
        keys.rewrap(fresh.database, fresh.keys, fresh.journal, access(), lambda *_: None)
        empty_register.engine.persons.erase(PersonId("W-34"), access())
    (folder / "W-35.jpg").write_bytes(pictures["W-35"])
    variables = {"TMPDIR": str(temporary_files), "SQLITE_TMPDIR": str(temporary_files)}
    process = commands.process(
        "enrolment", "import", str(folder), "--gallery", PAYROLL, "--refused", str(folder / "refused.csv"), **variables
    )
    assert process.status == 0, process.err
    assert empty_register.sql("SELECT count(*) FROM images WHERE person = 'W-35'") == [(1,)]
    for file in folder.glob("*.jpg"):
        file.unlink()

    assert len(data_keys) == 5 + 2  # five people, and the decoy of each of two engines
    root = RootKeyFile.load(empty_register.settings.root_keys)
    needles = [
        *(needle for person in pictures for needle in _vector_needles(reader, pictures[person])),
        *(needle for picture in pictures.values() for needle in _forms(picture[-4_000:], 48)),
        *(needle for key in (*data_keys, *root._keys.values()) for needle in _forms(key, len(key))),
    ]
    _assert_absent(needles, _files(empty_register), "while the service runs")
    empty_register.close()
    _assert_absent(needles, _files(empty_register), "after it stopped")
    _assert_absent(needles, temporary_files.rglob("*"), "temporary files")
    printed = commands.capsys.readouterr()
    for name, text in (
        ("log", caplog.text),
        ("stdout", printed.out + process.out),
        ("stderr", printed.err + process.err),
    ):
        assert [needle for needle in needles if needle in text.encode()] == [], name


def test_the_needles_would_be_found(tmp_path: Path, reader: Reader) -> None:
    """The search above finds a template, a picture or a key in any of the forms that it looks for."""
    vector = _vector(reader, photograph(31, 1))
    picture = photograph(31, 1)
    for content, needles in (
        (b"x" + vector, _vector_needles(reader, picture)),
        (base64.b64encode(b"x" + vector), _vector_needles(reader, picture)),
        (b"x" + base64.b64encode(b"xy" + vector), _vector_needles(reader, picture)),
        (vector.hex().encode(), _vector_needles(reader, picture)),
        (base64.urlsafe_b64encode(vector), _vector_needles(reader, picture)),
        (picture, _forms(picture[-4_000:], 48)),
        (base64.b64encode(b"xx" + picture), _forms(picture[-4_000:], 48)),
    ):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(AssertionError):
            _assert_absent(list(needles), [tmp_path / "file"], "here")


def _vector(reader: Reader, picture: bytes) -> bytes:
    reading = reader.read(picture, ReadingPolicy.enrolment())
    assert isinstance(reading, Reading)
    return reading.embedding.vector.tobytes()


def _vector_needles(reader: Reader, picture: bytes) -> Iterator[bytes]:
    vector = _vector(reader, picture)
    yield from _forms(vector, 24)
    yield from _forms(np.frombuffer(vector, np.float32).astype(np.float64).tobytes(), 24)
    yield from (f"{number:.6f}".encode() for number in np.frombuffer(vector, np.float32)[:8])


def _forms(secret: bytes, window: int) -> Iterator[bytes]:
    """Pieces of `secret` of `window` bytes: raw, as hex, and as base64 at each of its three alignments."""
    for at in range(0, len(secret) - window + 1, window):
        piece = secret[at : at + window]
        yield piece
        yield piece.hex().encode()
        for shift in range(3):
            inner = piece[shift : shift + (window - shift) // 3 * 3]
            yield base64.b64encode(inner)
            yield base64.urlsafe_b64encode(inner)


def _files(register: Register) -> list[Path]:
    files = sorted(register.path.parent.glob(f"{register.path.name}*"))
    assert files
    return files


def _assert_absent(needles: list[bytes], files: Iterator[Path] | list[Path], when: str) -> None:
    for file in files:
        if file.is_file():
            content = file.read_bytes()
            found = sum(needle in content for needle in needles)
            assert not found, f"{found} secrets in {file.name} {when}"
