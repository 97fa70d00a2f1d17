"""Who of a segment may be written to now, and why the others may not. Decided in SQL, for all of them or for a few."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.crm import segments
from backoffice.crm.models import CampaignRecipient, Consent, Party, Profile
from backoffice.crm.segment_rules import Condition
from backoffice.db import table_of
from backoffice.erp.company import get_company

PURPOSE = "newsletter"
REASONS = ("no_consent", "withdrawn", "had_one")  # in the order in which they are looked for


@dataclass(frozen=True, slots=True)
class Audience:
    """How many would get a letter, and how many would not by reason."""

    reached: int
    left_out: Mapping[str, int]

    @property
    def people(self) -> int:
        """Return how many there are in the segment."""
        return self.reached + sum(self.left_out.values())


@dataclass(frozen=True, slots=True)
class Decision:
    """One person. reason: "" if they may be written to. consent_id: what allows it, at its party's address."""

    party_id: int
    consent_id: int | None
    reason: str
    email: str
    name: str
    language: str


def count(session: Session, matching: str, conditions: Sequence[Condition], *, now: datetime) -> Audience:
    """Return how many of a segment would get a letter now. Raises BadInput(invalid_form)."""
    judged = _judge(session, segments.fits(matching, conditions, now=now), None, now=now).subquery()
    by_reason = sa.select(judged.c.reason, sa.func.count()).group_by(judged.c.reason)
    rows: dict[str, int] = dict(session.execute(by_reason).all())
    return Audience(rows.get("", 0), {reason: rows[reason] for reason in REASONS if reason in rows})


def decide(session: Session, people: Collection[int], *, but: int | None = None, now: datetime) -> Sequence[Decision]:
    """Return each of these people, in the order of their ids. but: a recipient whose own letter does not count as had lately."""
    ids = sorted(people)
    judged = _judge(session, table_of(Profile).c.party_id.in_(ids), ids, but=but, now=now).subquery()
    told = (
        sa.select(judged, Party.email, Party.name, sa.func.coalesce(sa.func.nullif(Party.language, ""), Consent.language))
        .join(Consent, Consent.id == judged.c.consent_id, isouter=True)
        .join(Party, Party.id == Consent.party_id, isouter=True)
        .order_by(judged.c.party_id)
    )
    return [
        Decision(party_id, consent_id, reason, email or "", name or "", language or "")
        for party_id, consent_id, reason, email, name, language in session.execute(told)
    ]


def _judge(
    session: Session, whom: sa.ColumnElement[bool], ids: Sequence[int] | None, *, but: int | None = None, now: datetime
) -> sa.Select[Any]:
    """Select party_id, consent_id and reason of the people `whom`; ids: who they are, where they are few.

    A person is all the parties that are linked: what one of them took back after another one gave it holds for all.
    """
    person = table_of(Profile).c
    asked, had = _asked(ids), _had(ids, get_company(session).campaign_days, but, now)
    reason = sa.case(
        (sa.and_(asked.c.consent_id.is_(None), asked.c.withdrawn_at.is_not(None)), "withdrawn"),
        (asked.c.consent_id.is_(None), "no_consent"),
        (asked.c.withdrawn_at > asked.c.given_at, "withdrawn"),
        (had.c.person_id.is_not(None), "had_one"),
        else_="",
    )
    return (
        sa.select(person.party_id, asked.c.consent_id, reason.label("reason"))
        .select_from(table_of(Profile))
        .join(asked, asked.c.person_id == person.party_id, isouter=True)
        .join(had, had.c.person_id == person.party_id, isouter=True)
        .where(whom)
    )


def _asked(ids: Sequence[int] | None) -> sa.Subquery:
    """Select of each person the newest consent that stands and was confirmed, when it was given, and the last taken back."""
    member = aliased(Profile)
    stands = sa.and_(Consent.withdrawn_at.is_(None), Consent.confirmed_at.is_not(None), Party.email.is_not(None))
    found = (
        sa.select(
            member.person_id,
            sa.func.max(sa.case((stands, Consent.id))).label("consent_id"),
            sa.func.max(sa.case((stands, Consent.given_at))).label("given_at"),
            sa.func.max(Consent.withdrawn_at).label("withdrawn_at"),
        )
        .join(Consent, Consent.party_id == member.party_id)
        .join(Party, Party.id == member.party_id)
        .where(Consent.purpose == PURPOSE)
        .group_by(member.person_id)
    )
    return (found if ids is None else found.where(member.person_id.in_(ids))).subquery()


def _had(ids: Sequence[int] | None, days: int, but: int | None, now: datetime) -> sa.Subquery:
    """Select the people to whom a campaign's letter left within so many days; nobody where the company sets no limit."""
    member = aliased(Profile)
    found = (
        sa.select(member.person_id)
        .join(CampaignRecipient, CampaignRecipient.party_id == member.party_id)
        .where(CampaignRecipient.sent_at > now - timedelta(days=days) if days else sa.false())
        .group_by(member.person_id)
    )
    if but is not None:
        found = found.where(CampaignRecipient.id != but)
    return (found if ids is None else found.where(member.person_id.in_(ids))).subquery()
