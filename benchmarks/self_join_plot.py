"""The picture of `benchmarks.self_join`: how long all pairs take, by how many references there are."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from benchmarks.drawing import BLUE, VERMILION, headline, save_svg

TICKS = {0.1: "0.1 s", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h"}


def write_plot(path: Path, document: dict[str, Any]) -> None:
    save_svg(path, lambda figure: _draw(figure.subplots(), document["sizes"]), (7.6, 4.2))


def _draw(axes: Axes, sizes: list[dict[str, Any]]) -> None:
    references = [size["references"] for size in sizes]
    for key, label, colour, above in (
        ("index_flat_ip_s", "blocked IndexFlatIP", VERMILION, True),
        ("join_s", "the self-join", BLUE, False),
    ):
        taken = [size[key] for size in sizes]
        axes.plot(references, taken, color=colour, marker="o", markersize=4.5, linewidth=2)
        place = (-8, 4) if above else (-6, -14)
        text = f"{label}: {taken[-1]:,.0f} s"
        axes.annotate(text, (references[-1], taken[-1]), place, textcoords="offset points", ha="right", color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(references, [f"{count:,}" for count in references])
    axes.set_yticks(list(TICKS), list(TICKS.values()))
    axes.minorticks_off()
    axes.grid(visible=True)
    axes.set_xlabel("references in the gallery")
    headline(axes, "All pairs above a threshold", "the largest is measured on a slice and extrapolated")
