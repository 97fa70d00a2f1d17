"""Count what was asked for in vain: gathered in the process and written together, so that no page waits for it."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from backoffice.crm import lost_demand
from backoffice.crm.lost_demand import Wanted
from backoffice.db import Database
from backoffice.public.lost_demand import LostDemand

EVERY_SECONDS = 30.0
MOST = 1000  # wishes gathered at once: more is no shop's lost demand but somebody at play
MOST_OF_ONE = 20  # of one visitor
MOST_PIECES = 1000  # of one wish: a typed 999999 would bury everybody else's
ROBOTS = ("bot", "crawl", "spider", "slurp", "headless")
log = structlog.get_logger("shopfloor.lost_demand")


def _later(work: Callable[[], None]) -> None:
    timer = threading.Timer(EVERY_SECONDS, work)
    timer.daemon = True
    timer.start()


class LocalLostDemand:
    """Gather wishes; half a minute after the first one all are written in one transaction. What a killed process had is lost."""

    def __init__(self, db: Database, secret_key: str, later: Callable[[Callable[[], None]], None] | None = None) -> None:
        """Write into `db`. later: does a piece of work a little later, elsewhere."""
        self._db = db
        self._key = secret_key.encode()
        self._later = later or _later
        self._gathered: dict[tuple[object, ...], Wanted] = {}
        self._of_one: dict[str, int] = {}
        self._lock = threading.Lock()

    def note(self, lost: LostDemand, *, who: str, now: datetime) -> None:
        """Count it once for each visitor and week; robots, and words that may name a person, are not counted."""
        words = lost_demand.words_of(lost.words)
        if any(name in who.lower() for name in ROBOTS) or not (lost.sku or words):
            return
        week_on = lost_demand.week_of(now)
        mark = hmac.new(self._key, f"lost_demand:{week_on}:{who}".encode(), hashlib.sha256).hexdigest()[:24]
        quantity = min(max(lost.quantity, 1), MOST_PIECES)
        wanted, name = Wanted(week_on, lost.kind, lost.sku, words, mark, quantity), (week_on, lost.sku, words, mark)
        with self._lock:
            known = self._gathered.get(name)
            if known is None:
                if len(self._gathered) >= MOST or self._of_one.get(mark, 0) >= MOST_OF_ONE:
                    return
                self._of_one[mark] = self._of_one.get(mark, 0) + 1
            elif known.quantity >= quantity:
                return
            first = not self._gathered
            self._gathered[name] = wanted
        if first:
            self._later(self.write)

    def write(self) -> None:
        """Write what was gathered. A database that is away loses it: nobody is to wait for a count."""
        with self._lock:
            gathered, self._gathered, self._of_one = list(self._gathered.values()), {}, {}
        try:
            self._db.run(lambda session: lost_demand.record(session, gathered))
        except Exception as error:  # in a thread of its own: nobody else would hear of it
            log.warning("lost demand was not counted", wishes=len(gathered), reason=type(error).__name__)
