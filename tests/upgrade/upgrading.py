"""A deployment of an earlier release, unpacked, brought up to date as an administrator does it, and opened."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from idverify.vision.manifest import BUILTIN, ModelFiles, load_manifest, manifest_path
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime
from tests.browser import Served, served
from tests.deployments import Clock, Register, settings_of
from tests.upgrade.callers import PURPOSE, StationBrowser, agency, at_station, signed_in
from tests.visitors import Visitor

LATER = timedelta(minutes=3)
"""After the end of the fixture: sessions, tokens and challenges of then are still good."""


ARCHIVE, FACTS = "deployment.tar.xz", "facts.json"


def builtin_reader() -> Reader:
    """Reads photographs with the model set that comes with idverify."""
    folder = manifest_path().with_name(BUILTIN)
    return Reader.open(load_manifest().set(BUILTIN), ModelFiles(folder, folder), Runtime(threads=1))


@dataclass
class Upgraded:
    """The deployment while the service runs on it; `kept` is what people kept elsewhere."""

    register: Register
    kept: Path
    facts: dict[str, Any]
    site: Served

    def agency(self, name: str) -> httpx.Client:
        """By the key that it was given then."""
        return agency(self.site, self.facts["keys"][name])

    def held_of(self, person: str) -> httpx.Response:
        """What the registration office is told of that person."""
        with self.agency("registration-office") as office:
            return office.get(f"/v1/persons/{person}", params={"purpose": PURPOSE})

    def photograph(self, person: str) -> bytes:
        """Of a later day than any that was enrolled."""
        return self.file(f"{person}.jpg")

    def file(self, name: str) -> bytes:
        return (self.kept / name).read_bytes()

    def signed_in(self, name: str) -> AbstractContextManager[Visitor]:
        """By the password of then."""
        return signed_in(self.site, name, self.facts["passwords"][name])

    def at_station(self) -> AbstractContextManager[StationBrowser]:
        """The clerk at the station that was activated then."""
        station = self.facts["station"]
        return at_station(self.site, station, self.facts["passwords"][station["clerk"]])


def unpacked(release: Path, folder: Path) -> Path:
    """The release's fixture in a new folder. Git keeps no modes, and neither does every archive."""
    with tarfile.open(release / ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    shutil.copy2(release / FACTS, folder / FACTS)
    (folder / "deployment" / "root.key").chmod(0o400)
    return folder


def migrate(folder: Path) -> None:
    """`idverify database migrate`, in a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("IDVERIFY_")}
    done = subprocess.run(
        [sys.executable, "-m", "idverify", "database", "migrate"],
        env={**clean, "IDVERIFY_DATA_DIR": str(folder / "deployment")},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "The database is at this version's schema.\n"), done.stderr


@contextmanager
def opened(folder: Path, reader: Reader) -> Iterator[Upgraded]:
    """The service on the deployment in `folder`, by the settings of then, a few minutes later."""
    facts = json.loads((folder / FACTS).read_text())
    chosen = {name: value for name, value in facts["settings"].items() if name != "model_set"}
    clock = Clock(datetime.fromisoformat(facts["ended_at"]) + LATER)
    register = Register(settings_of(folder / "deployment", reader, **chosen), reader, clock)
    try:
        with served(register.engine) as site:
            yield Upgraded(register, folder / "kept", facts, site)
    finally:
        register.close()
