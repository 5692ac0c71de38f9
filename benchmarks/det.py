"""The detection error trade-off (DET) curve of ISO/IEC 19795-1: FNMR over FMR, both on logarithmic axes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from benchmarks.comparisons import LOOSEST_FMR
from benchmarks.drawing import BLUE, INK, QUIET, VERMILION, headline, save_svg
from benchmarks.statistics import RULE_OF_30, TARGETS, TIGHTEST_FMR, OperatingRate

PERCENT_TICKS = tuple(digit * 10.0**power for power in range(-6, 0) for digit in (1, 2, 5))


@dataclass(frozen=True, slots=True)
class Caption:
    """What the curve was measured on, in words."""

    title: str
    subtitle: str


def write_det(path: Path, rates: dict[float, OperatingRate], mated_pairs: int, caption: Caption) -> None:
    """Draw the rates with their 95 % band and the operating points named; `rates` as of `curve_targets`.

    Where fewer than RULE_OF_30 pairs set the threshold, the curve is dotted. A rate without any error is
    drawn on the floor of half an error in all mated pairs.
    """
    floor = 0.5 / mated_pairs
    save_svg(path, lambda figure: _draw(figure.subplots(), rates, floor, caption), (7.6, 5.0))


def _draw(axes: Axes, rates: dict[float, OperatingRate], floor: float, caption: Caption) -> None:
    fmr = sorted(rates)
    fnmr = [max(rates[rate].fnmr, floor) for rate in fmr]
    low = [max(rates[rate].fnmr_interval.low, floor) for rate in fmr]
    high = [max(rates[rate].fnmr_interval.high, floor) for rate in fmr]
    axes.fill_between(fmr, low, high, color=BLUE, alpha=0.16, linewidth=0)
    firm = sum(rates[rate].exceedances < RULE_OF_30 for rate in fmr)  # from this point on
    axes.plot(fmr[firm:], fnmr[firm:], color=BLUE, linewidth=2.2, solid_capstyle="round")
    axes.plot(fmr[: firm + 1], fnmr[: firm + 1], color=BLUE, linewidth=1.4, linestyle=(0, (1, 1.6)))
    _label_band(axes, fmr[len(fmr) * 2 // 3], rates, floor)
    for target in TARGETS:
        if target in rates:
            _mark(axes, rates[target], floor)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(TIGHTEST_FMR / 1.6, LOOSEST_FMR * 1.6)
    lowest, highest = min(low) / 1.3, max(high) * 1.9  # room for the first label
    axes.set_ylim(lowest, highest)
    ticks = [rate for rate in PERCENT_TICKS if lowest <= rate <= min(1.0, highest)]
    axes.set_yticks(ticks, [f"{100 * rate:g} %" for rate in ticks])
    decades = [10**power for power in range(2, 7)]
    axes.set_xticks([1 / many for many in decades], [f"1 in {many:,}" for many in decades])
    axes.minorticks_off()
    axes.grid(visible=True)
    axes.set_xlabel("false match rate (FMR): strangers taken for the person")
    axes.set_ylabel("false non-match rate (FNMR): persons not recognised")
    headline(axes, caption.title, caption.subtitle)


def _label_band(axes: Axes, fmr: float, rates: dict[float, OperatingRate], floor: float) -> None:
    """Below the band, or above it where it reaches down to the floor."""
    interval = rates[fmr].fnmr_interval
    style: Any = {"textcoords": "offset points", "color": BLUE, "fontsize": 9.5}
    if interval.low > floor:
        axes.annotate("95 % interval", (fmr, interval.low), (-4, -3), ha="right", va="top", **style)
    else:
        axes.annotate("95 % interval", (fmr, interval.high), (4, 3), **style)


def _mark(axes: Axes, rate: OperatingRate, floor: float) -> None:
    at = (rate.target_fmr, max(rate.fnmr, floor))
    firm = rate.exceedances >= RULE_OF_30
    fill, edge = (VERMILION, "white") if firm else ("white", VERMILION)
    axes.plot(*at, "o", color=fill, markersize=7, markeredgecolor=edge, markeredgewidth=1.3, clip_on=False)
    value = f"{100 * rate.fnmr:.2f} %"
    axes.annotate(value, at, (9, 18), textcoords="offset points", color=INK, fontweight="bold")
    basis = f"threshold {rate.threshold:.3f}" + ("" if firm else f", pairs above: {rate.exceedances}")
    axes.annotate(basis, at, (9, 6), textcoords="offset points", color=QUIET, fontsize=9)
