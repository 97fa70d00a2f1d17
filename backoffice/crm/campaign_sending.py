"""Letters of a campaign on their way: handed to the outbox some at a time, and asked about once more as each leaves.

Two steps, because a mail may wait for hours. `send_due` looks at the next people of the segment and writes down what becomes
of each; `take` is asked with the mail in hand, and who took their consent back meanwhile gets nothing. Each person is one row
of a campaign, by a constraint: nobody is written to twice, whoever works at it and however often they die.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import audience, campaign_texts, segment_rules, segments, unsubscribing
from backoffice.crm.audience import Decision
from backoffice.crm.models import Campaign, CampaignRecipient, Party, Profile
from backoffice.db import Database, table_of
from backoffice.erp.company import get_company

AT_ONCE = 100  # people that are looked at in one transaction
MOST_WAITING = 100  # letters in the outbox: a mail about an order stands behind so many at most


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction did. more: there are people left to look at, and room in the outbox."""

    queued: int
    more: bool


def send_due(db: Database, *, now: datetime) -> int:
    """Put the next letters of every campaign that has started into the outbox; return how many. Ends those that are through."""
    with db.read() as session:
        begun = sa.or_(Campaign.starts_at.is_(None), Campaign.starts_at <= now)
        due = session.scalars(sa.select(Campaign.id).where(Campaign.state == "sending", begun).order_by(Campaign.id)).all()
    queued = 0
    for campaign_id in due:
        more = True
        while more:
            step = db.run(partial(_step, campaign_id=campaign_id, now=now))
            queued, more = queued + step.queued, step.more
    return queued


def take(session: Session, recipient_id: int, *, secret_key: str, now: datetime) -> dict[str, Any] | None:
    """Return what a letter says, to be handed in after this transaction; None: it must not leave, and the row says why.

    Their consent, what they had lately and whether it was stopped are looked at here, whatever was true when it was queued.
    """
    party_id = session.scalar(sa.select(CampaignRecipient.party_id).where(CampaignRecipient.id == recipient_id))
    if party_id is None:
        return None
    person = session.scalar(sa.select(Profile.person_id).where(Profile.party_id == party_id))
    # two campaigns at one person wait for each other here, so that the second one sees the first one's letter
    session.execute(sa.select(Party.id).where(Party.id == (person or party_id)).with_for_update(key_share=True))
    row = session.get_one(CampaignRecipient, recipient_id, with_for_update=True, populate_existing=True)
    if row.state == "left_out" and row.reason != "undeliverable":
        return None
    campaign = session.get_one(Campaign, row.campaign_id, populate_existing=True)
    one = next(iter(audience.decide(session, [person] if person else [], but=row.id, now=now)), None)
    reason = "stopped" if campaign.state == "stopped" else one.reason if one else "no_consent"
    if reason or one is None:
        row.state, row.reason, row.sent_at = "left_out", reason, None
        return None
    row.state, row.reason, row.sent_at, row.consent_id = "sent", "", now, one.consent_id
    company = get_company(session)
    language = campaign_texts.choose(sorted(campaign.texts), one.language, company.language)
    address = str(campaign.addresses[language])
    letter = campaign_texts.fill(campaign.texts[language], name=one.name, shop=company.name, address=address, code=campaign.code)
    return {
        "to": one.email,
        "name": one.name,
        "language": language,
        "shop": company.name,
        "subject": letter.subject,
        "body": letter.plain,
        "paragraphs": letter.paragraphs,
        "unsubscribe": f"{address}/unsubscribe/{unsubscribing.token(secret_key, row.id)}",
    }


def came_back(session: Session, recipient_id: int, *, final: bool) -> None:
    """Note that the mail server did not take a letter: it is tried again, or (final) this person is left out."""
    values = {"state": "left_out", "reason": "undeliverable"} if final else {"state": "waiting"}
    session.execute(
        sa.update(CampaignRecipient)
        .where(CampaignRecipient.id == recipient_id, CampaignRecipient.state == "sent")
        .values(sent_at=None, **values)
        .execution_options(synchronize_session=False)
    )


def _step(session: Session, *, campaign_id: int, now: datetime) -> Step:
    """Look at the next people of a campaign, unless it was stopped or enough letters wait."""
    campaign = session.get_one(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign.state != "sending":
        return Step(0, more=False)
    waits = (CampaignRecipient.campaign_id == campaign.id, CampaignRecipient.state == "waiting")
    waiting = session.scalar(sa.select(sa.func.count()).select_from(CampaignRecipient).where(*waits)) or 0
    if waiting >= MOST_WAITING:
        return Step(0, more=False)
    people = _next(session, campaign, now)
    if not people:
        if not waiting:
            campaign.state, campaign.ended_at, campaign.version = "sent", now, campaign.version + 1
        return Step(0, more=False)
    campaign.reached_id = people[-1]
    queued = _write_down(session, campaign, audience.decide(session, people, now=now), now)
    return Step(queued, more=True)


def _next(session: Session, campaign: Campaign, now: datetime) -> Sequence[int]:
    person = table_of(Profile).c.party_id
    fits = segments.fits(campaign.matching, segment_rules.read(campaign.conditions), now=now)
    return session.scalars(sa.select(person).where(fits, person > campaign.reached_id).order_by(person).limit(AT_ONCE)).all()


def _write_down(session: Session, campaign: Campaign, decided: Sequence[Decision], now: datetime) -> int:
    """Write what becomes of these people, and a mail for each who may be written to; return how many those are."""
    rows = [
        {
            "campaign_id": campaign.id,
            "party_id": one.party_id,
            "consent_id": one.consent_id,
            "state": "left_out" if one.reason else "waiting",
            "reason": one.reason,
        }
        for one in decided
    ]
    table = table_of(CampaignRecipient)
    new = sqlite.insert(table) if session.get_bind().dialect.name == "sqlite" else postgresql.insert(table)
    written = session.execute(new.on_conflict_do_nothing().returning(table.c.id, table.c.party_id, table.c.state), rows).all()
    by_person, shop = {one.party_id: one for one in decided}, get_company(session).name
    mails = tuple(
        events.MailWanted(
            "campaign",
            f"campaign:{campaign.id}:{row.party_id}",
            {"recipient": row.id, "to": by_person[row.party_id].email, "name": by_person[row.party_id].name, "shop": shop},
            now,
        )
        for row in written
        if row.state == "waiting"
    )
    if mails:
        events.publish(session, events.MailsWanted(mails))
    return len(mails)
