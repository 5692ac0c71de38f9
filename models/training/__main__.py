"""`python -m models.training render | detector | embedder`: from seeds to the two committed files."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import nn

from models.training.detection import DetectorLoss, SceneBatches
from models.training.export import detector_onnx, embedder_onnx
from models.training.loop import Schedule, train
from models.training.networks import DetectorNetwork, EmbedderNetwork
from models.training.portraits import load, render_missing
from models.training.recognition import CropBatches, EmbedderLoss, People, teach

SEED = 7
PEOPLE, PORTRAITS = 3000, 6
DETECTOR_STEPS, EMBEDDER_STEPS = 6600, 3200


def main() -> None:
    """Reads the command line and does one part of the recipe; each picks up where it was cut off."""
    arguments = _parser().parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(SEED)
    _COMMANDS[arguments.command](arguments, Console())


def _render(arguments: argparse.Namespace, console: Console) -> None:
    for path in render_missing(arguments.work / "portraits", PEOPLE, PORTRAITS, arguments.workers):
        console.print(f"rendered {path.name}")


def _train_detector(arguments: argparse.Namespace, console: Console) -> None:
    batches = SceneBatches(load(arguments.work / "portraits"), SEED)
    network = DetectorNetwork()
    schedule = Schedule(arguments.steps or DETECTOR_STEPS, learning_rate=2e-3, weight_decay=1e-4)
    modules = nn.ModuleDict({"network": network})
    checkpoint = arguments.work / "detector.pt"
    for step, losses in train(modules, batches, DetectorLoss(network), schedule, checkpoint, arguments.workers):
        _tell(console, "detector", step, schedule, losses)
    arguments.out.write_bytes(detector_onnx(network.eval()))


def _train_embedder(arguments: argparse.Namespace, console: Console) -> None:
    portraits = load(arguments.work / "portraits")
    answers_path = arguments.work / "teacher.npy"
    if not answers_path.exists():
        console.print("asking the teacher")
        np.save(answers_path, teach(portraits, arguments.teacher.read_bytes()))
    batches = CropBatches(portraits, np.load(answers_path), SEED)
    network, people = EmbedderNetwork(), People(int(portraits.people.max()) + 1)
    schedule = Schedule(arguments.steps or EMBEDDER_STEPS, learning_rate=3e-3, weight_decay=5e-4)
    modules = nn.ModuleDict({"network": network, "people": people})
    loss = EmbedderLoss(network, people)
    checkpoint = arguments.work / "embedder.pt"
    for step, losses in train(modules, batches, loss, schedule, checkpoint, arguments.workers):
        _tell(console, "embedder", step, schedule, losses)
    arguments.out.write_bytes(embedder_onnx(network.eval()))


def _tell(console: Console, what: str, step: int, schedule: Schedule, losses: dict[str, float]) -> None:
    parts = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
    console.print(f"{what} {step:,} of {schedule.steps:,}  {parts}", soft_wrap=True)


_COMMANDS = {"render": _render, "detector": _train_detector, "embedder": _train_embedder}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.training", description="Trains the built-in model set.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, told in (
        ("render", "render the portraits"),
        ("detector", "train the detector and write it as ONNX"),
        ("embedder", "train the embedder and write it as ONNX"),
    ):
        command = commands.add_parser(name, help=told)
        command.add_argument("--work", type=Path, required=True, help="folder of portraits and checkpoints (0.5 GB)")
        command.add_argument("--workers", type=int, default=2, help="processes that make pictures")
        command.add_argument("--threads", type=int, default=1, help="threads that train")
        if name != "render":
            command.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
            command.add_argument(
                "--steps", type=int, help="fewer steps than the committed files had, to try the recipe"
            )
        if name == "embedder":
            command.add_argument("--teacher", type=Path, required=True, help="the reference set's mobilefacenet.onnx")
    return parser


if __name__ == "__main__":
    main()
