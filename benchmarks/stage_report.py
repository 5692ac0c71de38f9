"""The times of photographs of one size, as JSON and as a table, and the rule that their ratio is held to."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.tracing import REST, STAGES

SMALL_LONG_SIDE_PX = 400
"""Up to here the recipe is held against its networks alone; decoding a larger JPEG is work that nobody can avoid."""
ROLES = ("detector", "embedder")


@dataclass(frozen=True, slots=True)
class SizeClass:
    """The times of the photographs of one size: ms by name, shape (photographs x runs,)."""

    name: str
    photographs: int
    small: bool
    times: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float64]]]

    def p50(self, name: str) -> float:
        return float(np.median(self.times[name]))

    def as_json(self) -> dict[str, object]:
        """The nested objects of the report; `ratio` is the rule for this size."""
        to_networks = self.p50("whole") / self.p50("networks")
        to_both = self.p50("whole") / (self.p50("networks") + self.p50("decode_bare"))
        return {
            "size": self.name,
            "photographs": self.photographs,
            "whole": self._percentiles("whole"),
            "networks": {**self._percentiles("networks"), **{name: self._percentiles(name) for name in ROLES}},
            "decode": self._percentiles("decode_bare"),
            "stages": {name: self._percentiles(name) for name in (*STAGES, REST)},
            "ratio": to_networks if self.small else to_both,
            "ratio_to_networks": to_networks,
            "ratio_to_networks_and_decode": to_both,
        }

    def _percentiles(self, name: str) -> dict[str, float]:
        """Of the processor time; of the elapsed time, too, where it was taken."""
        figures: dict[str, float] = {}
        for prefix, key in (("", name), ("wall_", f"{name}_wall")):
            if key in self.times:
                p50, p95 = np.percentile(self.times[key], [50, 95])
                figures |= {f"{prefix}p50_ms": round(float(p50), 4), f"{prefix}p95_ms": round(float(p95), 4)}
        return figures


def print_times(size: SizeClass, console: Console) -> None:
    """A table of the processor times, and the ratio in words."""
    figures = size.as_json()
    table = Table(title=f"Photographs {size.name} ({size.photographs:,})", title_justify="left")
    for heading in ("", "p50, ms", "p95, ms"):
        table.add_column(heading, justify="right" if heading else "left")
    rows = (*STAGES, REST, "whole", "networks", "decode_bare")
    for name in rows:
        p50, p95 = np.percentile(size.times[name], [50, 95])
        label = {"whole": "the whole recipe", "networks": "its networks, bare", "decode_bare": "a bare JPEG decode"}
        table.add_row(label.get(name, name), f"{p50:.2f}", f"{p95:.2f}", end_section=name in (REST, "whole"))
    console.print(table)
    rule = "its networks" if size.small else "its networks and a bare decode"
    console.print(f"The whole takes {figures['ratio']:.3f} times {rule}.")
