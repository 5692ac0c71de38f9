"""Makes what the supervisor's pages call from an opened engine; it decides nothing."""

from zoneinfo import ZoneInfo

from enrolment.supervision.day import StationDays
from idverify.engine import Engine


def station_days(engine: Engine) -> StationDays:
    """What the supervisor's pages call."""
    return StationDays(engine.database, engine.journal, ZoneInfo(engine.settings.time_zone))
