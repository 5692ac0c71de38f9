"""Computes the geometry of a bar chart, which a template draws as SVG beside a table of the same numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 12, 28
_LABELS_AT_MOST = 7
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class ChartBar:
    """Lengths in units of the drawing; `series` counts from 1; `title` is read out and shown by a pointer."""

    x: float
    y: float
    width: float
    height: float
    series: int
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at an axis, `at` so far from the left or from the top."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars side by side for each period, one for each series."""

    width: int
    height: int
    left: int
    right: int
    base: float
    bars: tuple[ChartBar, ...]
    lines: tuple[Mark, ...]
    labels: tuple[Mark, ...]


def bar_chart(periods: Sequence[str], series: Mapping[str, Sequence[int]]) -> BarChart:
    """`series`: numbers by name, one for each period."""
    highest = max((number for numbers in series.values() for number in numbers), default=0)
    step = _step(highest)
    top = max(-(-highest // step), 1) * step
    base = float(HEIGHT - _BOTTOM)
    scale = (base - _TOP) / top
    slot = (WIDTH - _LEFT - _RIGHT) / max(len(periods), 1)
    width = min(slot * 0.8 / max(len(series), 1), 34.0)
    bars = []
    for place, period in enumerate(periods):
        start = _LEFT + place * slot + (slot - width * len(series)) / 2
        for order, (name, numbers) in enumerate(series.items()):
            number = numbers[place]
            bars.append(
                ChartBar(
                    x=round(start + order * width, 1),
                    y=round(base - number * scale, 1),
                    width=round(width * 0.92, 1),
                    height=round(number * scale, 1),
                    series=order + 1,
                    title=f"{period}, {name}: {number}",
                )
            )
    every = -(-len(periods) // _LABELS_AT_MOST)
    return BarChart(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        base=base,
        bars=tuple(bars),
        lines=tuple(Mark(round(base - value * scale, 1), f"{value:,}") for value in range(0, top + 1, step)),
        labels=tuple(
            Mark(round(_LEFT + (place + 0.5) * slot, 1), period)
            for place, period in enumerate(periods)
            if place % (every or 1) == 0
        ),
    )


def _step(highest: int) -> int:
    """The distance of lines, such that there are three to six of them."""
    size = 1
    while True:
        for factor in _STEPS:
            if highest <= 5 * factor * size:
                return factor * size
        size *= 10
