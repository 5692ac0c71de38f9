"""Every write and sync of the writers fails once, or is the last thing they do (docs/security.md)."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from idverify.vision.reader import Reader
from tests.soak.checks import done, kept, sound
from tests.soak.faults import Fault, Writers, writers
from tests.soak.writers import prepare

FLOWS = ("enrolment", "import", "erasure", "rewrap")
KINDS = {"pwrite64": ("EIO", "ENOSPC", "KILL"), "write": ("EIO", "ENOSPC", "KILL")}
OF_OTHER_CALLS = ("EIO", "KILL")


@pytest.fixture(scope="module")
def forking(model_dir: Path) -> Iterator[Writers]:
    with writers(model_dir) as started:
        yield started


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory, register_files: Path) -> Path:
    """The files of a register with photographs to import; copy before use."""
    folder = tmp_path_factory.mktemp("writers") / "register"
    shutil.copytree(register_files, folder)
    prepare(folder)
    return folder


@pytest.mark.parametrize(
    "every",
    [pytest.param(90, id="some"), pytest.param(1, id="all", marks=pytest.mark.soak)],
)
def test_no_failed_write_loses_what_was_acknowledged(
    forking: Writers, laid_out: Path, reader: Reader, tmp_path: Path, every: int
) -> None:
    tried: Counter[tuple[str, str, str]] = Counter()
    failures = []
    for fault in every_fault(forking, laid_out, tmp_path)[::every]:
        folder = tmp_path / "struck"
        shutil.copytree(laid_out, folder)
        try:
            if strike(forking, fault, folder, reader):
                tried[fault.flow, fault.call, fault.kind] += 1
        except Exception as error:  # noqa: BLE001  all of them are wanted, not the first
            failures.append((fault, repr(error)))
        shutil.rmtree(folder)
    told = "".join(f"\n  {number:4} {' '.join(what)}" for what, number in sorted(tried.items()))
    print(f"\n{tried.total()} faults struck:{told}")
    assert not failures, failures
    assert tried.total() >= (300 if every == 1 else 15)
    assert {flow for flow, _, _ in tried} == set(FLOWS)


def every_fault(forking: Writers, laid_out: Path, tmp_path: Path) -> list[Fault]:
    """One for each kind and each call that the writers make when left alone."""
    faults = []
    for flow in FLOWS:
        folder = tmp_path / "watched"
        shutil.copytree(laid_out, folder)
        ended = forking.run(flow, folder, traced=True)
        shutil.rmtree(folder)
        assert ended.status == 0
        for call, number in sorted(ended.calls.items()):
            for kind in KINDS.get(call, OF_OTHER_CALLS):
                faults += [Fault(flow, call, kind, at) for at in range(1, number + 1)]
    return faults


def strike(forking: Writers, fault: Fault, folder: Path, reader: Reader) -> bool:
    """Run the flow with the fault, look, repeat it without, look again; says whether the fault struck at all."""
    struck = forking.run(fault.flow, folder, fault)
    with sound(folder, reader) as engine:
        kept(engine, struck.acts)
        if struck.status == 0:
            done(engine, fault.flow)
    again = forking.run(fault.flow, folder)
    assert again.status == 0, again
    with sound(folder, reader) as engine:
        kept(engine, [*struck.acts, *again.acts])
        done(engine, fault.flow)
    return struck.injected > 0
