"""The two networks: small and of dense 3x3 convolutions, which a CPU trains ten times faster than depthwise ones.

They are described layer by layer, so that the same description is trained by PyTorch and written as ONNX.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
EMBEDDING_SIZE = 128
# Of the levels at strides 8, 16 and 32.
_LEVEL_CHANNELS = (32, 64, 64)
# What a cell of the detector tells: objectness, quality, box (x, y, log width, log height), five points (x, y).
CELL_SIZES = (1, 1, 4, 10)
# At stride 8 also the way, in strides, from the cell's middle to each of the five points if they are near. Where a cell
# of stride 16 puts a landmark is put right by what lies there: see `refined`.
WAY_SIZE, REFINED_STRIDE = 10, 16


class ConvBlock(nn.Module):
    """3x3 convolution, batch normalisation, and ReLU unless `linear`."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, *, linear: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.conv(x))
        return x if self.linear else functional.relu(x)


class Residual(nn.Module):
    """Two 3x3 convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvBlock(channels, channels)
        self.second = ConvBlock(channels, channels, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.second(self.first(x)))


class EmbedderNetwork(nn.Module):
    """(N, 3, 112, 112) normalised RGB crops to (N, 128), not yet of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            ConvBlock(3, 16, 2),
            ConvBlock(16, 32, 2),
            ConvBlock(32, 32),
            ConvBlock(32, 64, 2),
            Residual(64),
            Residual(64),
            ConvBlock(64, 128, 2),
            Residual(128),
        )
        # One weight for each place and channel: where on the face something lies matters, unlike in a mean.
        self.places = nn.Conv2d(128, 128, 7, groups=128, bias=False)
        self.places_norm = nn.BatchNorm2d(128)
        self.last = nn.Linear(128, EMBEDDING_SIZE, bias=False)
        self.last_norm = nn.BatchNorm1d(EMBEDDING_SIZE)

    def forward(self, x: Tensor) -> Tensor:
        x = self.places_norm(self.places(self.body(x)))
        return cast(Tensor, self.last_norm(self.last(x.flatten(1))))


class DetectorNetwork(nn.Module):
    """(N, 3, H, W) BGR of 0 to 255, H and W multiples of 32, to one (N, 16, H/s, W/s) map a stride s.

    The channels are logits and offsets as `CELL_SIZES` lists them; those at stride 8 are followed by `WAY_SIZE` more.
    """

    def __init__(self) -> None:
        super().__init__()
        self.to_4 = nn.Sequential(ConvBlock(3, 16, 2), ConvBlock(16, 16, 2))
        self.to_8 = nn.Sequential(ConvBlock(16, 32, 2), ConvBlock(32, 32))
        self.to_16 = nn.Sequential(ConvBlock(32, 64, 2), Residual(64))
        self.to_32 = nn.Sequential(ConvBlock(64, 64, 2), ConvBlock(64, 64))
        at_8, at_16, at_32 = _LEVEL_CHANNELS
        self.lateral = nn.ModuleList([nn.Conv2d(32, at_8, 1), nn.Conv2d(64, at_16, 1), nn.Conv2d(64, at_32, 1)])
        self.from_coarser = nn.ModuleList([nn.Conv2d(at_16, at_8, 1), nn.Conv2d(at_32, at_16, 1)])
        self.tower = nn.ModuleList(ConvBlock(channels, channels) for channels in _LEVEL_CHANNELS)
        self.head = nn.ModuleList(
            nn.Conv2d(channels, sum(CELL_SIZES) + WAY_SIZE * (stride == STRIDES[0]), 1)
            for channels, stride in zip(_LEVEL_CHANNELS, STRIDES, strict=True)
        )
        for head in self.head:
            nn.init.constant_(cast(Tensor, head.bias)[0], -4.0)  # faces are rare

    def forward(self, x: Tensor) -> Sequence[Tensor]:
        at_8 = self.to_8(self.to_4(x / 128))
        at_16 = self.to_16(at_8)
        at_32 = self.to_32(at_16)
        laterals = [layer(at) for layer, at in zip(self.lateral, (at_8, at_16, at_32), strict=True)]
        levels = [laterals[2]]
        for finer in (1, 0):
            coarser = functional.interpolate(self.from_coarser[finer](levels[0]), scale_factor=2.0, mode="nearest")
            levels.insert(0, laterals[finer] + coarser)
        towers = [tower(functional.relu(level)) for tower, level in zip(self.tower, levels, strict=True)]
        # Sixteen bits would round a landmark by a quarter of a pixel.
        with torch.autocast("cpu", enabled=False):
            return [head(told.float()) for head, told in zip(self.head, towers, strict=True)]


def refined(points: Tensor, ways: Tensor, image: Tensor) -> Tensor:
    """Landmarks (M, 5, 2) px of faces in the images `image` (M,), each moved by the way that lies there.

    `ways` are the (N, 10, h, w) last channels at stride 8.
    """
    rows, columns = ways.shape[2:]
    size_px = STRIDES[0] * torch.tensor([columns, rows])
    places = (2 * points / size_px - 1).reshape(-1, 1, 1, 2)
    fields = ways[image].reshape(-1, 2, rows, columns)
    moves = functional.grid_sample(fields, places, padding_mode="border", align_corners=False)
    return points + STRIDES[0] * moves.reshape(-1, 5, 2)
