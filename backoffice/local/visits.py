"""The door for visits: looks wait in memory and are written in batches by a thread, so that no page waits for a write.

What a process still holds when it is killed, two seconds' worth, is lost, and so is what does not fit: it is of use, not of need.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from datetime import datetime

import structlog

from backoffice.crm import visits
from backoffice.db import Database
from backoffice.public.visits import Look

MOST_WAITING = 20_000
AT_ONCE = 500
EVERY_SECONDS = 2.0
log = structlog.get_logger("shopfloor.visits")


class LocalVisits:
    """Note visits over a database; safe between threads, and across a fork: each process has a thread of its own."""

    def __init__(self, db: Database, *, every: float = EVERY_SECONDS) -> None:
        """Write to `db` each `every` seconds; 0: only when `flush` is called."""
        self._db, self._every = db, every
        self._waiting: deque[Look] = deque(maxlen=MOST_WAITING)
        self._process = 0
        self._starting = threading.Lock()

    def note(self, look: Look) -> None:
        """Take a look to be written down soon."""
        self._waiting.append(look)
        if self._every and self._process != os.getpid():
            self._start()

    def allow(self, *, wording: str, language: str, now: datetime) -> str:
        """See `VisitDoor`."""
        return self._db.run(lambda session: visits.allow(session, wording=wording, language=language, now=now))

    def take_back(self, token: str) -> bool:
        """See `VisitDoor`. What still waits is written for nobody: its browser is not known any more."""
        return self._db.run(lambda session: visits.take_back(session, token))

    def flush(self) -> int:
        """Write down what waits; return how many looks that were."""
        written = 0
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            written += self._db.run(lambda session, batch=batch: visits.record(session, batch))  # type: ignore[misc] # mypy knows no default here
        return written

    def _start(self) -> None:
        with self._starting:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            threading.Thread(target=self._run, name="visits", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._every):
            try:
                self.flush()
            except Exception:  # the database may be away: what waited is lost, the pages are not
                log.exception("visits were not written")
