"""What a figure was measured on: machine, versions and commit."""

import os
import platform
import subprocess
from datetime import datetime
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np


class Provenance(TypedDict):
    """Stands in every JSON file under "measured"."""

    date: str
    commit: str | None
    cpu: str
    cores: int
    python: str
    numpy: str
    opencv: str
    system: str


def provenance(now: datetime) -> Provenance:
    """The machine as the operating system describes it, and the checkout's commit ("+" when files differ from it)."""
    return Provenance(
        date=now.isoformat(timespec="seconds"),
        commit=_commit(),
        cpu=cpu_model(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        python=platform.python_version(),
        numpy=np.__version__,
        opencv=cv2.__version__,
        system=f"{platform.system()} {platform.machine()}",
    )


def cpu_model() -> str:
    """The CPU's name from /proc/cpuinfo, or what Python knows of it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _commit() -> str | None:
    try:
        head = _git("rev-parse", "HEAD").strip()
        return head + ("+" if _git("status", "--porcelain").strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(Path(__file__).parent), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
