"""What becomes of a quotation while it is thought over: its day moves, it is about to end, it ends. Each is told once."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import carts, desk_orders, quotations
from backoffice.crm import checkout as checkouts
from backoffice.crm.models import Cart, CartLine, Quotation
from backoffice.db import Database
from backoffice.erp.models import Reservation

REMIND_BEFORE = timedelta(days=2)
MOST = 200  # of a kind, in one round


def watch(db: Database, *, now: datetime) -> int:
    """See to what has ended, ends soon, or is no longer kept; return how many there were. A transaction for each."""
    with db.read() as session:
        waiting = _waiting(session, now)
    for quotation_id in waiting:
        db.run(lambda session, one=quotation_id: see_to(session, one, now=now))  # type: ignore[misc] # mypy infers no lambda with a default
    return len(waiting)


def see_to(session: Session, quotation_id: int, *, now: datetime) -> None:
    """Write down and tell what has become of one quotation; nothing while it is paid for, or where there is nothing new."""
    quotation = quotations.lock(session, quotation_id)
    if quotation.state != "sent" or quotation.cart_id is None or quotation.valid_until_at is None:
        return
    cart = session.get_one(Cart, quotation.cart_id)
    if checkouts.open_checkouts(session, cart):
        return
    if quotation.valid_until_at <= now:
        quotations.expire(session, quotation, now=now)
        return
    _look_at_the_day(session, quotation, cart, now)
    if quotation.reminded_at is None and _remind_at(quotation) <= now:
        quotation.reminded_at = now
        desk_orders.come_back(session, quotation.lead_id, now)
        quotations.mail(session, quotation, "quotation_ends", now=now)
        quotations.note(session, quotation, "quotation_reminded", now=now)
    session.flush()


def _look_at_the_day(session: Session, quotation: Quotation, cart: Cart, now: datetime) -> None:
    """Keep again what the plan has let go of; a later day than was told is told at once, to customer and owner."""
    assert quotation.valid_until_at is not None
    minutes = quotations.minutes(quotation.valid_until_at, now)
    held = carts.renew(session, cart, minutes=minutes, now=now, dead_only=True)
    lines, _ = carts.lines_of(session, cart, now=now, found=held)
    quotation.deliver_on = carts.latest_day(lines) if all(one.reservation for one in lines) else None
    last_on = quotation.deliver_on and quotations.last_day(session, cart, lines, quotation.valid_until_at, now=now)
    if quotation.deliver_on is not None:
        quotation.lines = quotations.frozen_lines(session, quotation, lines)
    if last_on == quotation.told_on or (last_on and quotation.told_on and last_on < quotation.told_on):
        return
    was_on, quotation.told_on = quotation.told_on, last_on
    desk_orders.come_back(session, quotation.lead_id, now)
    days = {"was_on": was_on.isoformat() if was_on else "", "now_on": last_on.isoformat() if last_on else ""}
    quotations.mail(session, quotation, "quotation_moved", now=now, **days)
    quotations.note(session, quotation, "quotation_moved", now=now, **days)


def _remind_at(quotation: Quotation) -> datetime:
    """Return when to remind: two days before it ends, or half way where it is that short."""
    assert quotation.valid_until_at is not None
    assert quotation.sent_at is not None
    half = quotation.sent_at + (quotation.valid_until_at - quotation.sent_at) / 2
    return max(half, quotation.valid_until_at - REMIND_BEFORE)


def _waiting(session: Session, now: datetime) -> list[int]:
    """Return the quotations that something may have become of, those that end first at the front."""
    ends = sa.and_(Quotation.reminded_at.is_(None), Quotation.valid_until_at <= now + REMIND_BEFORE)
    of_cart = sa.select(CartLine.cart_id).join(Reservation, Reservation.id == CartLine.reservation_id, isouter=True)
    kept = sa.and_(Reservation.state == "held", Reservation.expires_at > now)
    loose = of_cart.where(CartLine.cart_id == Quotation.cart_id, sa.or_(Reservation.id.is_(None), ~kept)).exists()
    begun = quotations.has_begun(now)
    wanted = sa.select(Quotation.id).where(Quotation.state == "sent", sa.or_(Quotation.valid_until_at <= now, ends, loose, begun))
    return list(session.scalars(wanted.order_by(Quotation.valid_until_at, Quotation.id).limit(MOST)))
