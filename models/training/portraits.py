"""The training set on disk: portraits of people who do not exist, each with its true landmarks and face box.

It promises the same set for the same seeds, made once and resumed where it was cut off; it holds no photograph.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from citizens import Identity, render
from models.training.captures import wide_capture

# Far from the seeds of tests (below 100,000), of calibration (from 1,000,000) and of proofs (from 9,000,000).
FIRST_SEED = 50_000_000
SIZE_PX = (240, 320)
_PEOPLE_A_SHARD = 50
_JPEG_QUALITY = 94


@dataclass(frozen=True, slots=True, eq=False)
class Portraits:
    """All portraits: `jpegs[n]` shows person `people[n]` (0 to N-1) with these landmarks (5, 2) and box (4,), in px."""

    jpegs: list[bytes]
    people: npt.NDArray[np.int64]
    landmarks: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.jpegs)

    def pixels(self, index: int) -> npt.NDArray[np.uint8]:
        """The portrait, (320, 240, 3) RGB."""
        encoded = np.frombuffer(self.jpegs[index], np.uint8)
        return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB), np.uint8)


def render_missing(folder: Path, people: int, portraits: int, workers: int) -> Iterator[Path]:
    """Render every shard that is not there yet, and name each as it is done."""
    folder.mkdir(parents=True, exist_ok=True)
    firsts = [n for n in range(0, people, _PEOPLE_A_SHARD) if not _shard(folder, n).exists()]
    # Spawned: a copy of a process whose OpenCV already has threads would wait for them for ever.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        yield from pool.map(partial(_render_shard, folder, portraits), firsts)


def load(folder: Path) -> Portraits:
    """The whole set in memory. Raises FileNotFoundError when nothing was rendered."""
    shards = [np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npz"))]
    if not shards:
        raise FileNotFoundError(f"{folder} holds no portraits; run `python -m models.training render` first")
    jpegs: list[bytes] = []
    for shard in shards:
        joined, ends = shard["jpegs"].tobytes(), np.cumsum(shard["lengths"]).tolist()
        jpegs += [joined[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    people, landmarks, boxes = (
        np.concatenate([shard[name] for shard in shards]) for name in ("people", "landmarks", "boxes")
    )
    return Portraits(jpegs, people, landmarks, boxes)


def _shard(folder: Path, first: int) -> Path:
    return folder / f"{first:06d}.npz"


def _render_shard(folder: Path, portraits: int, first: int) -> Path:
    cv2.setNumThreads(1)
    jpegs, people, landmarks, boxes = [], [], [], []
    for person in range(first, first + _PEOPLE_A_SHARD):
        identity = Identity.from_seed(FIRST_SEED + person)
        for visit in range(portraits):
            seed = int(np.random.SeedSequence([identity.seed, visit]).generate_state(1)[0])
            portrait = render(identity, wide_capture(seed), SIZE_PX)
            jpegs.append(portrait.jpeg(_JPEG_QUALITY))
            people.append(person)
            landmarks.append(portrait.landmarks)
            boxes.append(portrait.face_box)
    path = _shard(folder, first)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(
            file,
            jpegs=np.frombuffer(b"".join(jpegs), np.uint8),
            lengths=np.array([len(each) for each in jpegs]),
            people=np.array(people),
            landmarks=np.array(landmarks, np.float32),
            boxes=np.array(boxes, np.float32),
        )
    unfinished.replace(path)
    return path
