"""What a reader of a campaign's letter may do with the link in it: stop these letters, and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from backoffice.public.errors import NotFound


class LetterDoor(Protocol):
    """Take back, for whoever has the link of a letter, what allowed it."""

    def is_subscribed(self, token: str, /) -> bool:
        """Tell whether its reader may be written to again. Raises NotFound(unknown_record)."""
        ...

    def unsubscribe(self, token: str, /, *, how: str, words: str, now: datetime) -> None:
        """Send them no more letters; a second time changes nothing. Raises NotFound(unknown_record).

        how: page (a button) | one_click (a mail program). words: what they read; kept as proof.
        """
        ...


class NoLetters:
    """Know no letter: for a shop window that stands alone."""

    def is_subscribed(self, _token: str) -> bool:
        """Raise NotFound(unknown_record)."""
        raise NotFound("unknown_record")

    def unsubscribe(self, _token: str, **_said: object) -> None:
        """Raise NotFound(unknown_record)."""
        raise NotFound("unknown_record")
