"""A task for sales when a day has moved: call them. At once for an order of importance, else when nothing was chosen in time."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from babel import Locale
from sqlalchemy.orm import Session

from backoffice import wording
from backoffice.crm import assigning, timeline
from backoffice.crm.answer_time import answer_due
from backoffice.crm.models import Checkout, Lead, Order, OrderLine, Party, Slip
from backoffice.db import Database, update_rows
from backoffice.erp.company import get_company

BATCH = 100
TO_CALL = ("new", "working")


def call_important(session: Session, told: Sequence[tuple[Order, Slip]], *, now: datetime) -> None:
    """Make slips tasks for sales at once if their orders are worth it; a task that stands already is about the newest day."""
    least = get_company(session).important_minor
    _call(session, [(o, slip) for o, slip in told if slip.lead_id is not None or o.total_minor >= least], now)


def call_silent(db: Database, *, now: datetime) -> int:
    """Make a task of every slip whose customer has chosen nothing for the days that the company set; return how many."""

    def find(session: Session) -> list[int]:
        until = now - timedelta(days=get_company(session).choose_days)
        waiting = sa.select(Slip.id).where(Slip.state == "open", Slip.told_at <= until, Slip.lead_id.is_(None))
        return list(session.scalars(waiting.order_by(Slip.told_at, Slip.id).limit(BATCH)))

    with db.read() as session:
        silent = find(session) if get_company(session) else []
    return sum(db.run(lambda session, one=one: _call_one(session, one, now)) for one in silent)  # type: ignore[misc]  # a default argument binds the loop's value


def close_all(session: Session, slips: Sequence[Slip], *, now: datetime) -> None:
    """Take the tasks of slips off the list: there is nothing to call about any more."""
    tasks = sorted({slip.lead_id for slip in slips if slip.lead_id is not None})
    if not tasks:
        return
    closed = session.execute(
        sa.update(Lead)
        .where(Lead.id.in_(tasks), Lead.state.in_(TO_CALL))
        .values(state="done", follow_up_at=None, version=Lead.version + 1)
        .returning(Lead.id, Lead.party_id)
        .execution_options(synchronize_session="fetch")
    )
    done = [timeline.entry(row.party_id, "done", lead_id=row.id, now=now) for row in sorted(closed)]
    timeline.record_all(session, done)


def _call_one(session: Session, slip_id: int, now: datetime) -> bool:
    """Make the task of one slip, unless it was chosen or called about in between."""
    slip = session.get_one(Slip, slip_id, with_for_update=True, populate_existing=True)
    if slip.state != "open" or slip.lead_id is not None:
        return False
    _call(session, [(session.get_one(Order, slip.order_id), slip)], now)
    return True


def _call(session: Session, told: Sequence[tuple[Order, Slip]], now: datetime) -> None:
    """Make each slip a task; one that sales still has in hand takes its newest words instead."""
    if not told:
        return
    tasks = sa.select(Lead).where(Lead.id.in_({slip.lead_id for _, slip in told if slip.lead_id is not None}))
    in_hand = {lead.id: lead for lead in session.scalars(tasks.execution_options(populate_existing=True))}
    in_hand = {key: lead for key, lead in in_hand.items() if lead.state in TO_CALL}
    alone = [(order, slip) for order, slip in told if slip.lead_id not in in_hand]
    for (_, slip), lead in zip(alone, _new(session, alone, now), strict=True):
        slip.lead_id, in_hand[lead.id] = lead.id, lead
    for order, slip in told:
        in_hand[slip.lead_id or 0].message = _words(session, order, slip)
    update_rows(session, in_hand.values(), "message")


def _new(session: Session, told: Sequence[tuple[Order, Slip]], now: datetime) -> list[Lead]:
    """Write the tasks of slips that have none, in their order."""
    if not told:
        return []
    people, bought, first = _asked(session, told)
    wanted = [
        assigning.Wanted(
            "late_order",
            bought[order.checkout_id].language or people[order.party_id].language,
            bought[order.checkout_id].country,
            bought[order.checkout_id].postcode,
            first[slip.lines[0]["line_id"]].sku if slip.lines else "",
        )
        for order, slip in told
    ]
    owners, due_at = assigning.find_owners(session, wanted, now=now), answer_due(session, now)
    leads = [
        Lead(
            number=secrets.token_hex(8),  # until its row has an id
            party_id=order.party_id,
            kind=asked.kind,
            state="new",
            message="",
            sku=asked.sku,
            quantity=first[slip.lines[0]["line_id"]].quantity if slip.lines else None,
            postcode=asked.postcode,
            order_ref=order.number,
            source="plan",
            page="order",
            language=asked.language,
            owner_id=people[order.party_id].owner_id or owner_id,
            due_at=due_at,
            created_at=now,
            version=1,
        )
        for (order, slip), asked, owner_id in zip(told, wanted, owners, strict=True)
    ]
    session.add_all(leads)
    session.flush()
    for lead in leads:
        lead.number = f"L-{lead.id:05d}"
    update_rows(session, leads, "number")
    return leads


def _asked(
    session: Session, told: Sequence[tuple[Order, Slip]]
) -> tuple[dict[int, Party], dict[int, Checkout], dict[int, OrderLine]]:
    """Return the parties, the checkouts and the lines that slips speak of first, by id."""
    people = sa.select(Party).where(Party.id.in_({order.party_id for order, _ in told}))
    bought = sa.select(Checkout).where(Checkout.id.in_({order.checkout_id for order, _ in told}))
    first = sa.select(OrderLine).where(OrderLine.id.in_({slip.lines[0]["line_id"] for _, slip in told if slip.lines}))
    return (
        {row.id: row for row in session.scalars(people)},
        {row.id: row for row in session.scalars(bought)},
        {row.id: row for row in session.scalars(first)},
    )


def _words(session: Session, order: Order, slip: Slip) -> str:
    """Return which lines moved and how, without a sentence: the desk says the rest in its reader's language."""
    locale = Locale.parse(get_company(session).language.replace("-", "_"))

    def day(iso: str | None) -> str:
        return wording.day(datetime.fromisoformat(iso).date(), locale) if iso else "?"

    rows = [f"{one['quantity']} × {one['name']}: {day(one['promised_on'])} → {day(one['expected_on'])}" for one in slip.lines]
    return "\n".join([order.number, *rows])
