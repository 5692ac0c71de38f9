"""Writes a trained network as ONNX with the tensor interfaces of the reference set, its weights stored in 8 bits.

Normalisation is folded into the convolutions; onnxruntime widens the weights once when it loads the file, so that
they cost a quarter of the space and no time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.training.networks import (
    CELL_SIZES,
    EMBEDDING_SIZE,
    REFINED_STRIDE,
    STRIDES,
    ConvBlock,
    DetectorNetwork,
    EmbedderNetwork,
    Residual,
)

_OPSET = 17
_IR_VERSION = 8
# The detector's logits of objectness and quality are written so much lower that a score of 0.86 becomes the 0.6 which
# the engine asks of a face: measured on seeds from 8,000,000, rendered faces then score 0.7 and more, rendered rooms
# with round things in rows 0.4 and less.
_CAUTION = (-1.41, -1.41, *[0.0] * 14)
_SIZES = dict(zip(("obj", "cls", "bbox", "kps"), CELL_SIZES, strict=True))
_MOST_CELLS = 512  # along a side at stride 16: pictures of up to 8,192 px


@dataclass(slots=True)
class _Graph:
    """Nodes and weights as they are added; every method returns the name of what it computes."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: object) -> str:
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, values: npt.NDArray[np.generic]) -> str:
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def halved(self, values: npt.NDArray[np.float32]) -> str:
        """Stored in 16 bits, used in 32."""
        return self.node("Cast", self.constant(values.astype(np.float16)), to=TensorProto.FLOAT)

    def quartered(self, weight: Tensor) -> str:
        """Stored in 8 bits and a scale for each output, used in 32."""
        values = weight.detach().numpy()
        scales = np.abs(values).max(axis=tuple(range(1, values.ndim)), keepdims=True) / 127
        scales = np.maximum(scales, 1e-6).astype(np.float16).astype(np.float32)
        whole = np.clip(np.round(values / scales), -127, 127).astype(np.int8)
        return self.node("Mul", self.node("Cast", self.constant(whole), to=TensorProto.FLOAT), self.halved(scales))

    def conv(
        self, x: str, weight: Tensor, bias: Tensor, *, stride: int = 1, groups: int = 1, pad: int | None = None
    ) -> str:
        pad = weight.shape[-1] // 2 if pad is None else pad
        return self.node(
            "Conv",
            x,
            self.quartered(weight),
            self.halved(bias.detach().numpy()),
            strides=[stride, stride],
            pads=[pad] * 4,
            group=groups,
            kernel_shape=list(weight.shape[2:]),
        )

    def block(self, x: str, block: ConvBlock, scale: float = 1.0) -> str:
        weight, bias = _folded(block.conv.weight, block.norm)
        x = self.conv(x, weight * scale, bias, stride=block.conv.stride[0])
        return x if block.linear else self.node("Relu", x)

    def sequence(self, x: str, layers: nn.Sequential, scale: float = 1.0) -> str:
        """The layers in turn; the first, a block, takes `scale` times what it is given."""
        for layer in layers:
            if isinstance(layer, Residual):
                x = self.node("Relu", self.node("Add", x, self.block(self.block(x, layer.first), layer.second)))
            elif isinstance(layer, ConvBlock):
                x = self.block(x, layer, scale)
            else:
                raise TypeError(f"expected ConvBlock or Residual, got {type(layer).__name__}")
            scale = 1.0
        return x

    def model(self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[onnx.ValueInfoProto]) -> bytes:
        graph = helper.make_graph(self.nodes, name, list(inputs), list(outputs), self.weights)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="idverify"
        )
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString())


def embedder_onnx(network: EmbedderNetwork) -> bytes:
    """Input (1, 3, 112, 112), RGB normalised by ImageNet's mean and deviation; output (1, 128)."""
    graph = _Graph()
    x = graph.sequence("image", network.body)
    x = graph.conv(x, *_folded(network.places.weight, network.places_norm), groups=network.places.groups, pad=0)
    weight, bias = _folded(network.last.weight, network.last_norm)
    x = graph.node("Flatten", x)
    graph.node("Gemm", x, graph.quartered(weight), graph.halved(bias.detach().numpy()), transB=1, output="embedding")
    return graph.model(
        "idverify-builtin-embedder",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, EMBEDDING_SIZE])],
    )


def detector_onnx(network: DetectorNetwork) -> bytes:
    """Input (1, 3, H, W), BGR of 0 to 255; YuNet's twelve outputs: cls, obj, bbox, kps at strides 8, 16 and 32."""
    graph = _Graph()
    at: list[str] = []
    x = graph.sequence("image", network.to_4, scale=1 / 128)
    for stage in (network.to_8, network.to_16, network.to_32):
        x = graph.sequence(x, stage)
        at.append(x)
    levels = [_plain(graph, each, layer) for each, layer in zip(at, network.lateral, strict=True)]
    twice = graph.constant(np.array([1, 1, 2, 2], np.float32))
    for finer in (1, 0):
        coarser = _plain(graph, levels[finer + 1], network.from_coarser[finer])
        wider = graph.node(
            "Resize", coarser, "", twice, mode="nearest", coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )  # fmt: skip
        levels[finer] = graph.node("Add", levels[finer], wider)
    towers = [
        graph.block(graph.node("Relu", level), cast(ConvBlock, tower))
        for level, tower in zip(levels, network.tower, strict=True)
    ]
    for stride, tower, layer in zip(STRIDES, towers, network.head, strict=True):
        if stride == REFINED_STRIDE:
            # The ways are in strides of 8, the points in strides of 16.
            ways = _rows(graph, towers[0], network.head[0], 16, 26, scale=STRIDES[0] / stride)
            points = _refined(graph, _rows(graph, tower, layer, 6, 16), ways)
            cells = graph.node("Transpose", points, perm=[2, 3, 0, 1])
            graph.node("Reshape", cells, graph.constant(np.array([1, -1, 10], np.int64)), output=f"kps_{stride}")
            _cell_outputs(graph, _rows(graph, tower, layer, 0, 6, shift=_CAUTION[:6]), stride, ("obj", "cls", "bbox"))
        else:
            told = _rows(graph, tower, layer, 0, 16, shift=_CAUTION)
            _cell_outputs(graph, told, stride, ("obj", "cls", "bbox", "kps"))
    order = [f"{name}_{stride}" for name in ("cls", "obj", "bbox", "kps") for stride in STRIDES]
    return graph.model(
        "idverify-builtin-detector",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, f"cells_{name}", _SIZES[name.split("_")[0]]])
            for name in order
        ],
    )


def _refined(graph: _Graph, points: str, ways: str) -> str:
    """Landmarks (1, 10, h, w) at stride 16, moved as `networks.refined` moves them, as (5, 2, h, w)."""
    pairs = graph.constant(np.array([5, 2, 0, 0], np.int64))
    points, ways = graph.node("Reshape", points, pairs), graph.node("Reshape", ways, pairs)
    shape, edges = graph.node("Shape", points), [graph.constant(np.array([n], np.int64)) for n in (0, 2, 3, 4)]
    rows, columns = (graph.node("Slice", shape, edges[n], edges[n + 1]) for n in (1, 2))
    count = np.arange(_MOST_CELLS, dtype=np.float32)
    none = np.zeros_like(count)
    along = graph.node("Slice", graph.constant(np.stack([count, none])[None, :, None]), edges[0], columns, edges[2])
    down = graph.node("Slice", graph.constant(np.stack([none, count])[None, :, :, None]), edges[0], rows, edges[1])
    places = graph.node("Transpose", graph.node("Add", graph.node("Add", points, along), down), perm=[0, 2, 3, 1])
    # In GridSample's measure the picture reaches from -1 to 1: 2 x / width - 1.
    sides = graph.node("Cast", graph.node("Concat", columns, rows, axis=0), to=TensorProto.FLOAT)
    halves = graph.node("Mul", sides, graph.constant(np.array([0.5], np.float32)))
    grid = graph.node("Sub", graph.node("Div", places, halves), graph.constant(np.ones(1, np.float32)))
    moves = graph.node("GridSample", ways, grid, padding_mode="border", align_corners=0)
    return graph.node("Add", points, moves)


def _rows(
    graph: _Graph, x: str, head: nn.Module, first: int, end: int, *, scale: float = 1.0, shift: Sequence[float] = (0.0,)
) -> str:
    """The channels `first` to `end` - 1 of what the head tells, times `scale` and plus `shift`."""
    if not isinstance(head, nn.Conv2d) or head.bias is None:
        raise TypeError(f"expected a convolution with bias, got {head}")
    return graph.conv(x, head.weight[first:end] * scale, head.bias[first:end] * scale + torch.tensor(shift))


def _cell_outputs(graph: _Graph, told: str, stride: int, names: Sequence[str]) -> None:
    """What the cells tell, (1, n, h, w), as outputs (1, h x w, …) of these names."""
    sizes = np.array([_SIZES[name] for name in names], np.int64)
    cells = graph.node("Transpose", told, perm=[0, 2, 3, 1])
    cells = graph.node("Reshape", cells, graph.constant(np.array([1, -1, sizes.sum()], np.int64)))
    logits = [f"{name}_{stride}" if name in ("bbox", "kps") else f"{name}_{stride}_logit" for name in names]
    graph.nodes.append(helper.make_node("Split", [cells, graph.constant(sizes)], logits, axis=2))
    for name in ("obj", "cls"):
        graph.node("Sigmoid", f"{name}_{stride}_logit", output=f"{name}_{stride}")


def _plain(graph: _Graph, x: str, layer: nn.Module) -> str:
    if not isinstance(layer, nn.Conv2d) or layer.bias is None:
        raise TypeError(f"expected a convolution with bias, got {layer}")
    return graph.conv(x, layer.weight, layer.bias)


def _folded(weight: Tensor, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of the layer with its normalisation, as it is after training."""
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise TypeError("expected a normalisation that tracks its statistics")
    factor = norm.weight / torch.sqrt(variance + norm.eps)
    return weight * factor.view(-1, *[1] * (weight.dim() - 1)), norm.bias - mean * factor
