"""The service does not start on a root key file that is missing, open to others or damaged, and says what to do."""

import base64
import json
import os
import pickle
import stat
from pathlib import Path

import pytest

from idverify.errors import Conflict, KeyUnavailable, SealBroken
from idverify.protection.root_key import RootKeyFile


def test_a_new_file_is_readable_by_its_owner_only(root: RootKeyFile) -> None:
    assert stat.S_IMODE(root.path.stat().st_mode) == 0o400


def test_an_existing_file_is_never_overwritten(root: RootKeyFile) -> None:
    before = root.path.read_bytes()
    with pytest.raises(Conflict, match="exists already"):
        RootKeyFile.create(root.path)
    assert root.path.read_bytes() == before


def test_a_loaded_file_opens_what_the_created_one_sealed(root: RootKeyFile) -> None:
    sealed = root.seal(b"secret", b"where")
    assert RootKeyFile.load(root.path).open(root.current_id, sealed, b"where") == b"secret"
    with pytest.raises(SealBroken):
        root.open(root.current_id, sealed, b"elsewhere")


def test_a_missing_file_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="idverify keys new"):
        RootKeyFile.load(tmp_path / "absent.json")


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o420, 0o644])
def test_a_file_open_to_others_is_refused(root: RootKeyFile, mode: int) -> None:
    root.path.chmod(mode)
    with pytest.raises(KeyUnavailable, match="chmod 400"):
        RootKeyFile.load(root.path)


def test_what_is_not_a_regular_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    for path in (tmp_path, pipe):
        with pytest.raises(KeyUnavailable, match="not a regular file"):
            RootKeyFile.load(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b'{"current": "a"}',
        b'{"current": "a", "keys": []}',
        b'{"current": "a", "keys": {"a": "not base64!"}}',
        b'{"current": "a", "keys": {"a": "c2hvcnQ="}}',
        b'{"current": "b", "keys": {"a": "' + b"A" * 43 + b'="}}',
        b'{"current": ["a"], "keys": {"a": "' + b"A" * 43 + b'="}}',
    ],
)
def test_garbage_is_refused_and_not_quoted(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "root-keys.json"
    path.write_bytes(content)
    path.chmod(0o400)
    with pytest.raises(KeyUnavailable) as refused:
        RootKeyFile.load(path)
    assert "AAAA" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_rotation_adds_a_current_key_and_keeps_the_previous(root: RootKeyFile) -> None:
    sealed = root.seal(b"secret", b"where")
    rotated = root.with_new_current()
    loaded = RootKeyFile.load(root.path)
    assert loaded.current_id == rotated.current_id != root.current_id
    assert tuple(loaded.ids) == (root.current_id, rotated.current_id)
    assert loaded.open(root.current_id, sealed, b"where") == b"secret"
    assert stat.S_IMODE(root.path.stat().st_mode) == 0o400
    assert [path.name for path in root.path.parent.iterdir()] == [root.path.name]


def test_a_destroyed_key_opens_nothing_and_is_not_in_the_file(root: RootKeyFile) -> None:
    sealed = root.seal(b"secret", b"where")
    encoded = json.loads(root.path.read_bytes())["keys"][root.current_id]
    rotated = root.with_new_current()
    remaining = rotated.destroy(root.current_id)
    assert encoded.encode() not in root.path.read_bytes()
    with pytest.raises(KeyUnavailable, match="destroyed"):
        remaining.open(root.current_id, sealed, b"where")


def test_the_current_key_and_an_unknown_one_cannot_be_destroyed(root: RootKeyFile) -> None:
    with pytest.raises(Conflict, match="keys rotate"):
        root.destroy(root.current_id)
    with pytest.raises(KeyUnavailable):
        root.destroy("0000")


def test_the_keys_are_not_shown_or_pickled(root: RootKeyFile) -> None:
    for encoded in json.loads(root.path.read_bytes())["keys"].values():
        assert encoded not in repr(root)
    with pytest.raises(TypeError):
        pickle.dumps(root)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(bytes(32), id="zeros"),
        pytest.param(b"\xff" * 32, id="ones"),
        pytest.param(bytes(range(32)), id="counted up"),
        pytest.param(bytes(range(255, 223, -1)), id="counted down"),
        pytest.param(bytes(7 * step % 256 for step in range(32)), id="in steps of seven"),
        pytest.param(bytes.fromhex("deadbeef") * 8, id="a pattern"),
        pytest.param(b"correct horse battery staple 123", id="a pass phrase"),
        pytest.param(b"0123456789abcdef0123456789ABCDEF", id="hexadecimal digits"),
    ],
)
def test_a_key_that_was_not_drawn_at_random_is_refused(root: RootKeyFile, key: bytes) -> None:
    rewrite(root.path, {"weak": key})
    with pytest.raises(KeyUnavailable, match="key weak is not random"):
        RootKeyFile.load(root.path)


def test_one_key_under_two_names_is_refused(root: RootKeyFile) -> None:
    key = os.urandom(32)
    rewrite(root.path, {"weak": key, "other": key})
    with pytest.raises(KeyUnavailable, match="two of its keys are the same"):
        RootKeyFile.load(root.path)


def test_no_drawn_key_is_taken_for_a_weak_one(root: RootKeyFile) -> None:
    drawn = {"weak": os.urandom(32)} | {f"key-{number}": os.urandom(32) for number in range(1_000)}
    rewrite(root.path, drawn)
    assert set(RootKeyFile.load(root.path).ids) == drawn.keys()


def rewrite(path: Path, keys: dict[str, bytes]) -> None:
    """Another file in its place, whose current key is named "weak"."""
    encoded = {name: base64.b64encode(key).decode() for name, key in keys.items()}
    path.unlink()
    path.write_text(json.dumps({"current": "weak", "keys": encoded}))
    path.chmod(0o400)
