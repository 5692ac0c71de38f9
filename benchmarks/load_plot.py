"""How many answers a second: what is bare, and the service, one bar each; a panel for 1:1 and one for 1:N."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, INK, QUIET, SKY, headline, save_svg

TITLES = {"verification": "1:1, verification", "identification": "1:N, identification"}


def write_loads(path: Path, document: dict[str, Any], *, highlighted: str) -> None:
    """The document as `benchmarks.load` writes it; `highlighted`: the name of the bar of ours."""
    save_svg(path, lambda figure: _draw(figure, document, highlighted), (7.6, 4.6))


def _draw(figure: Figure, document: dict[str, Any], highlighted: str) -> None:
    heights = [len(document[kind]["a_second"]) for kind in TITLES]
    panels = figure.subplots(2, sharex=True, height_ratios=heights)
    for axes, (kind, title) in zip(panels, TITLES.items(), strict=True):
        _panel(axes, document[kind], title, highlighted)
    told = (
        f"{document['strangers']:,} strangers in the gallery; callers on the same {document['measured']['cores']} cores"
    )
    headline(panels[0], "Answers a second", told, lift=20)
    panels[1].set_xlabel("a second (median of the turns)")


def _panel(axes: Axes, measured: dict[str, Any], title: str, highlighted: str) -> None:
    paced = measured["at_70_percent"]
    for row, (name, rate) in enumerate(measured["a_second"].items()):
        axes.barh(row, rate, height=0.62, color=BLUE if name == highlighted else SKY)
        text = f"{rate:.0f}"
        if name == highlighted:
            text += f"; at 70 % of it: p50 {paced['p50_ms']:.0f} ms, p99 {paced['p99_ms']:.0f} ms"
        axes.annotate(text, (rate, row), (5, 0), textcoords="offset points", va="center", color=INK)
    axes.set_yticks(range(len(measured["a_second"])), list(measured["a_second"]))
    axes.set_title(title, loc="left", fontsize=10.5, color=QUIET)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
