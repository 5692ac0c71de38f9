"""What a start is spent on, over the number of people: one bar for each size, its steps one after the other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from benchmarks.drawing import BLUE, GREEN, INK, ORANGE, SKY, headline, save_svg

COLOURS = (SKY, ORANGE, BLUE, GREEN)


def write_starts(path: Path, starts: Sequence[tuple[int, Mapping[str, float]]]) -> None:
    """`starts`: how many people, and the seconds of each step."""
    save_svg(path, lambda figure: _draw(figure.subplots(), starts), (7.6, 1.6 + 0.7 * len(starts)))


def _draw(axes: Axes, starts: Sequence[tuple[int, Mapping[str, float]]]) -> None:
    names = list(dict.fromkeys(name for _, steps in starts for name in steps))
    for row, (_, steps) in enumerate(starts):
        left = 0.0
        for name, colour in zip(names, COLOURS, strict=False):
            width = steps.get(name, 0.0)
            label = name.lower() if row == 0 else None
            axes.barh(row, width, left=left, height=0.6, color=colour, edgecolor="white", label=label)
            left += width
        axes.annotate(f"{left:.1f} s", (left, row), (5, 0), textcoords="offset points", va="center", color=INK)
    axes.set_yticks(range(len(starts)), [f"{people:,} people" for people, _ in starts])
    axes.set_xlim(0, 1.12 * max(sum(steps.values()) for _, steps in starts))
    axes.invert_yaxis()
    axes.set_xlabel("seconds until 1:N is answered; 1:1 is answered after three")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.32), ncols=3, frameon=False)
    headline(axes, "What a start is spent on", "every leaf verified, every record compared, every template opened")
