"""The pictures of `benchmarks.search`: latency over size, shortlist against recall, and what a gallery costs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.drawing import BLUE, GREEN, INK, VERMILION, headline, save_svg

LINES = {"gallery": ("the gallery", BLUE), "IndexFlatIP": ("faiss IndexFlatIP", VERMILION), "NumPy": ("NumPy", GREEN)}
LABEL_LIFT_POINTS = {"gallery": 0, "IndexFlatIP": 5, "NumPy": -5}
NONE_LOST = 1e-5


def write_plots(folder: Path, document: dict[str, Any]) -> None:
    """search-latency.svg, search-recall.svg and search-cost.svg."""
    sizes = document["sizes"]
    save_svg(folder / "search-latency.svg", lambda figure: _latency(figure.subplots(), sizes), (7.6, 4.6))
    save_svg(folder / "search-recall.svg", lambda figure: _recall(figure.subplots(), document), (7.6, 4.4))
    save_svg(folder / "search-cost.svg", lambda figure: _cost(figure, sizes), (7.6, 3.6))


def _latency(axes: Axes, sizes: list[dict[str, Any]]) -> None:
    for name, (label, colour) in LINES.items():
        timed = [(size["people"], size["latency"][name]) for size in sizes if name in size["latency"]]
        people, p50 = [count for count, _ in timed], [times["p50_ms"] for _, times in timed]
        axes.fill_between(people, p50, [times["p99_ms"] for _, times in timed], color=colour, alpha=0.12, linewidth=0)
        axes.plot(people, p50, color=colour, marker="o", markersize=4.5, linewidth=2)
        text, place = f"{label} {p50[-1]:.3g} ms", (8, LABEL_LIFT_POINTS[name])
        axes.annotate(text, (people[-1], p50[-1]), place, textcoords="offset points", va="center", color=colour)
    _logarithmic(axes, sizes, {0.1: "0.1 ms", 0.3: "0.3 ms", 1: "1 ms", 3: "3 ms", 10: "10 ms", 30: "30 ms"})
    axes.set_xlim(right=sizes[-1]["people"] * 12)
    headline(axes, "One search, by how many are enrolled", "line: median; band: up to the slowest of a hundred")


def _recall(axes: Axes, document: dict[str, Any]) -> None:
    scanned = [size for size in document["sizes"] if size["people"] >= document["exact_rows"]]
    for size, style in zip(scanned[::-1], ("-", "--", ":"), strict=False):
        rows = size["recall"]["by_shortlist"]
        shortlists = [row["shortlist"] for row in rows]
        lost = [max(1 - row["weak_mates"], NONE_LOST) for row in rows]
        label = f"{size['people']:,} people"
        axes.plot(shortlists, lost, color=BLUE, linestyle=style, linewidth=2, label=label)
        shards = -(-size["people"] // document["shard_rows"])
        taken = max(document["shortlist_of_a_shard_at_least"], document["shortlist"] // shards)
        axes.plot(taken, lost[shortlists.index(taken)], color=VERMILION, marker="o", markersize=8, linestyle="")
        axes.set_xticks(shortlists, [str(shortlist) for shortlist in shortlists])
    axes.plot([], [], color=VERMILION, marker="o", markersize=8, linestyle="", label="what the gallery compares")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(axes.get_xticks(), [f"{round(tick)}" for tick in axes.get_xticks()])
    axes.set_yticks([1, 0.1, 0.01, 0.001, 1e-4, NONE_LOST], ["all", "10 %", "1 %", "0.1 %", "0.01 %", "none"])
    axes.minorticks_off()
    axes.set_xlim(0.9, 1_200)
    axes.grid(visible=True)
    axes.set_xlabel("rows of each 262,144 that are compared exactly")
    axes.set_ylabel("weak mates lost")
    axes.legend(frameon=False, labelcolor=INK)
    headline(
        axes, "How long the shortlist must be", "of weak mates (cosine 0.40 to 0.50) whom exact search ranks first"
    )


def _cost(figure: Figure, sizes: list[dict[str, Any]]) -> None:
    memory, time = figure.subplots(1, 2)
    _line(memory, sizes, [size["memory_bytes"] / 2**30 for size in sizes], "GiB")
    _logarithmic(memory, sizes, {0.01: "10 MiB", 0.1: "100 MiB", 1: "1 GiB", 10: "10 GiB"})
    headline(memory, "Memory", f"{sizes[-1]['bytes_per_person']:g} bytes a person")
    _line(time, sizes, [size["build_s"] for size in sizes], "s")
    _logarithmic(time, sizes, {0.01: "0.01 s", 0.1: "0.1 s", 1: "1 s", 10: "10 s", 100: "100 s"})
    headline(time, "Time to build it", "from vectors in memory, codes and all")


def _line(axes: Axes, sizes: list[dict[str, Any]], values: Sequence[float], unit: str) -> None:
    axes.plot([size["people"] for size in sizes], values, color=BLUE, marker="o", markersize=4.5, linewidth=2)
    text, place = f"{values[-1]:.3g} {unit}", (sizes[-1]["people"], values[-1])
    axes.annotate(text, place, (-9, 3), textcoords="offset points", ha="right", va="bottom", color=BLUE)


def _logarithmic(axes: Axes, sizes: list[dict[str, Any]], ticks: dict[float, str]) -> None:
    people = [size["people"] for size in sizes]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_yticks(list(ticks), list(ticks.values()))
    names = {1_000: "thousand", 1_000_000: "million"}
    unit = {count: max(each for each in names if count >= each or each == 1_000) for count in people}
    axes.set_xticks(people, [f"{count / unit[count]:g} {names[unit[count]]}" for count in people])
    axes.tick_params(axis="x", labelsize=9)
    axes.minorticks_off()
    axes.grid(visible=True)
    axes.set_xlabel("people enrolled")
