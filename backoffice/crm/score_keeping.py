"""Keep every open lead's score: worked out by the worker in batches, stored with its reasons, so that the inbox only sorts by it.

A score stands while the lead, the plan and the day are what it was worked out from; one that asks for no item knows no plan. The
promise engine is asked once for each item, quantity and place of a batch, however many leads ask for the same. A turn scores a
thousand at most: first those that are new or were changed, then those whose score is the oldest, so that a plan that moves every
minute keeps the worker busy for a bounded time and no lead waits for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import possible_days, scoring
from backoffice.crm.deadlines import IS_OPEN
from backoffice.crm.models import Activity, Lead, Order, Party
from backoffice.db import Database, table_of
from backoffice.erp import plan
from backoffice.erp.company import get_company, local_today
from backoffice.erp.models import Company, Item

BATCH = 200
MOST = 1_000  # of one turn: the rest comes with the next, so that the worker's other work does not wait
Wish = tuple[str, int, str]  # SKU, pieces, postcode


def score_open(db: Database, *, now: datetime) -> int:
    """Score open leads whose score no longer stands, as many as a turn may; return how many."""
    scored = 0
    while scored < MOST:
        with db.read() as session:
            if session.get(Company, 1) is None:
                return scored
            made_from = _made_from(session, now)
            stale = _stale(session, made_from, min(BATCH, MOST - scored))
            found = _score(session, stale, now=now)
        if not stale:
            return scored
        db.run(lambda session, rows=found, key=made_from: _write(session, rows, key))  # type: ignore[misc]  # a default argument binds the loop's value
        scored += len(stale)
    return scored


@dataclass(frozen=True, slots=True)
class _MadeFrom:
    """What scores rest on beside their leads: the day and the plan's version; written so that what is older sorts first."""

    day: date
    plan_version: int

    def of(self, sku: str) -> str:
        """Return it for leads that ask for an item, and for those that ask for none."""
        return f"{self.day.isoformat()}:{self.plan_version:015}:" if sku else f"{self.day.isoformat()}::"


def _made_from(session: Session, now: datetime) -> _MadeFrom:
    return _MadeFrom(local_today(get_company(session), now), plan.version(session))


def _stale(session: Session, made_from: _MadeFrom, most: int) -> Sequence[Lead]:
    version = sa.cast(Lead.version, sa.String)
    key = sa.case((Lead.sku == "", made_from.of("")), else_=made_from.of("any")) + version
    changed = Lead.scored_for.not_like(sa.literal("%:") + version)
    found = sa.select(Lead).where(IS_OPEN, Lead.scored_for != key)
    return session.scalars(found.order_by(sa.case((changed, 0), else_=1), Lead.scored_for, Lead.id.desc()).limit(most)).all()


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
        rows.append({"row": lead.id, "seen": lead.version, "sku": lead.sku, "score": scoring.total(parts), "parts": said})
    return rows


def _write(session: Session, rows: Sequence[dict[str, Any]], made_from: _MadeFrom) -> None:
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
            "made_from": f"{made_from.of(one['sku'])}{one['seen']}",
        }
        for one in rows
    ]
    session.connection().execute(change, named)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
