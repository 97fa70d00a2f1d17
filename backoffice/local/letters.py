"""Stop the letters of campaigns for whoever has the link of one."""

from __future__ import annotations

from datetime import datetime

from backoffice.crm import unsubscribing
from backoffice.db import Database


class LocalLetters:
    """Take back what allowed a letter."""

    def __init__(self, db: Database, secret_key: str) -> None:
        """Write to `db`; `secret_key` signs the links."""
        self._db = db
        self._secret_key = secret_key

    def is_subscribed(self, token: str) -> bool:
        """Tell whether its reader may be written to again."""
        with self._db.read() as session:
            return unsubscribing.is_subscribed(session, self._secret_key, token)

    def unsubscribe(self, token: str, *, how: str, words: str, now: datetime) -> None:
        """Take it back, for good."""
        self._db.run(lambda session: unsubscribing.unsubscribe(session, self._secret_key, token, how=how, wording=words, now=now))
