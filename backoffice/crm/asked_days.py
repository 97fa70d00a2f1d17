"""A day that a customer asks for: all of the cart by then. It is held as late as possible but in time, else as early as it can.

In words: while everything can be in time, what is planned is moved back towards the asked day, so that others find earlier
minutes free; should that make anything late, it stays where it was. What cannot be in time keeps its earliest day.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from backoffice.crm import carts
from backoffice.crm.models import Cart
from backoffice.erp import holds, plan, promising, substituting
from backoffice.erp.company import get_company, local_today
from backoffice.public.days import require_day
from backoffice.public.errors import NotFound


class _NotBetterError(Exception):
    """Moving towards the asked day made something late: it is taken back."""


def ask_for(session: Session, cart: Cart, day: date | None, *, minutes: int, now: datetime) -> None:
    """Note by which day all of it is asked for (None: any more), and plan towards it.

    Raises BadInput(invalid_form, requested_on → past_date | far_date).
    """
    if day is not None:
        require_day(day, today=local_today(get_company(session), now), field="requested_on")
    if cart.requested_on == day:
        return
    cart.requested_on = day
    carts.note_change(cart, now)
    plan_towards(session, cart, minutes=minutes, now=now)


def plan_towards(session: Session, cart: Cart, *, minutes: int, now: datetime) -> None:
    """Hold what is planned for a cart anew: as early as it can be, then towards the asked day if all of it stays in time."""
    day, cart.requested_on = cart.requested_on, None
    _hold_again(session, cart, minutes, now)
    cart.requested_on = day
    session.flush()
    if day is None or not is_in_time(session, cart, now=now):
        return
    try:
        with session.begin_nested():
            _hold_again(session, cart, minutes, now)
            if not is_in_time(session, cart, now=now):
                raise _NotBetterError
    except _NotBetterError:
        session.expire_all()


def is_in_time(session: Session, cart: Cart, *, now: datetime) -> bool:
    """Tell whether all of a cart arrives by the day that is asked for."""
    lines, _ = carts.lines_of(session, cart, now=now)
    day = carts.latest_day(lines)
    return day is not None and cart.requested_on is not None and day <= cart.requested_on


def take_instead(session: Session, cart: Cart, sku: str, other: str, *, minutes: int, now: datetime) -> None:
    """Put another item into the place of a line, as many as there were.

    Raises NotFound(unknown_product) unless `sku` is in the cart and `other` may stand in for it, and what `carts.add` raises;
    the caller takes everything back then.
    """
    item, new = promising.get_item(session, sku), promising.get_item(session, other)
    row = next((row for row in carts.rows_of(session, cart) if row.item_id == item.id), None)
    may = {one.id for one in substituting.candidates(session, item.id, currency=item.currency)}
    if row is None or new.id not in may:
        raise NotFound("unknown_product", sku=other)
    if holds.needs_plan(item) or holds.needs_plan(new):
        plan.bump(session)  # before any stock row is touched
    quantity = row.quantity
    carts.set_quantity(session, cart, sku, 0, minutes=minutes, now=now)
    carts.add(session, cart, other, quantity, minutes=minutes, now=now)


def _hold_again(session: Session, cart: Cart, minutes: int, now: datetime) -> None:
    """Give back what is planned for a cart and hold it anew, for the day that it asks for by now."""
    planned = [one for one in carts.find_lines(session, cart) if one.reservation is not None and holds.needs_plan(one.item)]
    if not planned:
        return
    plan.bump(session)
    for one in planned:
        assert one.reservation is not None
        carts.let_go(session, one.reservation.id, now)
        one.row.reservation_id = None
    for one in planned:
        held = carts.try_hold(session, cart, one.item, one.row.quantity, minutes=minutes, now=now)
        one.row.reservation_id = held.id if held else None
    session.flush()
