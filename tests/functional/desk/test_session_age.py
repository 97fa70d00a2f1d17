"""A colleague's session is as old as the shop's clock says, whatever the clock of the machine that looks at it."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague


def test_it_ends_half_an_hour_after_it_was_last_used(at_desk: Callable[[str], Colleague], clock: FixedClock) -> None:
    wim = at_desk("Wim")
    for minutes, well in ((28, 200), (28, 200), (31, 302)):
        clock.advance(minutes=minutes)
        assert wim.client.get("/desk/warehouse").status_code == well
