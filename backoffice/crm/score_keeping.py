"""Keep every open lead's score: worked out by the worker in batches, stored with its reasons, so that the inbox only sorts by it.

A score stands while the lead, the plan and the day are what it was worked out from. The promise engine is asked once for
each item, quantity and place of a batch, however many leads ask for the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import possible_days, scoring
from backoffice.crm.models import Activity, Lead, Order, Party
from backoffice.db import Database, table_of
from backoffice.erp import plan
from backoffice.erp.company import get_company, local_today
from backoffice.erp.models import Company, Item

OPEN = ("new", "working", "answered")
BATCH = 200
MOST = 5_000  # of one run: the rest comes with the next, so that the worker's other work does not wait
Wish = tuple[str, int, str]  # SKU, pieces, postcode


def score_open(db: Database, *, now: datetime) -> int:
    """Score the open leads whose score no longer stands, the newest first; return how many."""
    scored, before = 0, None
    while scored < MOST:
        with db.read() as session:
            if session.get(Company, 1) is None:
                return scored
            made_from = _made_from(session, now)
            stale = _stale(session, made_from, before)
            found = _score(session, stale, now=now)
        if not stale:
            return scored
        db.run(lambda session, rows=found, key=made_from: _write(session, rows, key))  # type: ignore[misc]  # a default argument binds the loop's value
        scored, before = scored + len(stale), stale[-1].id
    return scored


def _made_from(session: Session, now: datetime) -> str:
    """Return what every score rests on beside its lead: the plan's version and the day."""
    return f"{plan.version(session)}:{local_today(get_company(session), now).isoformat()}"


def _stale(session: Session, made_from: str, before: int | None) -> Sequence[Lead]:
    key = sa.literal(f"{made_from}:") + sa.cast(Lead.version, sa.String)
    found = sa.select(Lead).where(Lead.state.in_(OPEN), Lead.scored_for != key)
    if before is not None:
        found = found.where(Lead.id < before)
    return session.scalars(found.order_by(Lead.id.desc()).limit(BATCH)).all()


def _score(session: Session, leads: Sequence[Lead], *, now: datetime) -> list[dict[str, Any]]:
    """Return id, version, score and reasons of each lead; every question is asked once for all of them."""
    if not leads:
        return []
    people = {row.id: row for row in session.scalars(sa.select(Party).where(Party.id.in_({lead.party_id for lead in leads})))}
    buyers = set(session.scalars(sa.select(Order.party_id).where(Order.party_id.in_(people), Order.state != "cancelled")))
    wrote = (
        sa.select(Activity.lead_id, sa.func.count())
        .where(Activity.lead_id.in_([lead.id for lead in leads]), Activity.kind == "message")
        .group_by(Activity.lead_id)
    )
    messages = {row[0]: row[1] for row in session.execute(wrote)}
    items = {
        item.sku: item for item in session.scalars(sa.select(Item).where(Item.sku.in_({one.sku for one in leads if one.sku})))
    }
    days: dict[Wish, date | None] = {}
    rows = []
    for lead in leads:
        party, item, wish = people[lead.party_id], items.get(lead.sku), (lead.sku, lead.quantity or 1, lead.postcode)
        if item is not None and wish not in days:
            days[wish] = possible_days.find_day(session, item, wish[1], wish[2], now=now)
        facts = scoring.Facts(
            kind=lead.kind,
            bought_before=party.id in buyers,
            company=bool(lead.company or party.company_id),
            quantity=lead.quantity,
            sku=lead.sku if item is not None else "",
            telephone=bool(party.phone),
            messages=messages.get(lead.id, 1),
            asked=item is not None,
            needed_by_on=lead.needed_by_on,
            possible_on=days.get(wish),
        )
        parts = scoring.parts(facts)
        said = [{"group": one.group, "reason": one.reason, "points": one.points, "day": _iso(one.day)} for one in parts]
        rows.append({"row": lead.id, "seen": lead.version, "score": scoring.total(parts), "parts": said})
    return rows


def _write(session: Session, rows: Sequence[dict[str, Any]], made_from: str) -> None:
    """Store scores; of a lead that was changed in between it is found stale again. Nobody's page is made stale by it."""
    lead = table_of(Lead)
    change = (
        sa.update(lead)
        .where(lead.c.id == sa.bindparam("row"), lead.c.version == sa.bindparam("seen"))
        .values(score=sa.bindparam("new_score"), score_parts=sa.bindparam("parts"), scored_for=sa.bindparam("made_from"))
    )
    named = [
        {
            "row": one["row"],
            "seen": one["seen"],
            "new_score": one["score"],
            "parts": one["parts"],
            "made_from": f"{made_from}:{one['seen']}",
        }
        for one in rows
    ]
    session.connection().execute(change, named)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
