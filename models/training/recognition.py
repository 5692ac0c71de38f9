"""How the embedder is trained: crops of portraits, told apart by person and drawn to a teacher's answers.

The teacher is the reference set's embedder; it sees the clean crop, the network that learns a spoiled one.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.training.loop import Batch
from models.training.networks import EMBEDDING_SIZE, EmbedderNetwork
from models.training.portraits import Portraits
from models.training.spoiling import Pixels, cover, spoil

BATCH = 128
SIDE_PX = 112
# ArcFace's points, as in idverify/vision/alignment.py.
_CANONICAL = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
_MEAN, _DEVIATION = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
_SCALE, _MARGIN = 32.0, 0.3
_TEACHER_WEIGHT = 12.0


def crop(portraits: Portraits, index: int, rng: np.random.Generator | None = None) -> Pixels:
    """The canonical (112, 112, 3) RGB crop; with a generator, as a poor camera and unsure landmarks would give it."""
    pixels, points = portraits.pixels(index), portraits.landmarks[index].astype(np.float64)
    target = _CANONICAL
    if rng is not None:
        eyes = np.hypot(*(points[1] - points[0]))
        points = points + rng.normal(0, 0.025 * eyes, (5, 2))
        turn, size = np.radians(rng.normal(0, 1.5)), np.exp(rng.normal(0, 0.02))
        linear = size * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        target = (target - 56) @ linear.T + 56 + rng.normal(0, 0.8, 2)
    matrix = similarity(points, target)
    pixels = np.asarray(cv2.warpAffine(pixels, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR), np.uint8)
    if rng is None:
        return pixels
    if rng.random() < 0.2:
        landmarks = (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
        pixels = cover(rng, pixels, landmarks)
    pixels = spoil(rng, pixels)
    return np.asarray(cv2.flip(pixels, 1), np.uint8) if rng.random() < 0.5 else pixels


def similarity(points: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The least-squares similarity (2, 3) that takes `points` (N, 2) to `target` (Umeyama 1991, without reflection)."""
    one, other = (each - each.mean(axis=0) for each in (points, target))
    a, b = (one * other).sum(), (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum()
    linear = np.array([[a, -b], [b, a]]) / np.square(one).sum()
    return np.concatenate([linear, (target.mean(axis=0) - linear @ points.mean(axis=0))[:, None]], axis=1)


def normalised(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(..., 3) uint8 RGB as the networks take it."""
    return np.asarray((pixels.astype(np.float32) / 255 - _MEAN) / _DEVIATION, np.float32)


def teach(portraits: Portraits, teacher: bytes) -> npt.NDArray[np.float32]:
    """The teacher's unit embedding (N, 128) of every portrait's clean crop."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(teacher, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    answers = np.empty((len(portraits), EMBEDDING_SIZE), np.float32)
    for index in range(len(portraits)):
        planes = normalised(crop(portraits, index)).transpose(2, 0, 1)[None]
        answers[index] = session.run(None, {name: np.ascontiguousarray(planes)})[0][0]
    return np.asarray(answers / np.linalg.norm(answers, axis=1, keepdims=True), np.float32)


@dataclass(frozen=True, slots=True)
class CropBatches:
    """Batches by number: pixels (128, 112, 112, 3) uint8 RGB, people (128,), teacher's answers (128, 128)."""

    portraits: Portraits
    answers: npt.NDArray[np.float32]
    seed: int

    def __call__(self, step: int) -> Batch:
        # Each pass over the portraits in an order of its own, so that every one is seen as often as any other.
        a_pass = len(self.portraits) // BATCH
        order = np.random.default_rng([self.seed, step // a_pass]).permutation(len(self.portraits))
        chosen = order[step % a_pass * BATCH :][:BATCH]
        crops = [crop(self.portraits, i, np.random.default_rng([self.seed, step, i])) for i in chosen.tolist()]
        return np.stack(crops), self.portraits.people[chosen], self.answers[chosen]


class People(nn.Module):
    """One direction a person; used in training only."""

    def __init__(self, people: int) -> None:
        super().__init__()
        self.directions = nn.Parameter(torch.randn(people, EMBEDDING_SIZE) * 0.05)


@dataclass(frozen=True, slots=True)
class EmbedderLoss:
    """CosFace (Wang et al. 2018) over the people, and one minus the cosine to the teacher's answer."""

    network: EmbedderNetwork
    people: People

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        pixels, people, answers = batch
        x = pixels.permute(0, 3, 1, 2).float()
        mean, deviation = (torch.from_numpy(each).view(1, 3, 1, 1) * 255 for each in (_MEAN, _DEVIATION))
        with torch.autocast("cpu", torch.bfloat16):
            raw = self.network((x - mean) / deviation)
        embeddings = functional.normalize(raw.float())
        cosines = embeddings @ functional.normalize(self.people.directions).T
        margins = functional.one_hot(people, cosines.shape[1]) * _MARGIN
        return {
            "person": functional.cross_entropy(_SCALE * (cosines - margins), people),
            "teacher": _TEACHER_WEIGHT * (1 - (embeddings * answers).sum(dim=1)).mean(),
        }
