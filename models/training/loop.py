"""The training loop: batches by number from worker processes, one schedule, checkpoints that it resumes from.

It promises the same network for the same seed, however often it was stopped and resumed; it measures its progress in
steps, never in time.
"""

from __future__ import annotations

import math
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy.typing as npt
import torch
from torch import Tensor, nn

Batch: TypeAlias = tuple[npt.NDArray[Any], ...]
MakeBatch = Callable[[int], Batch]
Loss = Callable[[tuple[Tensor, ...]], dict[str, Tensor]]

_AHEAD = 12
_CHECKPOINT_STEPS = 50
_WARM_UP_STEPS = 100
_DECAY_SHARE = 0.4


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps in all, the learning rate, which stays until a cosine leads it down in the last 40 %, and weight decay."""

    steps: int
    learning_rate: float
    weight_decay: float

    def rate(self, step: int) -> float:
        """The learning rate at a step, 0 to `steps` - 1."""
        if step < _WARM_UP_STEPS:
            return self.learning_rate * (step + 1) / _WARM_UP_STEPS
        done = max(0.0, 1 - (self.steps - step) / (_DECAY_SHARE * self.steps))
        return self.learning_rate * (0.01 + 0.99 * (1 + math.cos(math.pi * done)) / 2)


def train(
    modules: nn.ModuleDict, make_batch: MakeBatch, loss: Loss, schedule: Schedule, checkpoint: Path, workers: int
) -> Iterator[tuple[int, dict[str, float]]]:
    """Train `modules` to the end of the schedule; yields the step and the means of the losses now and then."""
    modules.to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(modules.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay)
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        modules.load_state_dict(state["modules"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["step"]
    modules.train()
    sums: dict[str, float] = {}
    for step, batch in enumerate(_batches(make_batch, first, schedule.steps, workers), first):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate(step)
        losses = loss(tuple(torch.from_numpy(each) for each in batch))
        total = sum(losses.values(), torch.zeros(()))
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        nn.utils.clip_grad_norm_(modules.parameters(), 5.0)
        optimiser.step()
        for name, value in losses.items():
            sums[name] = sums.get(name, 0.0) + value.item()
        if (step + 1) % _CHECKPOINT_STEPS == 0 or step + 1 == schedule.steps:
            since = (step % _CHECKPOINT_STEPS) + 1
            yield step + 1, {name: value / since for name, value in sums.items()}
            sums.clear()
            _save(checkpoint, modules, optimiser, step + 1)


def _save(path: Path, modules: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> None:
    unfinished = path.with_suffix(".part")
    torch.save({"modules": modules.state_dict(), "optimiser": optimiser.state_dict(), "step": step}, unfinished)
    unfinished.replace(path)


def _batches(make_batch: MakeBatch, first: int, end: int, workers: int) -> Iterator[Batch]:
    """Batches `first` to `end` - 1 in order, a few made ahead by forked processes, which share the portraits."""
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(workers, context, _start_worker, (make_batch,)) as pool:
        provisional: deque[Future[Batch]] = deque()
        for step in range(first, end):
            while len(provisional) < _AHEAD and step + len(provisional) < end:
                provisional.append(pool.submit(_make, step + len(provisional)))
            yield provisional.popleft().result()


_worker: list[MakeBatch] = []


def _start_worker(make_batch: MakeBatch) -> None:
    """In a forked process only: what it needs came with the fork."""
    cv2.setNumThreads(1)
    _worker.append(make_batch)


def _make(step: int) -> Batch:
    return _worker[0](step)
