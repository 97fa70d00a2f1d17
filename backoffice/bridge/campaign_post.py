"""The way of a campaign's letters to the mail server: each is asked about once more with the mail in hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from backoffice.bridge.outbox import MOST_TRIES, Away, Message, Undeliverable
from backoffice.crm import campaign_sending
from backoffice.db import Database


class CampaignPost:
    """Deliver letters of a campaign by `post`; every other mail, and a colleague's trial, goes there as it is."""

    def __init__(self, db: Database, post: Callable[[Message], None], secret_key: str, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._post = post
        self._secret_key = secret_key
        self._clock = clock

    def __call__(self, message: Message) -> None:
        """Hand a letter in, or let it go: who must not be written to any more is left out, which is no failure.

        Raises what `post` raises, after it was noted that nothing left.
        """
        if message.kind != "campaign" or "recipient" not in message.payload:
            self._post(message)
            return
        recipient = int(message.payload["recipient"])
        take = partial(campaign_sending.take, recipient_id=recipient, secret_key=self._secret_key, now=self._clock())
        letter = self._db.run(take)
        if letter is None:
            return
        try:
            self._post(replace(message, payload=letter))
        except Exception as error:
            tries_end = message.attempts >= MOST_TRIES and not isinstance(error, Away)
            final = isinstance(error, Undeliverable) or tries_end
            self._db.run(partial(campaign_sending.came_back, recipient_id=recipient, final=final))
            raise
