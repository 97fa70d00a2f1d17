"""A task for sales when a day has moved: call them. At once for an order of importance, else when nothing was chosen in time."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from babel import Locale
from sqlalchemy.orm import Session

from backoffice import wording
from backoffice.crm import assigning, timeline
from backoffice.crm.answer_time import answer_due
from backoffice.crm.models import Checkout, Lead, Order, OrderLine, Party, Slip
from backoffice.db import Database
from backoffice.erp.company import get_company

BATCH = 100
TO_CALL = ("new", "working")


def call_if_important(session: Session, order: Order, slip: Slip, *, now: datetime) -> None:
    """Make a slip a task for sales at once if its order is worth it; a task that stands already is about the newest day."""
    if slip.lead_id is not None or order.total_minor >= get_company(session).important_minor:
        _call(session, order, slip, now)


def call_silent(db: Database, *, now: datetime) -> int:
    """Make a task of every slip whose customer has chosen nothing for the days that the company set; return how many."""

    def find(session: Session) -> list[int]:
        until = now - timedelta(days=get_company(session).choose_days)
        waiting = sa.select(Slip.id).where(Slip.state == "open", Slip.told_at <= until, Slip.lead_id.is_(None))
        return list(session.scalars(waiting.order_by(Slip.told_at, Slip.id).limit(BATCH)))

    with db.read() as session:
        silent = find(session) if get_company(session) else []
    return sum(db.run(lambda session, one=one: _call_one(session, one, now)) for one in silent)  # type: ignore[misc]  # a default argument binds the loop's value


def close(session: Session, slip: Slip, *, now: datetime) -> None:
    """Take the task of a slip off the list: there is nothing to call about any more."""
    if slip.lead_id is None:
        return
    closed = session.execute(
        sa.update(Lead)
        .where(Lead.id == slip.lead_id, Lead.state.in_(TO_CALL))
        .values(state="done", follow_up_at=None, version=Lead.version + 1)
        .returning(Lead.party_id)
        .execution_options(synchronize_session="fetch")
    ).scalar_one_or_none()
    if closed is not None:
        timeline.record(session, closed, "done", lead_id=slip.lead_id, now=now)


def _call_one(session: Session, slip_id: int, now: datetime) -> bool:
    """Make the task of one slip, unless it was chosen or called about in between."""
    slip = session.get_one(Slip, slip_id, with_for_update=True, populate_existing=True)
    if slip.state != "open" or slip.lead_id is not None:
        return False
    _call(session, session.get_one(Order, slip.order_id), slip, now)
    return True


def _call(session: Session, order: Order, slip: Slip, now: datetime) -> None:
    """Make the slip a task; one that sales still has in hand takes its newest words instead."""
    lead = session.get(Lead, slip.lead_id, populate_existing=True) if slip.lead_id is not None else None
    if lead is None or lead.state not in TO_CALL:
        lead = _new(session, order, slip, now)
        slip.lead_id = lead.id
    lead.message = _words(session, order, slip)
    session.flush()


def _new(session: Session, order: Order, slip: Slip, now: datetime) -> Lead:
    party = session.get_one(Party, order.party_id)
    checkout = session.get_one(Checkout, order.checkout_id)
    first = session.get(OrderLine, slip.lines[0]["line_id"]) if slip.lines else None
    language = checkout.language or party.language
    owner_id = party.owner_id or assigning.find_owner(
        session,
        kind="late_order",
        language=language,
        country=checkout.country,
        postcode=checkout.postcode,
        sku=first.sku if first else "",
        now=now,
    )
    lead = Lead(
        number=secrets.token_hex(8),  # until its row has an id
        party_id=party.id,
        kind="late_order",
        state="new",
        sku=first.sku if first else "",
        quantity=first.quantity if first else None,
        postcode=checkout.postcode,
        order_ref=order.number,
        source="plan",
        page="order",
        language=language,
        owner_id=owner_id,
        due_at=answer_due(session, now),
        created_at=now,
        version=1,
    )
    session.add(lead)
    session.flush()
    lead.number = f"L-{lead.id:05d}"
    return lead


def _words(session: Session, order: Order, slip: Slip) -> str:
    """Return which lines moved and how, without a sentence: the desk says the rest in its reader's language."""
    locale = Locale.parse(get_company(session).language.replace("-", "_"))

    def day(iso: str | None) -> str:
        return wording.day(datetime.fromisoformat(iso).date(), locale) if iso else "?"

    rows = [f"{one['quantity']} × {one['name']}: {day(one['promised_on'])} → {day(one['expected_on'])}" for one in slip.lines]
    return "\n".join([order.number, *rows])
