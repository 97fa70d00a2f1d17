"""What a customer chooses when a day has moved: agree, have it parted, take something else, or have the money back.

One choice of one slip, in one transaction: the slip is marked first, under the plan's lock, so that of two tabs, of a choice
and a picker, and of a choice and the next slip, one wins and the other changes nothing. Locks: payment, plan, goods, slip.
Each is confirmed by one mail with the day that then holds; a cancelled order has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.crm import confirming, orders, slips
from backoffice.crm.models import Checkout, Order, OrderLine, Slip
from backoffice.erp import cancelling as goods
from backoffice.erp import dated, fulfilment, plan, price_lists, pricing, promising, sources, splitting, substituting
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.payments import cancelling, captures, refunds
from backoffice.payments.models import Payment
from backoffice.public.errors import BadInput, Refused

STATES = {"accept": "accepted", "part": "parted", "substitute": "substituted", "cancel": "cancelled"}
ENDED = ("shipped", "delivered", "cancelled")


@dataclass(frozen=True, slots=True)
class Option:
    """An alternative to a late line. id: what was shown, so that it is chosen only as it was seen."""

    id: str
    line: OrderLine
    item: t.Item
    name: str
    arrives_on: date
    refund_minor: int
    discount_minor: int  # what the order's code takes off less than before
    price_minor: int  # of a piece


def options_of(session: Session, order: Order, *, now: datetime) -> Sequence[Option]:
    """Return what could be sent instead of an order's late lines; nothing costs more than what was paid for the line."""
    if order.state in ENDED:
        return []
    checkout = session.get_one(Checkout, order.checkout_id)
    found: list[Option] = []
    off = orders.discount_by_line(session, order)
    for line in slips.late_lines(session, order.id):
        if line.moved_cause is None:  # it only waits for its parcel
            continue
        with_on = substituting.rest_on(session, line.reservation_id, now=now)
        if with_on is None or not substituting.is_possible(session, line.reservation_id):
            continue
        alternatives = substituting.find(
            session,
            line.item_id,
            line.quantity,
            _buyer(session, line, checkout),
            most_minor=line.unit_price_minor,
            currency=order.currency,
            by=line.expected_on if causes.is_day_known(line.moved_cause) else None,
            with_on=with_on,
            now=now,
        )
        kind = pricing.tax_kind_of(session, session.get_one(t.Item, line.item_id))  # its invoice is issued: the rate stays
        same_rate = [one for one in alternatives if pricing.tax_kind_of(session, one.item) == kind]
        found += [_option(session, line, one, off[line.id]) for one in same_rate]
    return found


def choose(
    session: Session,
    number: str,
    slip_id: int,
    choice: str,
    option: str,
    *,
    by: str,
    said_by: str = "",
    now: datetime,
) -> bool:
    """Do what was chosen; False: it was done before, nothing happens.

    choice: one of STATES; option: the id of an Option, for a substitute. by: "customer" or a colleague's name; said_by: who told
    the colleague so. Raises NotFound(unknown_order | unknown_slip), BadInput(bad_choice), Refused(already_chosen | newer_day |
    too_late_to_choose | nothing_to_part | offer_changed | too_late_to_swap | too_late_to_cancel).
    """
    if choice not in STATES:
        raise BadInput("invalid_form", {"choice": "bad_choice"})
    order = orders.get_by_number(session, number)
    slips.get_slip(session, order.id, slip_id)
    payment = session.scalars(sa.select(Payment).where(Payment.id == order.payment_id).with_for_update()).one()
    plan.bump(session)
    session.refresh(order)
    option = option if choice == "substitute" else ""
    if not slips.mark(session, order, slip_id, STATES[choice], option, by=by, now=now):
        return False
    if order.state in ENDED:
        raise Refused("too_late_to_choose")
    slip = slips.get_slip(session, order.id, slip_id)
    if said_by:
        slip.choice = {**slip.choice, "said_by": said_by}
    if choice == "part":
        dated.part(session, number, now=now)
        _follow(session, order)
    elif choice == "substitute":
        _substitute(session, order, slip, payment, option, by, now)
    elif choice == "cancel" and not cancelling.cancel(session, number, by=by, now=now):
        raise Refused("too_late_to_choose")
    slips.note(session, order, slip, by=by, now=now)
    if choice != "cancel":  # of which they are told already
        confirming.confirm(session, order, slip, charge=captures.charge_of(payment.provider, payment.state), now=now)
    return True


def is_cancellable(session: Session, order: Order) -> bool:
    """Tell whether the whole order could still be cancelled."""
    return order.state not in ENDED and goods.is_possible(session, order.number)


def _option(session: Session, line: OrderLine, found: substituting.Alternative, off_minor: int) -> Option:
    """Price an alternative. off_minor: what the order's code took off the line; it takes the same part off the other price."""
    product = session.get(t.Product, found.item.product_id) if found.item.product_id else None
    own = sa.select(Checkout.price_list_id).join(Order, Order.checkout_id == Checkout.id).where(Order.id == line.order_id)
    price = price_lists.unit_minor(session, found.item, line.quantity, session.scalar(own))
    less = (line.unit_price_minor - price) * line.quantity
    discount = off_minor * less // (line.unit_price_minor * line.quantity) if less else 0
    return Option(
        id=f"{line.id}:{found.item.sku}:{price}:{found.arrives_on.isoformat()}",
        line=line,
        item=found.item,
        name=product.name if product else found.item.name,
        arrives_on=found.arrives_on,
        refund_minor=less - discount,
        discount_minor=discount,
        price_minor=price,
    )


def _buyer(session: Session, line: OrderLine, checkout: Checkout) -> sources.Buyer:
    """Return whom a line was sold to: their place, the service that they chose, the class that its goods were kept for."""
    whose = session.get_one(t.Reservation, line.reservation_id).customer_class
    return sources.Buyer(checkout.country, checkout.postcode, service=checkout.service, customer_class=whose)


def _substitute(session: Session, order: Order, slip: Slip, payment: Payment, option: str, by: str, now: datetime) -> None:
    """Swap the goods, write the line anew with its first promise kept, and give the difference back."""
    chosen = next((one for one in options_of(session, order, now=now) if one.id == option), None)
    if chosen is None:
        raise Refused("offer_changed")
    line, item, checkout = chosen.line, chosen.item, session.get_one(Checkout, order.checkout_id)
    was = _named(line.name, line.options)
    was_sku = line.sku
    before = {"sku": was_sku, "name": was, "unit_price_minor": line.unit_price_minor}
    buyer = _buyer(session, line, checkout)
    new = substituting.swap(session, line.reservation_id, item, buyer, order_ref=order.number, now=now)
    line.item_id, line.reservation_id, line.sku, line.name = item.id, new.id, item.sku, chosen.name
    line.options = ", ".join(str(value) for value in item.options.values())
    line.unit_price_minor, line.basis = chosen.price_minor, new.basis
    line.no_withdrawal = line.no_withdrawal and item.no_withdrawal  # what comes instead takes no right away
    line.moved_because = line.moved_cause = None
    line.promise = _promise(session, new, item, now)
    line.earliest_on = date.fromisoformat(line.promise["earliest_on"]) if line.promise["earliest_on"] else None
    _follow(session, order)
    if line.expected_on > chosen.arrives_on:
        raise Refused("offer_changed")
    given = min(chosen.refund_minor, payment.amount_minor - payment.refunded_minor)
    order.total_minor -= chosen.refund_minor
    order.discount_minor -= chosen.discount_minor
    order.version += 1
    slip.choice = {
        **slip.choice,
        "item": _named(line.name, line.options),
        "instead_of": before["name"],
        "before": before,
        "refund_minor": given,
    }
    session.flush()
    if given > 0:
        refunds.request(
            session, payment, given, reason="substitute", key=f"slip:{slip.id}", by=by, parts={was_sku: given}, now=now
        )


def _named(name: str, options: str) -> str:
    """Return what a line is called where there may be two of its name."""
    return f"{name}, {options}" if options else name


def _promise(session: Session, reservation: t.Reservation, item: t.Item, now: datetime) -> dict[str, Any]:
    """Return the steps to the new line's day, as a line keeps them."""
    shipment = session.scalars(
        sa.select(t.Shipment)
        .join(t.ShipmentLine, t.ShipmentLine.shipment_id == t.Shipment.id)
        .where(t.ShipmentLine.reservation_id == reservation.id)
    ).one()
    way = fulfilment.way_of(session, shipment, now=now)
    found = promising.promise_of(session, masters.load(session, now=now), reservation, item, way, now=now)
    return {
        "ready_at": found.ready_at.isoformat(),
        "ship_on": found.ship_on.isoformat(),
        "deliver_on": found.deliver_on.isoformat(),
        "earliest_on": found.earliest_on.isoformat() if found.earliest_on else None,
        "plan_version": found.plan_version,
        "steps": promising.steps_to_rows(found.steps),
        "pegs": [],
    }


def _follow(session: Session, order: Order) -> None:
    """Let every line with a day expect what its parcels now do."""
    for line in orders.lines_of(session, order.id):
        if causes.is_day_known(line.moved_cause):
            line.expected_on = splitting.last_day(session, line.reservation_id) or line.expected_on
    session.flush()
