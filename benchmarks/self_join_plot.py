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
    lines = (("index_flat_ip_s", "blocked\nIndexFlatIP", VERMILION), ("join_s", "the self-join", BLUE))
    for key, label, colour in lines:
        taken = [size[key] for size in sizes]
        axes.plot(references, taken, color=colour, marker="o", markersize=4.5, linewidth=2)
        text, last = f"{label}\n{taken[-1]:,.0f} s", (references[-1], taken[-1])
        axes.annotate(text, last, (9, 0), textcoords="offset points", va="center", color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(references, [f"{count:,}" for count in references])
    axes.set_yticks(list(TICKS), list(TICKS.values()))
    axes.minorticks_off()
    axes.set_xlim(right=references[-1] * 3)
    axes.grid(visible=True)
    axes.set_xlabel("references in the gallery")
    headline(axes, "All pairs above a threshold", "the largest is measured on a slice and extrapolated")
