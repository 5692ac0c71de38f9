"""Dates, times and numbers as people of a language write them, in the deployment's time zone."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

_LOCALES = {"en": "en_GB", "st": "st_LS", "sw": "sw_TZ"}
"""English as it is written outside America: the day first."""


@dataclass(frozen=True, slots=True)
class Formats:
    """Of one language."""

    locale: Locale
    zone: ZoneInfo

    @classmethod
    def of(cls, language: str, zone: str) -> "Formats":
        return cls(Locale.parse(_LOCALES[language]), ZoneInfo(zone))

    def moment(self, time: str) -> str:
        """Day and time of what `utc_text` wrote."""
        return f"{self.day(self._local(time).date())} {self.time(time)}"

    def time(self, time: str) -> str:
        """Hours and minutes, of 24 hours in every language: a register has no use for another clock."""
        return self._local(time).strftime("%H:%M")

    def day(self, day: date) -> str:
        """Such as "21 Nov 2026"."""
        return dates.format_date(day, "d MMM y", locale=self.locale)

    def number(self, value: float) -> str:
        return numbers.format_decimal(value, locale=self.locale)

    def percent(self, share: float) -> str:
        """Of a share from 0 to 1, with one decimal."""
        return numbers.format_percent(share, "0.0%", locale=self.locale)

    def _local(self, time: str) -> datetime:
        return datetime.fromisoformat(time).astimezone(self.zone)
