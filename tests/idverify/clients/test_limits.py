"""Limits by day and by 30 days, with the clock in the test's hand."""

from datetime import timedelta

import pytest

from idverify.clients.limits import AttemptLimits, Limits
from idverify.errors import ChannelLocked, QuotaExceeded
from idverify.ids import ClientId, PersonId
from idverify.matching.decision import Outcome
from tests.deployments import Clock, Register
from tests.keyrings import fixed_keyring

ANNA, BEN = PersonId("A-1"), PersonId("B-1")
DAY_S = 24 * 60 * 60


@pytest.fixture
def clock() -> Clock:
    return Clock()


def _attempt_limits(
    per_day: int, per_month: int, *, failures: int = 1_000, close: int = 1_000, searches: int = 1_000
) -> AttemptLimits:
    return AttemptLimits(fixed_keyring(), Limits(per_day, per_month, failures, close, searches))


def _attempt(
    register: Register, attempt_limits: AttemptLimits, clock: Clock, person: PersonId = ANNA, times: int = 1
) -> QuotaExceeded | None:
    exceeded: QuotaExceeded | ChannelLocked | None = None
    for _ in range(times):
        with register.engine.database.write() as connection:
            exceeded = attempt_limits.count(connection, person, clock())
    assert not isinstance(exceeded, ChannelLocked)
    return exceeded


def test_a_day_allows_so_many_and_the_next_opens_at_midnight_utc(empty_register: Register, clock: Clock) -> None:
    attempt_limits = _attempt_limits(3, 100)
    assert _attempt(empty_register, attempt_limits, clock, times=3) is None
    exceeded = _attempt(empty_register, attempt_limits, clock)
    assert exceeded is not None
    assert clock() + timedelta(seconds=exceeded.retry_after_s) == clock().replace(hour=0, minute=0) + timedelta(days=1)
    assert _attempt(empty_register, attempt_limits, clock, BEN) is None
    clock.advance(seconds=exceeded.retry_after_s - 1)
    assert _attempt(empty_register, attempt_limits, clock) is not None
    clock.advance(seconds=1)
    assert _attempt(empty_register, attempt_limits, clock) is None


def test_thirty_days_allow_so_many_and_open_when_the_first_of_them_is_past(
    empty_register: Register, clock: Clock
) -> None:
    attempt_limits = _attempt_limits(2, 5)
    first_day = clock()
    for _ in range(2):
        assert _attempt(empty_register, attempt_limits, clock, times=2) is None
        clock.advance(days=1)
    assert _attempt(empty_register, attempt_limits, clock) is None
    exceeded = _attempt(empty_register, attempt_limits, clock)
    assert exceeded is not None
    opens = clock() + timedelta(seconds=exceeded.retry_after_s)
    assert opens == first_day.replace(hour=0, minute=0) + timedelta(days=30)
    clock.now = opens - timedelta(seconds=1)
    assert _attempt(empty_register, attempt_limits, clock) is not None
    clock.now = opens
    assert _attempt(empty_register, attempt_limits, clock, times=2) is None
    assert _attempt(empty_register, attempt_limits, clock) is not None


def test_who_keeps_trying_does_not_lock_the_person_out_for_longer(empty_register: Register, clock: Clock) -> None:
    attempt_limits = _attempt_limits(2, 60)
    assert _attempt(empty_register, attempt_limits, clock, times=100) is not None
    clock.advance(days=1)
    assert _attempt(empty_register, attempt_limits, clock, times=2) is None


def test_a_caller_in_another_time_zone_moves_no_midnight(empty_register: Register, clock: Clock) -> None:
    from datetime import timezone

    attempt_limits = _attempt_limits(1, 60)
    assert _attempt(empty_register, attempt_limits, clock) is None
    clock.now = clock.now.replace(hour=23).astimezone(timezone(timedelta(hours=5)))  # tomorrow there
    exceeded = _attempt(empty_register, attempt_limits, clock)
    assert exceeded is not None
    assert exceeded.retry_after_s == 30 * 60


def test_counters_name_nobody(empty_register: Register, clock: Clock) -> None:
    _attempt(empty_register, _attempt_limits(2, 5), clock)
    ((subject,),) = empty_register.sql("SELECT subject FROM verification_counts")
    assert len(subject) == 32
    assert ANNA.encode() not in subject


def test_so_many_failures_in_a_row_lock_the_channel_until_it_is_released(
    empty_register: Register, clock: Clock
) -> None:
    attempt_limits = _attempt_limits(1_000, 1_000, failures=3)
    for _ in range(2):  # after a release, counting starts anew
        assert _outcomes(empty_register, attempt_limits, clock, *[Outcome.NO_MATCH] * 3) == [None] * 3
        for _ in range(3):
            assert _kinds(_outcomes(empty_register, attempt_limits, clock, Outcome.MATCH)) == [ChannelLocked]
        clock.advance(days=90)
        assert _kinds(_outcomes(empty_register, attempt_limits, clock, Outcome.MATCH)) == [ChannelLocked]
        assert _outcomes(empty_register, attempt_limits, clock, Outcome.NO_MATCH, person=BEN) == [None]
        with empty_register.engine.database.write() as connection:
            assert attempt_limits.release(connection, ANNA, clock())
            assert not attempt_limits.release(connection, ANNA, clock())


def test_a_match_ends_the_row_and_what_was_not_processed_is_not_in_it(empty_register: Register, clock: Clock) -> None:
    attempt_limits = _attempt_limits(1_000, 1_000, failures=3)
    row = [Outcome.NO_MATCH, Outcome.NO_MATCH]
    assert _outcomes(empty_register, attempt_limits, clock, *row, Outcome.MATCH, *row) == [None] * 5
    assert _outcomes(empty_register, attempt_limits, clock, *[Outcome.NOT_PROCESSED] * 5) == [None] * 5
    assert _outcomes(empty_register, attempt_limits, clock, Outcome.NO_MATCH) == [None]
    assert _kinds(_outcomes(empty_register, attempt_limits, clock, Outcome.MATCH)) == [ChannelLocked]


def test_close_calls_within_a_year_lock_the_channel_whatever_they_came_to(
    empty_register: Register, clock: Clock
) -> None:
    attempt_limits = _attempt_limits(1_000, 1_000, close=3)
    for _ in range(2):  # after a release, counting starts anew
        assert (
            _outcomes(empty_register, attempt_limits, clock, Outcome.MATCH, Outcome.NO_MATCH, close=True) == [None] * 2
        )
        assert _outcomes(empty_register, attempt_limits, clock, *[Outcome.MATCH] * 9) == [None] * 9
        clock.advance(days=300)
        assert _outcomes(empty_register, attempt_limits, clock, Outcome.MATCH, close=True) == [None]
        assert _kinds(_outcomes(empty_register, attempt_limits, clock, Outcome.MATCH)) == [ChannelLocked]
        assert _outcomes(empty_register, attempt_limits, clock, Outcome.MATCH, close=True, person=BEN) == [None]
        with empty_register.engine.database.write() as connection:
            assert attempt_limits.release(connection, ANNA, clock())


def test_close_calls_of_more_than_a_year_ago_are_forgotten(empty_register: Register, clock: Clock) -> None:
    attempt_limits = _attempt_limits(1_000, 1_000, close=2)
    assert _outcomes(empty_register, attempt_limits, clock, Outcome.MATCH, close=True) == [None]
    clock.advance(days=364)
    with empty_register.engine.database.write() as connection:
        attempt_limits.drop_past(connection, clock())
    assert _outcomes(empty_register, attempt_limits, clock, Outcome.MATCH, close=True) == [None]
    assert _kinds(_outcomes(empty_register, attempt_limits, clock, Outcome.MATCH)) == [ChannelLocked]
    clock.advance(days=1)
    assert _outcomes(empty_register, attempt_limits, clock, Outcome.MATCH) == [None]


def test_attempts_at_a_locked_channel_use_up_no_day(empty_register: Register, clock: Clock) -> None:
    attempt_limits = _attempt_limits(3, 1_000, failures=1)
    _outcomes(empty_register, attempt_limits, clock, Outcome.NO_MATCH)
    _outcomes(empty_register, attempt_limits, clock, *[Outcome.NO_MATCH] * 9)
    with empty_register.engine.database.write() as connection:
        assert attempt_limits.release(connection, ANNA, clock())
    assert _outcomes(empty_register, attempt_limits, clock, Outcome.MATCH, Outcome.MATCH) == [None, None]
    assert _kinds(_outcomes(empty_register, attempt_limits, clock, Outcome.MATCH)) == [QuotaExceeded]


def test_searches_are_counted_by_client_and_day(empty_register: Register, clock: Clock) -> None:
    attempt_limits = _attempt_limits(1, 1, searches=2)
    revenue, transport = ClientId("revenue-authority"), ClientId("transport-authority")
    assert [_search(empty_register, attempt_limits, clock, revenue) for _ in range(2)] == [None, None]
    exceeded = _search(empty_register, attempt_limits, clock, revenue)
    assert exceeded is not None
    assert _search(empty_register, attempt_limits, clock, transport) is None
    assert (
        _attempt(empty_register, attempt_limits, clock, PersonId("revenue-authority")) is None
    )  # a number that looks like a client
    clock.advance(seconds=exceeded.retry_after_s)
    for _ in range(40):  # no quota by the month
        assert _search(empty_register, attempt_limits, clock, revenue) is None
        clock.advance(days=1)


def _outcomes(
    register: Register,
    attempt_limits: AttemptLimits,
    clock: Clock,
    *outcomes: Outcome,
    person: PersonId = ANNA,
    close: bool = False,
) -> list[QuotaExceeded | ChannelLocked | None]:
    """What each attempt, with that outcome if it is let through, is refused with."""
    refusals = []
    for outcome in outcomes:
        with register.engine.database.write() as connection:
            refusals.append(attempt_limits.count(connection, person, clock()))
            if refusals[-1] is None:
                attempt_limits.note(connection, person, outcome, clock(), close=close)
    return refusals


def _kinds(refusals: list[QuotaExceeded | ChannelLocked | None]) -> list[type]:
    return [type(one) for one in refusals]


def _search(register: Register, attempt_limits: AttemptLimits, clock: Clock, client: ClientId) -> QuotaExceeded | None:
    with register.engine.database.write() as connection:
        return attempt_limits.count_search(connection, client, clock())
