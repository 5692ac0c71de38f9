"""The pictures of `benchmarks.search`: latency over size, shortlist against recall, and what a person costs."""

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from benchmarks.drawing import BLUE, GREEN, INK, QUIET, VERMILION, headline, save_svg

LINES = {"gallery": ("the gallery", BLUE), "IndexFlatIP": ("faiss IndexFlatIP", VERMILION), "NumPy": ("NumPy", GREEN)}


def write_plots(folder: Path, document: dict[str, Any]) -> None:
    """search-latency.svg, search-recall.svg and search-cost.svg."""
    sizes = document["sizes"]
    save_svg(folder / "search-latency.svg", lambda figure: _latency(figure.subplots(), sizes), (7.6, 4.6))
    save_svg(folder / "search-recall.svg", lambda figure: _recall(figure.subplots(), document), (7.6, 4.2))
    save_svg(folder / "search-cost.svg", lambda figure: _cost(figure.subplots(), sizes), (7.6, 4.2))


def _latency(axes: Axes, sizes: list[dict[str, Any]]) -> None:
    for name, (label, colour) in LINES.items():
        timed = [(size["people"], size["latency"][name]) for size in sizes if name in size["latency"]]
        people, p50 = [count for count, _ in timed], [times["p50_ms"] for _, times in timed]
        axes.fill_between(people, p50, [times["p99_ms"] for _, times in timed], color=colour, alpha=0.12, linewidth=0)
        axes.plot(people, p50, color=colour, marker="o", markersize=4.5, linewidth=2)
        above = name != "gallery"
        axes.annotate(
            f"{label}: {p50[-1]:.3g} ms",
            (people[-1], p50[-1]),
            (-6, 8 if above else -9),
            textcoords="offset points",
            ha="right",
            va="bottom" if above else "top",
            color=colour,
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    _label_people(axes, sizes)
    ticks = [0.1, 0.3, 1, 3, 10, 30, 100]
    axes.set_yticks(ticks, [f"{tick:g} ms" for tick in ticks])
    axes.minorticks_off()
    axes.grid(visible=True)
    headline(axes, "One search, by how many are enrolled", "line: median; band: up to the slowest of a hundred")


def _recall(axes: Axes, document: dict[str, Any]) -> None:
    for size, style in zip(document["sizes"][::-1], ("-", "--", ":", "-."), strict=False):
        rows = size["recall"]["by_shortlist"]
        lost = [max(1 - row["weak_mates"], 1e-5) for row in rows]
        label = f"{size['people']:,} people"
        axes.plot([row["shortlist"] for row in rows], lost, color=BLUE, linestyle=style, linewidth=2, label=label)
    axes.axvline(document["shortlist"], color=VERMILION, linewidth=1.4)
    axes.annotate(
        f"the gallery's: {document['shortlist']}",
        (document["shortlist"], 0.5),
        (-5, 0),
        textcoords="offset points",
        ha="right",
        color=VERMILION,
    )
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    shortlists = [row["shortlist"] for row in document["sizes"][0]["recall"]["by_shortlist"]]
    axes.set_xticks(shortlists, [str(shortlist) for shortlist in shortlists])
    ticks = [1, 0.1, 0.01, 0.001, 1e-4, 1e-5]
    axes.set_yticks(ticks, ["all", "10 %", "1 %", "0.1 %", "0.01 %", "none"])
    axes.minorticks_off()
    axes.grid(visible=True)
    axes.set_xlabel("rows of each 262,144 that are compared exactly")
    axes.set_ylabel("weak mates lost")
    axes.legend(frameon=False, labelcolor=INK)
    subtitle = "probes at cosine 0.40 to 0.50 whom exact search ranks first, and a scan does not bring so far"
    headline(axes, "How long the shortlist must be", subtitle)


def _cost(axes: Axes, sizes: list[dict[str, Any]]) -> None:
    people = [size["people"] for size in sizes]
    for key, label, colour in (("resident_bytes", "whole process", QUIET), ("memory_bytes", "the gallery", BLUE)):
        gib = [size[key] / 2**30 for size in sizes]
        axes.plot(people, gib, color=colour, marker="o", markersize=4.5, linewidth=2)
        axes.annotate(
            f"{label}: {gib[-1]:.2g} GiB", (people[-1], gib[-1]), (-8, 6 if key == "resident_bytes" else -12),
            textcoords="offset points", ha="right", color=colour,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    _label_people(axes, sizes)
    ticks = [0.01, 0.1, 1, 10]
    axes.set_yticks(ticks, ["10 MiB", "100 MiB", "1 GiB", "10 GiB"])
    axes.minorticks_off()
    axes.grid(visible=True)
    headline(axes, "Memory, by how many are enrolled", f"{sizes[-1]['bytes_per_person']:g} bytes a person")


def _label_people(axes: Axes, sizes: list[dict[str, Any]]) -> None:
    people = [size["people"] for size in sizes]
    axes.set_xticks(people, [f"{count:,}" for count in people])
    axes.set_xlim(people[0] / 1.3, people[-1] * 1.3)
    axes.set_xlabel("people enrolled")
