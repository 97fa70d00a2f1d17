"""Campaigns: a letter to a segment, written, tried on oneself, sent once, stopped at any time.

    draft ──send──▶ sending ──everybody was looked at, nobody waits──▶ sent
                       └──stop──▶ stopped

Sending is confirmed once, whoever asks twice; the letters leave one by one (see `campaign_sending`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import audience, campaign_texts, segment_rules, segments
from backoffice.crm.campaign_texts import Texts
from backoffice.crm.models import Campaign, CampaignRecipient
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput, NotFound, Refused

MOVES: Mapping[str, Sequence[str]] = {"draft": ("sending",), "sending": ("sent", "stopped"), "sent": (), "stopped": ()}
MOST_SHOWN = 100


def save(
    session: Session,
    campaign_id: int | None,
    *,
    name: str,
    segment_id: int | None,
    texts: Texts,
    own: str,
    starts_at: datetime | None,
    version: int = 0,
    by: str,
    now: datetime,
) -> Campaign:
    """Keep a draft, a new one without a number. own: the language in which there must be a text.

    Raises BadInput(invalid_form), NotFound(unknown_record), Refused(stale | wrong_state | name_taken).
    """
    words, kept = campaign_texts.checked(name, texts, own=own)
    if segment_id is None:
        raise BadInput("invalid_form", {"segment_id": "bad_choice"})
    segments.get_segment(session, segment_id)
    if campaign_id is None:
        campaign = Campaign(state="draft", version=0, written_by=by)
    else:
        campaign = get_campaign(session, campaign_id, lock=True)
        _require_move(campaign, "sending", version)
    campaign.name, campaign.code, campaign.segment_id = words, campaign_texts.code_of(words), segment_id
    campaign.texts, campaign.starts_at = kept, starts_at
    campaign.version, campaign.updated_at = campaign.version + 1, now
    try:
        with session.begin_nested():
            session.add(campaign)
            session.flush()
    except IntegrityError:
        raise Refused("name_taken") from None
    return campaign


def send(
    session: Session,
    campaign_id: int,
    *,
    version: int,
    addresses: Mapping[str, str],
    by: str,
    role: str = "",
    now: datetime,
) -> Campaign:
    """Let a draft leave, at once or when it starts. addresses: language → the shop's address, for the links in it.

    Raises NotFound(unknown_record), Refused(wrong_state | stale), Refused(segment_gone), Refused(nobody_to_write_to).
    """
    campaign = get_campaign(session, campaign_id, lock=True)
    _require_move(campaign, "sending", version)
    if campaign.segment_id is None:
        raise Refused("segment_gone")
    segment = segments.get_segment(session, campaign.segment_id)
    found = audience.count(session, segment.matching, segment_rules.read(segment.conditions), now=now)
    if not found.reached:
        raise Refused("nobody_to_write_to")
    campaign.state, campaign.confirmed_at, campaign.updated_at = "sending", now, now
    campaign.matching, campaign.conditions, campaign.addresses = segment.matching, segment.conditions, dict(addresses)
    campaign.expected, campaign.version = found.people, campaign.version + 1
    session.flush()
    details = {"segment": segment.name, "people": found.reached}
    audit.record(session, "campaign.send", f"campaign:{campaign.id}", actor=by, role=role, details=details, now=now)
    return campaign


def stop(session: Session, campaign_id: int, *, by: str, role: str = "", now: datetime) -> int:
    """Let nothing more of a campaign leave; return to how many nothing left. Stopped before: nothing is changed.

    Raises NotFound(unknown_record), Refused(wrong_state).
    """
    campaign = get_campaign(session, campaign_id, lock=True)
    if campaign.state == "stopped":
        return 0
    _require_move(campaign, "stopped", campaign.version)
    campaign.state, campaign.ended_at, campaign.version = "stopped", now, campaign.version + 1
    session.flush()
    waiting = (
        sa.update(CampaignRecipient)
        .where(CampaignRecipient.campaign_id == campaign.id, CampaignRecipient.state == "waiting")
        .values(state="left_out", reason="stopped")
        .returning(CampaignRecipient.id)
        .execution_options(synchronize_session=False)
    )
    kept = len(session.execute(waiting).all())
    audit.record(session, "campaign.stop", f"campaign:{campaign.id}", actor=by, role=role, details={"waiting": kept}, now=now)
    return kept


def try_out(session: Session, campaign_id: int, *, to: str, name: str, addresses: Mapping[str, str], now: datetime) -> int:
    """Write every language's letter to a colleague, as they would get it; return how many. Raises NotFound(unknown_record)."""
    campaign, company = get_campaign(session, campaign_id), get_company(session)
    for language, text in sorted(campaign.texts.items()):
        letter = campaign_texts.fill(text, name=name, shop=company.name, address=addresses[language], code=campaign.code)
        payload = {
            "to": to,
            "name": name,
            "language": language,
            "shop": company.name,
            "subject": letter.subject,
            "body": letter.plain,
            "paragraphs": letter.paragraphs,
            "unsubscribe": "",
        }
        events.publish(session, events.MailWanted("campaign", f"trial:{campaign.id}:{language}:{to}", payload, now))
    return len(campaign.texts)


def get_campaign(session: Session, campaign_id: int, *, lock: bool = False) -> Campaign:
    """Return a campaign. Raises NotFound(unknown_record)."""
    found = session.get(Campaign, campaign_id, with_for_update=True if lock else None, populate_existing=lock)
    if found is None:
        raise NotFound("unknown_record")
    return found


def newest(session: Session) -> Sequence[Campaign]:
    """Return the newest campaigns, a hundred at most."""
    return session.scalars(sa.select(Campaign).order_by(Campaign.id.desc()).limit(MOST_SHOWN)).all()


def progress(session: Session, campaign_ids: Sequence[int]) -> Mapping[int, Mapping[str, int]]:
    """Return of each campaign how many were sent to, wait, were left out: state → people, only what there are any of."""
    of = CampaignRecipient
    counted = sa.select(of.campaign_id, of.state, sa.func.count()).where(of.campaign_id.in_(campaign_ids))
    found: dict[int, dict[str, int]] = {one: {} for one in campaign_ids}
    for campaign_id, state, people in session.execute(counted.group_by(of.campaign_id, of.state)):
        found[campaign_id][state] = people
    return found


def _require_move(campaign: Campaign, state: str, version: int) -> None:
    if state not in MOVES[campaign.state]:
        raise Refused("wrong_state")
    if campaign.version != version:
        raise Refused("stale")
