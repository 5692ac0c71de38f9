"""How the detector is trained: which cell answers for which face, and what its answers cost.

Boxes and landmarks are relative to a cell as YuNet's are (see idverify/vision/detector.py, which decodes them).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.training.loop import Batch
from models.training.networks import REFINED_STRIDE, STRIDES, WAY_SIZE, DetectorNetwork, refined
from models.training.portraits import Portraits
from models.training.scenes import near_scene, scene

BATCH, NEAR_BATCH = 64, 32
# The longer side of the faces, in px, that the cells of each stride answer for. The detector looks again at faces of
# 112 px: there stride 16 answers alone, whose landmarks are refined.
_RANGES_PX = ((10.0, 44.0), (32.0, 160.0), (140.0, 1000.0))
_UNDECIDED = 1.15  # a face up to so many times out of a range is neither right nor wrong there
_REACH = 1.25  # in strides: how far from the face's centre cells answer for it
_WEIGHTS = {"objectness": 4.0, "quality": 1.0, "box": 3.0, "points": 10.0, "refined": 16.0}
_UNSURE = 0.04


@dataclass(frozen=True, slots=True)
class SceneBatches:
    """Batches by number: pixels (N, side, side, 3) uint8 BGR, boxes (N, 6, 4) and points (N, 6, 10) float32,
    and (N, 6, 10) how far from where they are said to be landmarks are refined, in face sizes.

    Every other one shows 32 faces as at the second look, with sides of 224 px; the others are 64 scenes of 160 px.
    """

    portraits: Portraits
    seed: int

    def __call__(self, step: int) -> Batch:
        near = step % 2 == 1
        make = near_scene if near else scene
        scenes = [make(self.portraits, (self.seed, step, n)) for n in range(NEAR_BATCH if near else BATCH)]
        pixels = np.stack([each.pixels[..., ::-1] for each in scenes])
        boxes, points = np.stack([each.boxes for each in scenes]), np.stack([each.points for each in scenes])
        unsure = np.random.default_rng((self.seed, step)).normal(0, _UNSURE, points.shape).astype(np.float32)
        return pixels, boxes, points, unsure


@dataclass(frozen=True, slots=True)
class DetectorLoss:
    """The mean cost of a batch, by part."""

    network: DetectorNetwork

    def __call__(self, batch: tuple[Tensor, ...]) -> dict[str, Tensor]:
        pixels, boxes, points, unsure = batch
        x = pixels.permute(0, 3, 1, 2).float()
        with torch.autocast("cpu", torch.bfloat16):
            maps = self.network(x)
        parts: dict[str, list[Tensor]] = {name: [] for name in _WEIGHTS}
        answering = 0
        for stride, limits, cells in zip(STRIDES, _RANGES_PX, maps, strict=True):
            answering += _level(cells.float(), (boxes, points, unsure), stride, limits, maps[0][:, -WAY_SIZE:], parts)
        return {
            name: weight * sum(parts[name], torch.zeros(())) / max(1, answering) for name, weight in _WEIGHTS.items()
        }


def _level(
    cells: Tensor,
    faces: tuple[Tensor, Tensor, Tensor],
    stride: int,
    limits: tuple[float, float],
    ways: Tensor,
    parts: dict[str, list[Tensor]],
) -> int:
    """Adds the sums of one stride to `parts`; returns how many cells answer for a face."""
    boxes, points, unsure = faces
    count, _, rows, columns = cells.shape
    cells = cells.permute(0, 2, 3, 1).reshape(count, rows * columns, -1)
    corner_y, corner_x = (axis.reshape(-1) for axis in torch.meshgrid(
        torch.arange(rows) * float(stride), torch.arange(columns) * float(stride), indexing="ij"
    ))  # fmt: skip
    centres = boxes[..., :2] + boxes[..., 2:] / 2  # (N, K, 2)
    sizes = boxes[..., 2:].amax(dim=-1)  # (N, K)
    away_x = (corner_x[None, None] + stride / 2 - centres[..., :1]).abs()  # (N, K, cells)
    away_y = (corner_y[None, None] + stride / 2 - centres[..., 1:]).abs()
    near = (torch.maximum(away_x, away_y) < _REACH * stride) & (sizes > 0)[..., None]
    low, high = limits
    mine = near & ((sizes >= low) & (sizes < high))[..., None]
    # Cells on a face that another stride answers for, or further from its middle, may say what they like.
    inside = (away_x < boxes[..., 2:3] * 0.3) & (away_y < boxes[..., 3:4] * 0.3) & (sizes > 0)[..., None]
    loose = (near | inside) & ((sizes >= low / _UNDECIDED) & (sizes < high * _UNDECIDED))[..., None]
    answers = mine.any(dim=1)
    counted = answers | ~loose.any(dim=1)
    parts["objectness"].append(_focal(cells[..., 0], answers.float())[counted].sum())
    if not bool(answers.any()):
        return 0
    # Where faces meet, the one whose middle is nearest.
    face = torch.where(mine, torch.maximum(away_x, away_y), torch.inf).argmin(dim=1)  # (N, cells)
    image, cell = answers.nonzero(as_tuple=True)
    chosen = face[image, cell]
    box, point, size = boxes[image, chosen], points[image, chosen], sizes[image, chosen]
    corner = torch.stack([corner_x[cell], corner_y[cell]], dim=-1)
    told = cells[image, cell]
    middle = told[:, 2:4] * stride + corner
    sides = told[:, 4:6].clamp(-4, 5).exp() * stride
    per_size = 1 / size[:, None]
    true_middle = box[:, :2] + box[:, 2:] / 2
    parts["box"].append(
        ((middle - true_middle).abs() * per_size).sum()
        + (told[:, 4:6] - (box[:, 2:] / stride).log()).abs().sum() / 2
    )  # fmt: skip
    told_points = told[:, 6:16].reshape(-1, 5, 2) * stride + corner[:, None]
    parts["points"].append(_sharp((told_points - point.reshape(-1, 5, 2)).abs() * per_size[:, None]).sum() / 5)
    if stride == REFINED_STRIDE:
        about = told_points.detach() + unsure[image, chosen].reshape(-1, 5, 2) * size[:, None, None]
        moved = refined(about, ways, image)
        parts["refined"].append(_sharp((moved - point.reshape(-1, 5, 2)).abs() * per_size[:, None]).sum() / 5)
    overlap = _overlap(middle.detach(), sides.detach(), true_middle, box[:, 2:])
    parts["quality"].append(functional.binary_cross_entropy_with_logits(told[:, 1], overlap, reduction="sum"))
    return len(image)


def _focal(logits: Tensor, targets: Tensor) -> Tensor:
    """Focal loss (Lin et al. 2017) with gamma 2: easy cells, which are most, hardly count."""
    cost = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    wrong = (torch.sigmoid(logits) - targets).abs()
    return cost * wrong.square()


def _sharp(errors: Tensor) -> Tensor:
    """Errors in face sizes, with a logarithm added that is steep below 0.01 (after wing loss, Feng et al. 2018)."""
    return errors + 0.02 * torch.log1p(errors / 0.01)


def _overlap(middle: Tensor, sides: Tensor, true_middle: Tensor, true_sides: Tensor) -> Tensor:
    """Intersection over union of boxes given by middle and sides."""
    low = torch.maximum(middle - sides / 2, true_middle - true_sides / 2)
    high = torch.minimum(middle + sides / 2, true_middle + true_sides / 2)
    shared = (high - low).clamp(min=0).prod(dim=-1)
    return shared / (sides.prod(dim=-1) + true_sides.prod(dim=-1) - shared)
