"""The file of a backup opens under its own root key only, and no bit of it may differ."""

import base64
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idverify.errors import InvalidInput, KeyUnavailable, SealBroken
from idverify.protection.backup_file import BackupHeader, SealedFile, write_sealed
from idverify.protection.root_key import RootKeyFile

HEADER = BackupHeader("5f3b9a52", "2026-11-21T09:30:00.000Z", "0001", "0.1.0")
CONTENT = b"rows" * 100


def written(root: RootKeyFile) -> bytes:
    file = io.BytesIO()
    write_sealed(file, HEADER, root, [CONTENT])
    return file.getvalue()


def content(sealed: bytes, root: RootKeyFile) -> bytes:
    return b"".join(SealedFile.open(io.BytesIO(sealed), root).content)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> RootKeyFile:
    return RootKeyFile.create(tmp_path_factory.mktemp("keys") / "root.key")


def test_what_was_written_comes_back(root: RootKeyFile) -> None:
    opened = SealedFile.open(io.BytesIO(written(root)), root)
    assert opened.header == HEADER
    assert b"".join(opened.content) == CONTENT


def test_the_header_is_readable_and_holds_no_key(root: RootKeyFile) -> None:
    sealed = written(root)
    assert b'"made_at": "2026-11-21T09:30:00.000Z"' in sealed.splitlines()[1]
    assert CONTENT not in sealed
    for key in root._keys.values():
        assert key not in sealed
        assert base64.b64encode(key) not in sealed


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_bit_may_differ(root: RootKeyFile, at: int, bit: int) -> None:
    altered = bytearray(written(root))
    altered[at % len(altered)] ^= 1 << bit
    with pytest.raises((InvalidInput, SealBroken, KeyUnavailable)):
        content(bytes(altered), root)


@pytest.mark.parametrize("name", ["deployment", "made_at", "revision", "version"])
def test_every_field_of_the_header_is_bound(root: RootKeyFile, name: str) -> None:
    value = getattr(HEADER, name)
    other = value[:-1] + ("0" if value[-1] != "0" else "1")
    altered = written(root).replace(f'"{name}": "{value}"'.encode(), f'"{name}": "{other}"'.encode())
    with pytest.raises(SealBroken, match="header"):
        content(altered, root)


def test_blocks_of_another_backup_do_not_fit(root: RootKeyFile) -> None:
    first, second = written(root), written(root)
    end = [sealed.index(b"}\n") + 2 for sealed in (first, second)]
    with pytest.raises(SealBroken, match="block 0"):
        content(first[: end[0]] + second[end[1] :], root)


def test_another_root_key_opens_nothing(root: RootKeyFile, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = RootKeyFile.create(tmp_path_factory.mktemp("other") / "root.key")
    with pytest.raises(KeyUnavailable, match=root.current_id):
        content(written(root), other)
