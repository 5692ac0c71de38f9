"""Counts what the dashboards show and the open data say, by period and group. No person, no clerk, no score.

The counts are of the encounters that are there: those of erased persons are gone from them. Refusals have no encounter
and are counted from the audit log.
"""

import hashlib
import hmac
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from enum import StrEnum

from analysis.adjudication.agreement import Agreement, agreement
from analysis.adjudication.findings import KEPT_APART, WITH_EFFECT
from analysis.adjudication.suppression import publish
from idverify.access import Access
from idverify.audit.events import Event, EventKind, utc_text
from idverify.ids import GalleryId
from idverify.protection.canonical import length_prefixed
from idverify.storage import audit_log, case_opinions, encounter_counts, galleries
from idverify.storage.database import Connection, Database
from idverify.storage.encounter_counts import Dimension
from idverify.stored.audit_journal import Journal

SUPPRESSED = "suppressed"
NO_GROUP = ""
"""The group of encounters without an agency or a station."""


class Period(StrEnum):
    MONTH = "month"
    DAY = "day"

    @property
    def characters(self) -> int:
        """How much of a time as UTC text names the period."""
        return 7 if self is Period.MONTH else 10

    @property
    def span(self) -> timedelta:
        """How far back a dashboard goes."""
        return timedelta(days=365 if self is Period.MONTH else 30)


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one period and group; `found` to `rejected` count encounters by what became of their cases."""

    enrolments: int = 0
    refusals: int = 0
    found: int = 0
    confirmed: int = 0
    rejected: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in MEASURES))


MEASURES = tuple(item.name for item in fields(Counts))


@dataclass(frozen=True, slots=True)
class Dashboard:
    """`table` by period and then group, both in order; every period has every group."""

    periods: tuple[str, ...]
    groups: tuple[str, ...]
    table: Mapping[tuple[str, str], Counts]
    agreement: Agreement | None

    @property
    def by_period(self) -> dict[str, Counts]:
        return {period: sum((self.table[period, group] for group in self.groups), Counts()) for period in self.periods}

    @property
    def by_group(self) -> dict[str, Counts]:
        return {group: sum((self.table[period, group] for period in self.periods), Counts()) for group in self.groups}


class AdjudicationStatistics:
    """Counts for analysts, and for the public."""

    def __init__(self, database: Database, journal: Journal, withholding_key: bytes) -> None:
        """`withholding_key`: 32 secret bytes that choose which further counts are withheld, always the same ones."""
        self._database = database
        self._journal = journal
        self._withholding_key = withholding_key

    def dashboard(self, dimension: Dimension, period: Period, within: Collection[GalleryId]) -> Dashboard:
        """What happened lately in these galleries, and how far their analysts agree."""
        since = utc_text(self._journal.now() - period.span)[: period.characters]
        with self._database.read() as connection:
            table = self._table(connection, dimension, period, within, since)
            reviews = case_opinions.reviewed_twice(connection, within)
        periods = _without_gaps(sorted({key[0] for key in table}), period)
        groups = tuple(sorted({key[1] for key in table}))
        full = {(one, group): table.get((one, group), Counts()) for one in periods for group in groups}
        return Dashboard(periods, groups, full, agreement(reviews))

    def open_data(self, access: Access) -> list[tuple[str, str, str, str, str]]:
        """Rows (month, by, group, measure, count) of all galleries and complete months, small counts suppressed.

        Each month and measure has its total over the groups, and there is no total over months, so that
        `suppression.publish` protects all there is. The export is audited.
        """
        this_month = utc_text(self._journal.now())[: Period.MONTH.characters]
        rows: list[tuple[str, str, str, str, str]] = []
        with self._database.write() as connection:
            everything = [row.gallery for row in galleries.all_galleries(connection)]
            for dimension in Dimension:
                table = self._table(connection, dimension, Period.MONTH, everything, "")
                months = sorted({month for month, _ in table if month < this_month})
                for month in months:
                    for measure in MEASURES:
                        counts = {group: getattr(one, measure) for (when, group), one in table.items() if when == month}
                        rows += self._published(month, dimension, measure, counts)
            self._journal.record(connection, EventKind.STATISTICS_EXPORTED, access)
        return rows

    def _table(
        self, connection: Connection, dimension: Dimension, period: Period, within: Collection[GalleryId], since: str
    ) -> dict[tuple[str, str], Counts]:
        table: defaultdict[tuple[str, str], Counts] = defaultdict(Counts)
        found = encounter_counts.by_period(
            connection,
            dimension,
            within,
            period_characters=period.characters,
            since=since,
            confirming=WITH_EFFECT,
            rejecting=KEPT_APART,
        )
        for row in found:
            counts = Counts(row.enrolled, 0, row.found, row.confirmed, row.rejected)
            table[row.period, row.group or NO_GROUP] += counts
        refused = Counter(
            (event.time[: period.characters], _group(event, dimension))
            for event in audit_log.leaves_after(connection, -1, [EventKind.ENCOUNTER_REFUSED])
            if event.gallery in within and event.time >= since
        )
        for key, number in refused.items():
            table[key] += Counts(refusals=number)
        return dict(table)

    def _published(
        self, month: str, dimension: Dimension, measure: str, counts: Mapping[str, int]
    ) -> list[tuple[str, str, str, str, str]]:
        def secret_order(group: str) -> bytes:
            return hmac.digest(self._withholding_key, length_prefixed(month, dimension, measure, group), hashlib.sha256)

        public = publish(counts, secret_order)
        shown = {**{group or "none": count for group, count in sorted(public.counts.items())}, "all": public.total}
        return [
            (month, dimension, group, measure, SUPPRESSED if count is None else str(count))
            for group, count in shown.items()
        ]


def _without_gaps(found: list[str], period: Period) -> tuple[str, ...]:
    """All periods from the first to the last of those found."""
    if not found:
        return ()
    day = date.fromisoformat(f"{found[0]}-01"[:10])
    names = [found[0]]
    while names[-1] < found[-1]:
        day += timedelta(days=1)
        name = day.isoformat()[: period.characters]
        if name != names[-1]:
            names.append(name)
    return tuple(names)


def _group(event: Event, dimension: Dimension) -> str:
    by = {Dimension.GALLERY: event.gallery, Dimension.AGENCY: event.client, Dimension.STATION: event.station}
    return by[dimension] or NO_GROUP
