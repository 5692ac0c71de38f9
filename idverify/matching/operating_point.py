"""Finds the threshold for a false match rate, for one embedder and one population, from measured thresholds.

It never invents a threshold: a rate beyond the measured ones is extrapolated, and the result says so.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from idverify.errors import ConfigurationInvalid, InvalidInput, OperatingPointMissing
from idverify.ids import ModelDigest

MIN_FALSE_MATCHES = 30
STRICTEST_RATE = 1e-12
"""The smallest rate that may be asked for: one pair in all those of 1.4 million people."""


class Population(StrEnum):
    """Whose faces a threshold was calibrated on."""

    PHOTOGRAPHS = "photographs"
    RENDERED = "rendered"


@dataclass(frozen=True, slots=True)
class CalibratedPoint:
    """One row of `models/manifest.toml`: the threshold at which `fmr` was measured, with its 95 % interval."""

    embedder: ModelDigest
    population: Population
    fmr: float
    threshold: float
    threshold_low: float
    threshold_high: float
    fnmr: float
    mated_pairs: int
    non_mated_pairs: int
    dataset: str
    date: str

    @property
    def supported(self) -> bool:
        """Whether at least 30 false matches set the threshold.

        The rule of 30 (Doddington et al., "The NIST speaker recognition evaluation", 2000): with 30 errors the true
        rate lies within 30 % of the measured one at 90 % confidence. With three, one mislabelled photograph sets it.
        """
        return self.fmr * self.non_mated_pairs >= MIN_FALSE_MATCHES


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold in force: similarity at or above it is a match at the false match rate `fmr`."""

    fmr: float
    threshold: float
    population: Population
    extrapolated: bool

    @property
    def name(self) -> str:
        """What a policy id shows of it: the rate and the population, never the threshold."""
        return f"fmr-{self.fmr:.0e}-{self.population}{'-extrapolated' if self.extrapolated else ''}"


@dataclass(frozen=True, slots=True)
class ScoreRate:
    """The share of pairs of different people that score at least as high; `at_most`: that, or less."""

    fmr: float
    at_most: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """The supported points of one embedder on one population, from loose to strict."""

    points: tuple[CalibratedPoint, ...]

    def at_fmr(self, fmr: float) -> OperatingPoint:
        """The operating point for a false match rate in (0, 0.5].

        Between calibrated rates the threshold is interpolated linearly in log FMR. Beyond the strictest, the line of
        the last two points is followed and the result says `extrapolated`; beyond the loosest, the loosest holds.
        Raises InvalidInput.
        """
        if not 0.0 < fmr <= 0.5:
            raise InvalidInput(f"false match rate: expected more than 0 and at most 0.5, got {fmr:g}")
        log = math.log10(fmr)
        loosest, strictest = self.points[0], self.points[-1]
        if fmr >= loosest.fmr:
            return OperatingPoint(loosest.fmr, loosest.threshold, loosest.population, extrapolated=False)
        left, right = self._bracket(fmr)
        share = (log - math.log10(left.fmr)) / (math.log10(right.fmr) - math.log10(left.fmr))
        threshold = left.threshold + share * (right.threshold - left.threshold)
        return OperatingPoint(fmr, threshold, left.population, extrapolated=fmr < strictest.fmr * (1 - 1e-9))

    def margin(self, fmr: float) -> float:
        """How far the threshold of a tenth of `fmr` stands above its own: nearer, on either side, is a close call."""
        point = self.at_fmr(fmr)
        return self.at_fmr(point.fmr / 10).threshold - point.threshold

    def at_fpir(self, fpir: float, enrolled: int) -> OperatingPoint:
        """The point for a search of `enrolled` people that returns a false candidate with probability `fpir`.

        FPIR is about N x FMR for independent comparisons (ISO/IEC 19795-1), so FMR = FPIR / N.
        """
        if not 0.0 < fpir <= 0.5:
            raise InvalidInput(
                f"false positive identification rate: expected more than 0 and at most 0.5, got {fpir:g}"
            )
        return self.at_fmr(fpir / max(enrolled, 1))

    def rate_of(self, similarity: float) -> "ScoreRate":
        """How rare it is for two different people to be this alike: `at_fmr` read backwards.

        Beyond the strictest point the line is followed too, but never further than to one pair in as many as were
        measured: of what is rarer than that the measurement says nothing.
        """
        measured = self.points[-1].non_mated_pairs
        fmr = self._rate([point.threshold for point in self.points], similarity)
        return ScoreRate(max(fmr, 1 / measured), at_most=fmr <= 1 / measured)

    def rate_interval(self, threshold: float) -> tuple[float, float]:
        """The false match rate at `threshold` by the lower and by the upper ends of the points' 95 % intervals."""
        low, high = (
            self._rate([getattr(point, end) for point in self.points], threshold)
            for end in ("threshold_low", "threshold_high")
        )
        return low, high

    def _rate(self, thresholds: Sequence[float], similarity: float) -> float:
        """On the line through (threshold, log FMR) of the points, both ends prolonged, at most 1."""
        logs = [math.log10(point.fmr) for point in self.points]
        right = 1
        while right < len(logs) - 1 and similarity > thresholds[right]:
            right += 1
        run = thresholds[right] - thresholds[right - 1]
        share = (similarity - thresholds[right - 1]) / run
        return float(10 ** min(logs[right - 1] + share * (logs[right] - logs[right - 1]), 0.0))

    def _bracket(self, fmr: float) -> tuple[CalibratedPoint, CalibratedPoint]:
        for left, right in zip(self.points, self.points[1:], strict=False):
            if fmr >= right.fmr:
                return left, right
        return self.points[-2], self.points[-1]


class OperatingPoints:
    """Every calibration that the manifest holds, found by embedder and population."""

    def __init__(self, points: Iterable[CalibratedPoint]) -> None:
        self._points = tuple(points)

    @classmethod
    def parse(cls, tables: Iterable[Mapping[str, object]]) -> "OperatingPoints":
        """Read the `[[operating_point]]` tables of the manifest. Raises ConfigurationInvalid for a malformed one."""
        try:
            return cls(_parse(table) for table in tables)
        except (KeyError, ValueError, TypeError) as error:
            raise ConfigurationInvalid(
                f"models/manifest.toml: an [[operating_point]] table is malformed ({error!r}); "
                "write it again with `python -m benchmarks.accuracy --write-operating-points`"
            ) from error

    def of(self, embedder: ModelDigest, population: Population) -> Calibration:
        """Raises OperatingPointMissing when fewer than two supported points exist for this embedder and population."""
        found = [
            point
            for point in self._points
            if point.embedder == embedder and point.population is population and point.supported
        ]
        if len(found) < 2:
            raise OperatingPointMissing(
                f"no thresholds calibrated for embedder {embedder[:12]} on {population}; run "
                "`python -m benchmarks.accuracy --write-operating-points` on such pictures"
            )
        return Calibration(tuple(sorted(found, key=lambda point: -point.fmr)))


def _parse(table: Mapping[str, object]) -> CalibratedPoint:
    number = {name: float(str(table[name])) for name in ("fmr", "threshold", "threshold_low", "threshold_high", "fnmr")}
    return CalibratedPoint(
        embedder=ModelDigest(str(table["embedder"])),
        population=Population(str(table["population"])),
        mated_pairs=int(str(table["mated_pairs"])),
        non_mated_pairs=int(str(table["non_mated_pairs"])),
        dataset=str(table["dataset"]),
        date=str(table["date"]),
        **number,
    )
