"""Where the time of one photograph goes: a panel for each size, the recipe above what it cannot do without."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, GREEN, INK, ORANGE, PINK, QUIET, SKY, headline, save_svg

COLOURS = {"decode": SKY, "detect": BLUE, "quality": ORANGE, "align": PINK, "embed": GREEN, "rest": "#BBBBBB"}
ON_DARK = frozenset({"detect", "embed"})
SHARE_A_LETTER = 0.016
"""Of the panel's width, for deciding whether a name fits into its part."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label and its parts, in ms, in the order in which they are done; names as in COLOURS."""

    label: str
    parts_ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """The bars of one size of photograph, from top to bottom."""

    title: str
    bars: Sequence[Bar]


def write_stage_bars(path: Path, panels: Sequence[Panel], title: str, subtitle: str) -> None:
    """Draw the panels, each with its own scale; short parts are named above their bar."""
    save_svg(path, lambda figure: _draw(figure, panels, title, subtitle), (7.6, 1.1 + 1.75 * len(panels)))


def _draw(figure: Figure, panels: Sequence[Panel], title: str, subtitle: str) -> None:
    stacked = figure.subplots(len(panels), squeeze=False)[:, 0]
    for axes, panel in zip(stacked, panels, strict=True):
        _draw_panel(axes, panel)
    headline(stacked[0], title, subtitle, lift=22)
    stacked[-1].set_xlabel("milliseconds a photograph (median), one thread", color=QUIET)


def _draw_panel(axes: Axes, panel: Panel) -> None:
    extent = 1.16 * max(sum(bar.parts_ms.values()) for bar in panel.bars)
    for row, bar in enumerate(panel.bars):
        _draw_bar(axes, bar, row, extent)
    axes.set_yticks(range(len(panel.bars)), [bar.label for bar in panel.bars])
    axes.set_xlim(0, extent)
    axes.set_ylim(len(panel.bars) - 0.5, -0.75)
    axes.set_title(panel.title, loc="left", fontsize=10.5, color=QUIET)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _draw_bar(axes: Axes, bar: Bar, row: int, extent: float) -> None:
    left = 0.0
    for fits, parts in groupby(bar.parts_ms.items(), lambda part: part[1] > SHARE_A_LETTER * len(part[0]) * extent):
        run, start = list(parts), left
        for name, width in run:
            axes.barh(row, width, left=left, height=0.62, color=COLOURS[name], edgecolor="white", linewidth=1)
            if fits:
                ink = "white" if name in ON_DARK else INK
                middle = (left + width / 2, row)
                axes.annotate(f"{name}\n{width:.1f}", middle, ha="center", va="center", color=ink, fontsize=8.5)
            left += width
        if not fits:
            names = f"{' + '.join(name for name, _ in run)} {sum(width for _, width in run):.1f}"
            side = "left" if start == 0 else "center"
            above = (start if start == 0 else (start + left) / 2, row - 0.33)
            axes.annotate(names, above, (0, 2), textcoords="offset points", ha=side, color=QUIET, fontsize=8.5)
    total = f"{left:.1f} ms"
    axes.annotate(total, (left, row), (5, 0), textcoords="offset points", va="center", fontweight="bold")
