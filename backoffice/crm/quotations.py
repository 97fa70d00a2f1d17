"""Quotations: drawn up at the desk, kept from the real stock and plan until they end, replaced by newer versions.

States (QUOTATION_MOVES). A quotation keeps its goods as a cart does, in a cart of its own that no browser has: material and
machine minutes, held until it ends. What is made for it is planned to begin only then, so that the day stands as long as the
quotation does: the longer it is valid, the later its day. The day that its customer is told is the one that is kept if they
accept at the last moment; whoever accepts earlier may have it earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import carts, desk_orders, links, timeline
from backoffice.crm import checkout as checkouts
from backoffice.crm.customers import Editor
from backoffice.crm.models import Cart, CartLine, Checkout, Lead, Quotation
from backoffice.erp import holds, kits, pricing
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.public.errors import NotFound, Refused

QUOTATION_MOVES: dict[str, tuple[str, ...]] = {
    "waiting": ("sent", "declined", "replaced", "withdrawn"),
    "sent": ("accepted", "expired", "replaced", "withdrawn"),
    "accepted": (),
    "expired": (),
    "replaced": ("accepted",),  # its money came after all: see settle
    "withdrawn": ("accepted",),
    "declined": (),
}
CHANNEL = "quotation"
OPEN = ("waiting", "sent")


def withdraw(session: Session, quotation_id: int, *, by: Editor, now: datetime) -> Quotation:
    """Take a quotation back: its goods are free. Withdrawn before: nothing happens.

    Raises NotFound(unknown_record), Refused(wrong_state), Refused(payment_open) while its customer pays.
    """
    quotation = lock(session, quotation_id)
    if quotation.state == "withdrawn":
        return quotation
    require_move(quotation, "withdrawn")
    let_go(session, quotation, "withdrawn", now)
    note(session, quotation, "quotation_withdrawn", actor=by.name, now=now)
    audit.record(session, "quotation.withdraw", subject(quotation), actor=by.email, role=by.role, now=now)
    session.flush()
    return quotation


def expire(session: Session, quotation: Quotation, *, now: datetime) -> None:
    """End a locked quotation whose time is over; its owner comes back to whoever asked at once."""
    require_move(quotation, "expired")
    let_go(session, quotation, "expired", now)
    desk_orders.come_back(session, quotation.lead_id, now)
    note(session, quotation, "quotation_expired", now=now)
    session.flush()


def find_by_link(session: Session, token: str) -> tuple[Quotation, bool]:
    """Return the version that stands behind a link now, and whether it is newer than the link's own.

    Raises NotFound(unknown_record).
    """
    own = session.scalar(sa.select(Quotation).where(Quotation.token_hash == links.hash_token(token)))
    if own is None or own.sent_at is None:
        raise NotFound("unknown_record")
    sent = sa.select(Quotation).where(Quotation.number == own.number, Quotation.sent_at.is_not(None))
    newest = session.scalars(sent.order_by(Quotation.version.desc()).limit(1)).one()
    return newest, newest.id != own.id


def of_lead(session: Session, lead_id: int) -> Sequence[Quotation]:
    """Return an enquiry's quotations, the newest first."""
    return session.scalars(sa.select(Quotation).where(Quotation.lead_id == lead_id).order_by(Quotation.id.desc())).all()


def get(session: Session, quotation_id: int) -> Quotation:
    """Return a quotation. Raises NotFound(unknown_record)."""
    quotation = session.get(Quotation, quotation_id)
    if quotation is None:
        raise NotFound("unknown_record")
    return quotation


def lock(session: Session, quotation_id: int) -> Quotation:
    """Let nobody else change a quotation, or its goods, until we are done: its cart first, as whoever pays for it does.

    Raises NotFound(unknown_record).
    """
    cart_id = session.scalar(sa.select(Quotation.cart_id).where(Quotation.id == quotation_id))
    if cart_id is not None:
        carts.lock(session, cart_id)
    wanted = sa.select(Quotation).where(Quotation.id == quotation_id).with_for_update()
    quotation = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if quotation is None:
        raise NotFound("unknown_record")
    return quotation


def minutes_left(session: Session, checkout: Checkout, now: datetime) -> int | None:
    """Return for how long the goods of a checkout that was not paid stay with its quotation; None: they are free."""
    if checkout.channel != CHANNEL:
        return None
    quotation = session.scalars(sa.select(Quotation).where(Quotation.cart_id == checkout.cart_id)).one()
    if quotation.state != "sent" or quotation.valid_until_at is None or quotation.valid_until_at <= now:
        return None
    return minutes(quotation.valid_until_at, now)


def link(quotation: Quotation, secret_key: str) -> str:
    """Return the address at which its customer sees a quotation."""
    return f"{quotation.base_url}/quotation/{links.quotation_token(secret_key, quotation.link_nonce)}"


def back_to(session: Session, checkout: Checkout, secret_key: str) -> str:
    """Return where the customer of a quotation's checkout came from; empty for any other."""
    if checkout.channel != CHANNEL:
        return ""
    return link(session.scalars(sa.select(Quotation).where(Quotation.cart_id == checkout.cart_id)).one(), secret_key)


def subject(quotation: Quotation) -> str:
    """Return what the record of changes calls it."""
    return f"quotation:{quotation.number}:{quotation.version}"


def note(
    session: Session, quotation: Quotation, kind: str, *, text: str = "", actor: str = "", now: datetime, **more: Any
) -> None:
    """Add to the timeline of whoever asked."""
    values: dict[str, Any] = {"quotation": quotation.number, "version": quotation.version, **more}
    values |= {"amount_minor": quotation.total_minor, "currency": quotation.currency}
    if quotation.valid_until_at is not None and kind == "quoted":
        values["until"] = quotation.valid_until_at.isoformat()
    timeline.record(session, quotation.party_id, kind, text=text, lead_id=quotation.lead_id, actor=actor, values=values, now=now)


def mail(session: Session, quotation: Quotation, kind: str, *, now: datetime, **more: Any) -> None:
    """Write to its customer."""
    assert quotation.valid_until_at is not None
    company, currency = get_company(session), quotation.currency
    until = quotation.valid_until_at.astimezone(ZoneInfo(company.timezone))
    payload = {
        "to": quotation.buyer["email"],
        "name": quotation.buyer["name"],
        "language": quotation.language,
        "shop": company.name,
        "number": quotation.number,
        "version": quotation.version,
        "secrets": {"link": links.unwritten("quotation", f"{quotation.base_url}/quotation/", quotation.link_nonce)},
        "lines": [
            {
                "name": one["name"],
                "options": one["options"],
                "quantity": one["quantity"],
                "total": {"amount_minor": one["unit_price_minor"] * one["quantity"], "currency": currency},
                "deliver_on": quotation.told_on.isoformat() if quotation.told_on else one["deliver_on"],
            }
            for one in quotation.lines
        ],
        "total": {"amount_minor": quotation.total_minor, "currency": currency},
        "deliver_on": quotation.told_on.isoformat() if quotation.told_on else "",
        "valid_until": until.isoformat(timespec="minutes"),
        "note": quotation.note,
        **more,
    }
    number = session.get_one(Lead, quotation.lead_id).number
    events.publish(session, events.MailWanted(kind, f"lead:{number}", payload, now))


def agreed_minor(unit_minor: int, percent: int) -> int:
    """Return what a piece costs with so much taken off, rounded half up to the smallest coin."""
    return pricing.less(unit_minor, percent)


def frozen_lines(session: Session, quotation: Quotation, lines: Sequence[carts.Line]) -> list[dict[str, Any]]:
    """Return held lines as they will stand in the order, at the prices that were agreed."""
    percent = {line["sku"]: int(line["percent"]) for line in quotation.asked}
    agreed = {line["sku"]: line for line in quotation.lines}  # once told, a price stands
    found = []
    for line in lines:
        unit = int(agreed[line.item.sku]["list_minor"]) if line.item.sku in agreed else line.price_minor
        prices = {"list_minor": unit, "discount_percent": percent[line.item.sku]}
        prices["unit_price_minor"] = agreed_minor(unit, percent[line.item.sku])
        found.append(checkouts.frozen(session, line) | prices)
    return found


def last_day(session: Session, cart: Cart, lines: Sequence[carts.Line], until: datetime, *, now: datetime) -> date | None:
    """Return the day on which all of it arrives if it is accepted at the last moment; None: nothing can be promised."""
    return carts.day_with(session, cart, lines, carts.service_of(session, cart), not_before=until, now=now)


def first_start(session: Session, reservation_ids: Sequence[int]) -> datetime | None:
    """Return when the first work that is held for these begins; None: nothing is made for them."""
    goods = kits.goods_in(session, reservation_ids)
    work = t.ProductionOrder.reservation_id.in_(sorted(goods)), t.ProductionOrder.state == "held"
    return session.scalar(sa.select(sa.func.min(t.ProductionOrder.starts_at)).where(*work))


def let_go(session: Session, quotation: Quotation, state: str, now: datetime) -> None:
    """End a locked quotation and give back what it keeps. Raises Refused(payment_open) while its customer pays."""
    if quotation.cart_id is not None:
        cart = session.get_one(Cart, quotation.cart_id)
        if checkouts.open_checkouts(session, cart):
            raise Refused("payment_open")
        rows = [row.reservation_id for row in carts.rows_of(session, cart) if row.reservation_id is not None]
        holds.lock_goods(session, rows)
        for reservation_id in rows:
            holds.release(session, reservation_id, now=now)
    quotation.state, quotation.ended_at = state, now
    session.flush()


def require_move(quotation: Quotation, state: str) -> None:
    if state not in QUOTATION_MOVES[quotation.state]:
        raise Refused("wrong_state")


def minutes(until: datetime, now: datetime) -> int:
    return max(1, int((until - now) / timedelta(minutes=1)))


def has_begun(now: datetime) -> sa.Exists:
    """Return the condition for quotations whose work should have begun by now: its minutes are gone."""
    work, kept = t.ProductionOrder, CartLine.reservation_id
    return sa.exists().where(
        CartLine.cart_id == Quotation.cart_id,
        sa.or_(t.Reservation.id == kept, t.Reservation.split_from_id == kept),
        work.reservation_id == t.Reservation.id,
        t.Reservation.state == "held",
        work.state == "held",
        work.starts_at <= now,
    )
