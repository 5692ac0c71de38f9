"""Fetches model files from their pinned sources or from a folder, and checks each against the sha256 in the manifest.

A file gets its name only after the check; a failed download leaves nothing behind.
"""

import hashlib
import http.client
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit

from idverify.access import Progress, no_progress
from idverify.errors import ConfigurationInvalid, ModelDownloadFailed
from idverify.vision.manifest import ModelFile, ModelSet

ATTEMPTS = 3
_CHUNK_BYTES = 1 << 16
_TIMEOUT_S = 30.0
_WORTH_ANOTHER_TRY = frozenset({408, 429, 500, 502, 503, 504})


def pull(
    model_set: ModelSet,
    target_dir: Path,
    *,
    progress: Progress = no_progress,
    source_dir: Path | None = None,
    pause_s: float = 1.0,
) -> None:
    """Bring every file of the set into `target_dir`; one that is there already, and right, is left alone.

    A cut connection is tried again from the start, `ATTEMPTS` times in all, `pause_s` apart; bytes of a broken attempt
    are never reused. Raises ModelDownloadFailed (source unreachable, or another file there), ConfigurationInvalid (a
    source address that is not https, or a folder that cannot be written).
    """
    try:
        target_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationInvalid(f"model folder {target_dir}: could not be made ({error.strerror})") from error
    for file in model_set.files.values():
        if _is_right(target_dir / file.name, file):
            progress(file.name, file.size_bytes, file.size_bytes)
        else:
            _fetch(file, target_dir, source_dir, progress, pause_s)


def _is_right(path: Path, file: ModelFile) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == file.sha256


def _fetch(file: ModelFile, target_dir: Path, source_dir: Path | None, progress: Progress, pause_s: float) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with closing(_open(file, source_dir)) as source:
                _store(source, file, target_dir, progress)
        except (OSError, http.client.HTTPException) as error:
            if source_dir is not None or attempt == ATTEMPTS or not _worth_another_try(error):
                origin = file.source_url if source_dir is None else str(source_dir / file.name)
                raise ModelDownloadFailed(
                    f"model {file.name}: could not be fetched from {origin} ({error}); check the address and the "
                    "network, or take it from a folder with `idverify models pull --from DIR`"
                ) from error
            time.sleep(pause_s)
        else:
            return


def _worth_another_try(error: Exception) -> bool:
    return not isinstance(error, HTTPError) or error.code in _WORTH_ANOTHER_TRY


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A pinned address that answers with another one is a failure, not a hint."""

    def redirect_request(self, *_: object) -> None:
        return None


def _open(file: ModelFile, source_dir: Path | None) -> IO[bytes]:
    if source_dir is not None:
        return (source_dir / file.name).open("rb")
    address = urlsplit(file.source_url)
    if address.scheme != "https" and (address.scheme, address.hostname) != ("http", "127.0.0.1"):
        raise ConfigurationInvalid(f"model {file.name}: expected an https source address, got {file.source_url!r}")
    opener = urllib.request.build_opener(_NoRedirect)
    response: IO[bytes] = opener.open(file.source_url, timeout=_TIMEOUT_S)
    return response


def _store(source: IO[bytes], file: ModelFile, target_dir: Path, progress: Progress) -> None:
    """Write to a nameless neighbour, check size and sha256, then rename: a reader sees the whole file or none."""
    digest, done_bytes = hashlib.sha256(), 0
    descriptor, temporary = tempfile.mkstemp(dir=target_dir, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "wb") as target:
            for chunk in _chunks(source):
                done_bytes += len(chunk)
                if done_bytes > file.size_bytes:
                    raise _another_file(file, f"more than {file.size_bytes} bytes")
                digest.update(chunk)
                target.write(chunk)
                progress(file.name, done_bytes, file.size_bytes)
            target.flush()
            os.fsync(target.fileno())
        if done_bytes < file.size_bytes:
            raise ConnectionError(f"the connection ended after {done_bytes} of {file.size_bytes} bytes")
        if digest.hexdigest() != file.sha256:
            raise _another_file(file, f"sha256 {digest.hexdigest()[:16]}…")
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target_dir / file.name)
    finally:
        Path(temporary).unlink(missing_ok=True)


def _chunks(source: IO[bytes]) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK_BYTES):
        yield chunk


def _another_file(file: ModelFile, seen: str) -> ModelDownloadFailed:
    return ModelDownloadFailed(
        f"model {file.name}: expected {file.size_bytes} bytes with sha256 {file.sha256[:16]}…, the source gave {seen}; "
        "nothing was kept"
    )
