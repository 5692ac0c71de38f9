"""A process with every module and model loaded that forks a writer at each order, so that one starts in milliseconds.

A writer does one flow on one deployment through the real library and reports each act that it was told is done. It
repeats what failed, as an operator would; whatever else happens to it is the test's doing.
"""

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from citizens import portrait_jpeg
from enrolment import composition
from enrolment.enroller import EnrolmentRequest
from idverify import keys
from idverify.access import Access, no_progress
from idverify.administration.deployment import Deployment
from idverify.engine import Engine
from idverify.errors import PersonNotFound, StorageUnavailable
from idverify.ids import GalleryId, PersonId, RequestId
from idverify.settings import Settings
from idverify.vision.manifest import ModelFiles, load_manifest
from idverify.vision.reader import Reader
from idverify.vision.runtime import Runtime

REGISTER = GalleryId("civil-register")
NEWCOMERS = tuple(range(31, 33))
"""Seeds of the rendered citizens whom the flow "enrolment" enrols, each under the number N-SEED."""
IMPORTED = tuple(range(41, 44))
"""Seeds of those whom "import" imports from `photographs/`, under the numbers of their files."""
LEAVING = tuple(range(1, 4))
"""Of C-1 to C-6, who are there from the start, those whom "erasure" erases."""
ACCESS = Access(RequestId("soak-writers"), "administration", clerk="soak")

_TRIES = 3
_PR_SET_PTRACER = 0x59616D61


@dataclass(frozen=True)
class Order:
    """What a forked writer is to do."""

    flow: str
    folder: str
    """The deployment's data folder."""
    report: str
    """File that each act is reported to, a JSON object a line, once the library has returned from it."""
    traced: bool
    """Whether to begin only when a tracer has attached."""


def prepare(folder: Path) -> None:
    """Lay out what the flow "import" reads."""
    (folder / "photographs").mkdir()
    for seed in IMPORTED:
        (folder / "photographs" / f"I-{seed}.jpg").write_bytes(portrait_jpeg(seed, 1))


def perform(order: Order, reader: Reader, newcomers: dict[int, bytes]) -> None:
    """Do the flow to its end."""
    report = os.open(order.report, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def told(**act: object) -> None:
        os.writev(report, [json.dumps(act).encode() + b"\n"])  # a system call that no fault is put into

    engine = Engine(Deployment.open(Settings.read(data_dir=order.folder)), reader)
    engine.galleries_in_memory.load(no_progress)
    for act in _acts(order.flow, engine, newcomers, Path(order.folder) / "photographs"):
        told(**_repeated(act, told))
    told(act="end")
    engine.close()


def _repeated(act: Callable[[], dict[str, object]], told: Callable[..., None]) -> dict[str, object]:
    for _ in range(_TRIES - 1):
        try:
            return act()
        except (StorageUnavailable, OSError) as error:
            told(act="failed", error=str(error))
    return act()


def _acts(
    flow: str, engine: Engine, newcomers: dict[int, bytes], photographs: Path
) -> Iterator[Callable[[], dict[str, object]]]:
    if flow == "enrolment":
        for seed, photograph in newcomers.items():
            yield lambda seed=seed, photograph=photograph: _enrol(engine, f"N-{seed}", photograph)  # type: ignore[misc]
    elif flow == "import":
        yield lambda: _import(engine, photographs)
    elif flow == "erasure":
        for seed in LEAVING:
            yield lambda seed=seed: _erase(engine, f"C-{seed}")  # type: ignore[misc]
    elif flow == "rewrap":
        yield lambda: _rotate(engine)
        yield lambda: _rewrap(engine)
    else:
        raise ValueError(flow)


def _enrol(engine: Engine, person: str, photograph: bytes) -> dict[str, object]:
    with engine.database.read() as connection:
        if (
            engine.stored_persons.find(connection, PersonId(person)) is not None
        ):  # by a writer that died before it could tell
            return {"act": "found", "person": person}
    request = EnrolmentRequest(PersonId(person), REGISTER, [photograph], ACCESS, source="cli")
    answer = composition.enroller(engine).enrol(request)
    return {"act": "enrolled", "person": person, "encounter": answer.encounter, "position": answer.audit_position}


def _import(engine: Engine, photographs: Path) -> dict[str, object]:
    summary = composition.bulk_import(engine, REGISTER, photographs, ACCESS).run(no_progress)
    return {"act": "imported", "total": summary.total, "enrolled": summary.count("enrolled")}


def _erase(engine: Engine, person: str) -> dict[str, object]:
    try:
        receipt = engine.persons.erase(PersonId(person), ACCESS)
    except PersonNotFound:
        return {"act": "gone", "person": person}
    return {"act": "erased", "person": person, "position": receipt.audit_position}


def _rotate(engine: Engine) -> dict[str, object]:
    version = keys.rotate(engine.database, engine.settings.root_keys, engine.deployment.keys, engine.journal, ACCESS)
    return {"act": "rotated", "version": version}


def _rewrap(engine: Engine) -> dict[str, object]:
    # As the next command line would: it opens the deployment anew.
    with Deployment.open(engine.settings) as deployment:
        opened = deployment.keys
        keys.rewrap(deployment.database, opened, deployment.journal, ACCESS, no_progress)
        return {"act": "rewrapped", "version": opened.keyring.current_wrapping_version}


def _await_tracer() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_long(-1), 0, 0, 0)  # a sibling may trace this process
    while "TracerPid:\t0\n" in Path("/proc/self/status").read_text():
        time.sleep(0.001)


def main(model_dir: Path) -> None:
    """Fork a writer for each order on stdin; print its process id, and how it ended (negative: by that signal)."""
    files = ModelFiles(model_dir, model_dir)
    reader = Reader.open(load_manifest().choose("", files), files, Runtime(threads=1))
    newcomers = {seed: portrait_jpeg(seed, 1) for seed in NEWCOMERS}
    print("ready", flush=True)
    for line in sys.stdin:
        order = Order(**json.loads(line))
        child = os.fork()
        if child == 0:
            try:
                if order.traced:
                    _await_tracer()
                perform(order, reader, newcomers)
            except BaseException as error:  # noqa: BLE001  whatever it is, the parent's loop is not ours to go on with
                sys.stderr.write(f"writer: {type(error).__name__}: {error}\n")
                os._exit(1)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
