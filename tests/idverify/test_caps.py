"""Caps by day and by 30 days, with the clock in the test's hand."""

from datetime import timedelta

import pytest

from idverify.caps import Caps, Limits
from idverify.errors import ChannelLocked, QuotaExceeded
from idverify.ids import PersonId
from tests.deployments import Clock, Town

ANNA, BEN = PersonId("A-1"), PersonId("B-1")
DAY_S = 24 * 60 * 60


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _caps(per_day: int, per_month: int, *, failures: int = 1_000, searches: int = 1_000) -> Caps:
    return Caps(bytes(32), Limits(per_day, per_month, failures, searches))


def _attempt(town: Town, caps: Caps, clock: Clock, person: PersonId = ANNA, times: int = 1) -> QuotaExceeded | None:
    exceeded: QuotaExceeded | ChannelLocked | None = None
    for _ in range(times):
        with town.engine.database.write() as connection:
            exceeded = caps.count(connection, person, clock())
    assert not isinstance(exceeded, ChannelLocked)
    return exceeded


def test_a_day_allows_so_many_and_the_next_opens_at_midnight_utc(empty_town: Town, clock: Clock) -> None:
    caps = _caps(3, 100)
    assert _attempt(empty_town, caps, clock, times=3) is None
    exceeded = _attempt(empty_town, caps, clock)
    assert exceeded is not None
    assert clock() + timedelta(seconds=exceeded.retry_after_s) == clock().replace(hour=0, minute=0) + timedelta(days=1)
    assert _attempt(empty_town, caps, clock, BEN) is None
    clock.advance(seconds=exceeded.retry_after_s - 1)
    assert _attempt(empty_town, caps, clock) is not None
    clock.advance(seconds=1)
    assert _attempt(empty_town, caps, clock) is None


def test_thirty_days_allow_so_many_and_open_when_the_first_of_them_is_past(empty_town: Town, clock: Clock) -> None:
    caps = _caps(2, 5)
    first_day = clock()
    for _ in range(2):
        assert _attempt(empty_town, caps, clock, times=2) is None
        clock.advance(days=1)
    assert _attempt(empty_town, caps, clock) is None
    exceeded = _attempt(empty_town, caps, clock)
    assert exceeded is not None
    opens = clock() + timedelta(seconds=exceeded.retry_after_s)
    assert opens == first_day.replace(hour=0, minute=0) + timedelta(days=30)
    clock.now = opens - timedelta(seconds=1)
    assert _attempt(empty_town, caps, clock) is not None
    clock.now = opens
    assert _attempt(empty_town, caps, clock, times=2) is None
    assert _attempt(empty_town, caps, clock) is not None


def test_who_keeps_trying_does_not_lock_the_person_out_for_longer(empty_town: Town, clock: Clock) -> None:
    caps = _caps(2, 60)
    assert _attempt(empty_town, caps, clock, times=100) is not None
    clock.advance(days=1)
    assert _attempt(empty_town, caps, clock, times=2) is None


def test_a_caller_in_another_time_zone_moves_no_midnight(empty_town: Town, clock: Clock) -> None:
    from datetime import timezone

    caps = _caps(1, 60)
    assert _attempt(empty_town, caps, clock) is None
    clock.now = clock.now.replace(hour=23).astimezone(timezone(timedelta(hours=5)))  # tomorrow there
    exceeded = _attempt(empty_town, caps, clock)
    assert exceeded is not None
    assert exceeded.retry_after_s == 30 * 60


def test_counters_name_nobody(empty_town: Town, clock: Clock) -> None:
    _attempt(empty_town, _caps(2, 5), clock)
    ((subject,),) = empty_town.sql("SELECT subject FROM verification_counts")
    assert len(subject) == 32
    assert ANNA.encode() not in subject
