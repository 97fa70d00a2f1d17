"""Who of a segment may be written to now, and why the others may not. Decided in SQL, for all of them or for a few."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from backoffice.crm import segments
from backoffice.crm.models import CampaignRecipient, Consent, Party, Profile
from backoffice.crm.segment_rules import Condition
from backoffice.db import UtcDateTime, table_of
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
    judged = _judge(segments.fits(matching, conditions, now=now), few=False).subquery()
    by_reason = sa.select(judged.c.reason, sa.func.count()).group_by(judged.c.reason)
    rows: dict[str, int] = dict(session.execute(by_reason, {"since": _since(session, now), "but": 0}).all())
    return Audience(rows.get("", 0), {reason: rows[reason] for reason in REASONS if reason in rows})


def decide(session: Session, people: Collection[int], *, but: int = 0, now: datetime) -> Sequence[Decision]:
    """Return each of these people, in the order of their ids. but: a recipient whose own letter does not count as had lately."""
    values = {"ids": sorted(people), "since": _since(session, now), "but": but}
    return [
        Decision(party_id, consent_id, reason, email or "", name or "", language or "")
        for party_id, consent_id, reason, email, name, language in session.execute(_deciding(), values)
    ]


@cache
def _deciding() -> sa.Select[Any]:
    """Return the statement of `decide`: it is asked for every letter that leaves, and is put together once."""
    judged = _judge(table_of(Profile).c.party_id.in_(_few()), few=True).subquery()
    language = sa.func.coalesce(sa.func.nullif(Party.language, ""), Consent.language)
    return (
        sa.select(judged, Party.email, Party.name, language)
        .join(Consent, Consent.id == judged.c.consent_id, isouter=True)
        .join(Party, Party.id == Consent.party_id, isouter=True)
        .order_by(judged.c.party_id)
    )


def _since(session: Session, now: datetime) -> datetime:
    """Return after when a letter counts as had lately; where the company sets no limit, nothing does."""
    days = get_company(session).campaign_days
    return now - timedelta(days=days) if days else datetime.max.replace(tzinfo=UTC)


def _few() -> sa.BindParameter[Any]:
    return sa.bindparam("ids", expanding=True, type_=sa.BigInteger())


def _judge(whom: sa.ColumnElement[bool], *, few: bool) -> sa.Select[Any]:
    """Select party_id, consent_id and reason of the people `whom`. Parameters: since, but, and where they are few their ids.

    A person is all the parties that are linked: what one of them took back after another one gave it holds for all.
    """
    person, asked, had = table_of(Profile).c, _asked(few=few), _had(few=few)
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


def _asked(*, few: bool) -> sa.Subquery:
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
    return (found.where(member.person_id.in_(_few())) if few else found).subquery()


def _had(*, few: bool) -> sa.Subquery:
    """Select the people to whom a campaign's letter left lately."""
    member, row = aliased(Profile), CampaignRecipient
    found = (
        sa.select(member.person_id)
        .join(row, row.party_id == member.party_id)
        .where(row.sent_at > sa.bindparam("since", type_=UtcDateTime()), row.id != sa.bindparam("but", type_=sa.BigInteger()))
        .group_by(member.person_id)
    )
    return (found.where(member.person_id.in_(_few())) if few else found).subquery()
