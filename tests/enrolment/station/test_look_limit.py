"""A session may have twelve frames a second looked at; other sessions do not count."""

import pytest

from enrolment.station.look_limit import MOST_LOOKS_PER_S, LookLimit
from idverify.errors import QuotaExceeded


def test_a_session_waits_a_second_after_its_twelfth_frame_and_others_do_not() -> None:
    now_s = 100.0
    limit = LookLimit(lambda: now_s)
    for _ in range(MOST_LOOKS_PER_S):
        limit.count(b"one")
    with pytest.raises(QuotaExceeded, match="12 frames a second"):
        limit.count(b"one")
    limit.count(b"other")
    now_s += 1
    limit.count(b"one")
