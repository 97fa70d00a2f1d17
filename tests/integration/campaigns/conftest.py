"""The workshop with people who allow letters, and one letter to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import get_ident
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.bootstrap import Services, carriers
from backoffice.bridge.campaign_post import CampaignPost
from backoffice.bridge.outbox import Message
from backoffice.bridge.worker import Worker
from backoffice.crm import campaign_sending, campaigns, consents, identity, parties, segments
from backoffice.crm.models import Campaign, CampaignRecipient, Party
from backoffice.crm.segment_rules import Condition
from tests.company import open_company
from tests.conftest import FixedClock

TEXTS = {
    "en": {
        "subject": "New in oak, {first_name}",
        "body": "Hello {first_name},\n\nsee {link} or https://else.test/?a=1\n\n{shop}",
    },
    "de": {"subject": "Neu in Eiche", "body": "Guten Tag {first_name},\n\nhier: {link}"},
}
ADDRESSES = {"en": "https://shop.test", "de": "https://shop.test/de"}
WORDS = "Write to me by e-mail now and then."


@dataclass
class Mailing:
    """Say in one line what the desk, the worker and a reader do. sent: the payloads that were handed in."""

    services: Services
    clock: FixedClock

    def __post_init__(self) -> None:
        self.sent: list[Mapping[str, Any]] = []
        self.refuse: Exception | None = None

    @property
    def db(self) -> Any:
        """Return the database."""
        return self.services.db

    def meet(self, *names: str, language: str = "en", allowed: bool = True, confirmed: bool = True) -> None:
        """Know people who allow letters."""

        def work(session: Session) -> None:
            for name in names:
                party = parties.find_or_create(
                    session, email=f"{name}@post.test", name=f"{name.title()} Berg", phone="", language=language, now=self.clock()
                )
                if allowed:
                    consents.give(
                        session,
                        party.id,
                        "newsletter",
                        wording=WORDS,
                        language=language,
                        source="form",
                        evidence={},
                        tell=False,
                        by_link=not confirmed,
                        now=self.clock(),
                    )
            identity.add_profiles(session)

        self.db.run(work)

    def party(self, name: str) -> int:
        """Return who that is."""
        with self.db.read() as session:
            return int(session.scalars(sa.select(Party.id).where(Party.email == f"{name}@post.test")).one())

    def withdraw(self, name: str) -> None:
        """Take their consent back, at the desk."""
        party = self.party(name)

        def work(session: Session) -> None:
            for one in consents.standing(session, party):
                consents.withdraw(session, one.id, actor="Bea", now=self.clock())

        self.db.run(work)

    def write(self, name: str = "Oak in autumn", **changes: Any) -> Campaign:
        """Write a draft to everybody."""

        def work(session: Session) -> Campaign:
            segment = next(iter(segments.every(session)), None) or segments.save(
                session, None, name="Everybody", matching="all", conditions=[Condition("visits", "at_least", 0)], now=self.clock()
            )
            values: dict[str, Any] = {"name": name, "segment_id": segment.id, "texts": TEXTS, "own": "en", "starts_at": None}
            return campaigns.save(session, None, **(values | changes), by="bea@werk.test", now=self.clock())

        return self.db.run(work)

    def send(self, campaign: Campaign, **changes: Any) -> Campaign:
        """Confirm that it leaves."""
        values: dict[str, Any] = {"version": campaign.version, "addresses": ADDRESSES, "by": "bea@werk.test"}
        return self.db.run(lambda session: campaigns.send(session, campaign.id, **(values | changes), now=self.clock()))

    def queue(self) -> int:
        """Let the worker's routine run."""
        return campaign_sending.send_due(self.db, now=self.clock())

    def carry(self) -> list[str]:
        """Carry the outbox until it is empty; return who got a letter, in the order of their addresses."""
        before = len(self.sent)
        post = CampaignPost(self.db, self._post, self.services.settings.secret_key, self.clock)
        worker = Worker(self.db, carriers(self.services) | {"mail": post}, [], name=f"of {get_ident()}", clock=self.clock)
        while worker.turn():
            pass
        return sorted(str(one["to"]).partition("@")[0] for one in self.sent[before:])

    def _post(self, message: Message) -> None:
        if self.refuse:
            raise self.refuse
        self.sent.append(message.payload)

    def rows(self, campaign: Campaign) -> dict[str, tuple[str, str]]:
        """Return who → (state, reason)."""
        row = CampaignRecipient
        with self.db.read() as session:
            found = session.execute(
                sa.select(Party.email, row.state, row.reason)
                .join(Party, Party.id == row.party_id)
                .where(row.campaign_id == campaign.id)
            )
            return {email.partition("@")[0]: (state, reason) for email, state, reason in found}

    def state(self, campaign: Campaign) -> str:
        """Return the campaign's state."""
        with self.db.read() as session:
            return session.get_one(Campaign, campaign.id).state


@pytest.fixture
def mailing(services: Services, clock: FixedClock, now: datetime) -> Mailing:
    """Open the workshop on each of the two databases."""
    services.db.run(lambda session: open_company(session, now=now))
    return Mailing(services, clock)
