"""The clock that machines share: asked now and then, counted on in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backoffice import clock
from backoffice.clock import ASK_EVERY, SharedClock

THERE = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class Elsewhere:
    """A clock on another machine, and a count of seconds here. asked: how often."""

    def __init__(self) -> None:
        self.seconds, self.asked, self.shows, self.takes = 1_000.0, 0, THERE, 0.0

    def count(self) -> float:
        return self.seconds

    def find(self) -> datetime | None:
        self.asked += 1
        self.seconds += self.takes
        return self.shows


def test_it_is_asked_once_a_minute_and_counted_on_in_between() -> None:
    there = Elsewhere()
    now = SharedClock(there.find, count=there.count)
    assert now() == THERE
    there.seconds += ASK_EVERY - 1
    assert (now(), there.asked) == (THERE + timedelta(seconds=ASK_EVERY - 1), 1)
    there.seconds += 1
    there.shows = THERE + timedelta(seconds=90)  # somebody has set it
    assert (now(), there.asked) == (THERE + timedelta(seconds=90), 2)


def test_an_answer_that_took_long_is_of_the_middle_of_that_time() -> None:
    there = Elsewhere()
    there.takes = 4.0
    assert SharedClock(there.find, count=there.count)() == THERE + timedelta(seconds=2)


def test_while_nobody_answers_what_was_known_is_counted_on() -> None:
    there = Elsewhere()
    now = SharedClock(there.find, count=there.count)
    now()
    there.shows = None
    there.seconds += 3 * ASK_EVERY
    assert now() == THERE + timedelta(seconds=3 * ASK_EVERY)


def test_before_anybody_answered_this_machines_clock_counts_and_each_call_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Elsewhere()
    there.shows = None
    here = THERE + timedelta(days=45)
    monkeypatch.setattr(clock, "utc_now", lambda: here)
    now = SharedClock(there.find, count=there.count)
    assert (now(), now(), there.asked) == (here, here, 2)
    there.shows = THERE
    assert now() == THERE
