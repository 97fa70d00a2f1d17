"""The one clock. Everything else is handed `now`.

Of several machines no two clocks agree, so those on one PostgreSQL go by the database's: what is held, allowed or due until an
instant is so on all of them, whatever their own clocks show. On SQLite there is one machine, and one clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

ASK_EVERY = 60.0  # seconds; in between a clock is counted on, and no machine's counts wrong by much in that time


def utc_now() -> datetime:
    """Return the present instant by this machine's clock, aware, in UTC."""
    return datetime.now(UTC)


class SharedClock:
    """Somebody else's clock: asked for now and then, counted on in between; called for the instant, aware, in UTC.

    find: what it shows; None: nobody answers. Then what was known is counted on; before anything is known, this machine's counts.
    count: seconds since any moment, which no setting of a clock changes.
    """

    def __init__(self, find: Callable[[], datetime | None], *, count: Callable[[], float] = time.monotonic) -> None:
        self._find, self._count = find, count
        self._began: datetime | None = None  # when `count` was 0
        self._ask_at = count()
        self._asking = threading.Lock()

    def __call__(self) -> datetime:
        """Return the present instant. One of those who come at once asks; the others wait only before anything is known."""
        if self._count() >= self._ask_at and self._asking.acquire(blocking=self._began is None):
            try:
                if self._count() >= self._ask_at:
                    self._ask()
            finally:
                self._asking.release()
        return utc_now() if self._began is None else self._began + timedelta(seconds=self._count())

    def _ask(self) -> None:
        before = self._count()
        shown = self._find()
        after = self._count()
        if shown is not None:
            self._began = shown.astimezone(UTC) - timedelta(seconds=(before + after) / 2)
        if self._began is not None:
            self._ask_at = after + ASK_EVERY
