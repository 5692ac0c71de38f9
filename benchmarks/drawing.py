"""The look of the pictures that the benchmarks draw, and SVG files that are the same for the same figures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by every kind of colour vision, and in this order also by lightness.
BLUE, VERMILION, GREEN, SKY, ORANGE, PINK = "#0072B2", "#D55E00", "#009E73", "#56B4E9", "#E69F00", "#CC79A7"
INK, QUIET, GRID = "#222222", "#666666", "#E3E3E3"

_STYLE: Any = {
    "svg.fonttype": "none",  # text stays text: small, searchable, readable to a screen reader
    "svg.hashsalt": "idverify",
    "font.family": "sans-serif",
    "font.size": 10.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
}


def save_svg(path: Path, draw: Callable[[Figure], None], size_inches: tuple[float, float]) -> None:
    """Let `draw` fill a figure and write it as SVG, without date and with fixed ids."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size_inches, layout="constrained")
        draw(figure)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


def headline(axes: Axes, title: str, subtitle: str, lift: float = 0) -> None:
    """A title and, under it, one quiet line, both flush left; `lift` in points, above a title of the axes' own."""
    above: Any = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(title, (0, 1), (0, 30 + lift), fontsize=13, fontweight="bold", **above)
    axes.annotate(subtitle, (0, 1), (0, 13 + lift), color=QUIET, **above)
