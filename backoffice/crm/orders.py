"""Orders: made from a paid checkout, kept in step with what the plan and the warehouse say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes, events
from backoffice.crm import links, parties, timeline
from backoffice.crm.models import Cart, CartLine, Checkout, Order, OrderLine
from backoffice.db import table_of, update_rows, write_row, write_rows
from backoffice.erp import factory as masters
from backoffice.erp import fulfilment, holds, kits, margins, promising, proposing, replan, services, shipping, splitting
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.erp.margins import Days
from backoffice.public import addresses
from backoffice.public.errors import NotFound

PAID_AFTER_THE_LAST_PARCEL = causes.of("paid_after_last_parcel")
PAID_TOO_LATE_TO_BEGIN = causes.of("paid_too_late_to_begin")

ORDER_MOVES: dict[str, tuple[str, ...]] = {
    "placed": ("confirmed", "cancelled"),
    "confirmed": ("picking", "shipped", "cancelled"),
    "picking": ("shipped", "cancelled"),
    "shipped": ("delivered",),
    "delivered": (),
    "cancelled": (),
}


def place(
    session: Session,
    checkout: Checkout,
    *,
    payment_id: int,
    charge: str = "",
    secret_key: str,
    cart: Cart | None,
    now: datetime,
) -> Order:
    """Make the order of a paid checkout: convert its holds, hand it to the ERP layer, tell the customer. One transaction.

    charge: account | later where it is not paid at once, "" where it is. cart: its cart, to be emptied; None when it was paid so
    late that the cart may hold something else by now. The caller has locked it before the holds, as whoever changes a cart does.
    Raises Refused(hold_expired) if a hold is no longer there to convert.
    """
    party = parties.of_address(
        session, checkout.email, name=checkout.name, phone=checkout.phone, language=checkout.language, now=now
    )
    order = Order(
        number=links.order_number(checkout.link_nonce),
        checkout_id=checkout.id,
        payment_id=payment_id,
        party_id=party.id,
        state="confirmed",  # at once: its goods are kept by then, and nobody sees it before
        currency=checkout.currency,
        shipping_minor=checkout.shipping_minor,
        discount_minor=checkout.discount_minor,
        total_minor=checkout.total_minor,
        placed_at=now,
        version=1,
    )
    write_row(session, order)
    goods, lines, ready = [], [], set()
    holds.lock_goods(session, [int(frozen["reservation_id"]) for frozen in checkout.lines])
    for frozen in sorted(checkout.lines, key=lambda line: int(line["item_id"])):
        reservation, pegs = _convert(session, int(frozen["reservation_id"]), order, now)
        goods.append(kits.goods_of(session, reservation))
        for one in goods[-1]:
            own = [peg for peg in pegs if peg.reservation_id == one.id]
            proposing.propose(session, one, own, now=now)
            if fulfilment.lies_ready(one, own):
                ready.add(one.id)
        lines.append(_line(session, order, checkout, frozen, reservation, now))
    if checkout.parcels != "dated":  # what comes together is promised together
        promised_on, expected_on = max(one.promised_on for one in lines), max(one.expected_on for one in lines)
        by_plan = max(one.earliest_on or one.promised_on for one in lines)
        for line in lines:
            line.promised_on, line.expected_on = promised_on, expected_on
            line.earliest_on = by_plan if by_plan < promised_on else None
    write_rows(session, lines)
    kept = [(line, one) for line, of_line in zip(lines, goods, strict=True) for one in of_line]
    _hand_over(session, order, checkout, kept, ready)
    for line, one in kept:
        if line.expected_on > line.promised_on:
            fulfilment.reschedule(session, one, now=now)
    if cart is not None:
        session.execute(_EMPTY, {"emptied": cart.id})
        cart.state = "ordered"
        update_rows(session, [cart], "state")
    checkout.state = "completed"
    update_rows(session, [checkout], "state")
    timeline.record(session, party.id, "order", text=order.number, order_ref=order.number, now=now)
    events.publish(session, events.OrderPlaced(order.number, party.id, checkout.id, checkout.lead_id, now))
    events.publish(session, _confirmation(session, order, checkout, lines, charge, secret_key, now))
    return order


_EMPTY = sa.delete(table_of(CartLine)).where(table_of(CartLine).c.cart_id == sa.bindparam("emptied"))


def _convert(session: Session, reservation_id: int, order: Order, now: datetime) -> holds.Converted:
    """Turn a hold into the order's; what was to be begun while its buyer was still paying is planned anew first."""
    converted = holds.convert(session, reservation_id, order_ref=order.number, now=now)
    if converted is None:
        replan.after_change(session, [reservation_id], cause=PAID_TOO_LATE_TO_BEGIN, now=now)
        converted = holds.convert(session, reservation_id, order_ref=order.number, now=now)
    assert converted is not None  # what was planned just now begins from now on
    return converted


def _line(
    session: Session, order: Order, checkout: Checkout, frozen: Mapping[str, Any], reservation: t.Reservation, now: datetime
) -> OrderLine:
    promised_on = date.fromisoformat(frozen["deliver_on"])
    expected_on, why = promised_on, None
    today = _days(session, reservation, checkout, now)
    if today and today[0].deliver_on > promised_on:  # paid so late that the day's parcel has left, or the plan moved meanwhile
        safe_at = margins.safe_at(session, masters.load(session, now=now), reservation)
        began_later = safe_at > datetime.fromisoformat(frozen["promise"]["ready_at"])
        expected_on, why = today[1].deliver_on, PAID_TOO_LATE_TO_BEGIN if began_later else PAID_AFTER_THE_LAST_PARCEL
    earliest_on = frozen["promise"].get("earliest_on")  # none in what was frozen by the program of before
    return OrderLine(
        order_id=order.id,
        item_id=frozen["item_id"],
        reservation_id=reservation.id,
        sku=frozen["sku"],
        name=frozen["name"],
        options=frozen["options"],
        quantity=frozen["quantity"],
        unit_price_minor=frozen["unit_price_minor"],
        no_withdrawal=frozen.get("no_withdrawal", ""),  # none in what was frozen by the program of before
        basis=frozen["basis"],
        requested_on=checkout.requested_on,
        promised_on=promised_on,
        earliest_on=date.fromisoformat(earliest_on) if earliest_on else None,
        expected_on=expected_on,
        moved_because=causes.in_english(why) if why else None,
        moved_cause=causes.stored(why) if why else None,
        promise=frozen["promise"],
    )


SHIP_TO = ("name", "company", "street", "city", "region", "postcode", "country", "note", "phone", "service")


def _hand_over(
    session: Session, order: Order, checkout: Checkout, lines: Sequence[tuple[OrderLine, t.Reservation]], ready: Set[int]
) -> None:
    """Give the order to the warehouse: a parcel from each place that ships, and (dated) one for each day.

    ready: the reservations whose goods lie on the shelf.
    """
    together: dict[tuple[int, date], list[tuple[OrderLine, t.Reservation]]] = defaultdict(list)
    all_on = max(line.promised_on for line, _ in lines)
    for line, reservation in lines:
        day = line.promised_on if checkout.parcels == "dated" else all_on
        together[reservation.warehouse_id or 0, day].append((line, reservation))
    parcels = [
        fulfilment.Parcel(
            reservations=[reservation for _, reservation in inside],
            promised_on=day,
            ship_by_on=max(date.fromisoformat(line.promise["ship_on"]) for line, _ in inside),
            warehouse_id=warehouse_id or None,
            ready=all(reservation.id in ready for _, reservation in inside),
        )
        for (warehouse_id, day), inside in sorted(together.items(), key=lambda one: (one[0][1], one[0][0]))
    ]
    ship_to = {name: getattr(checkout, name) for name in SHIP_TO}
    fulfilment.hand_over(session, order_ref=order.number, ship_to=ship_to, parcels=parcels)


def lines_of(session: Session, order_id: int) -> list[OrderLine]:
    """Return an order's lines."""
    return list(session.scalars(sa.select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)))


def find_by_number(session: Session, number: str) -> Order | None:
    """Return an order by its number."""
    return session.scalar(sa.select(Order).where(Order.number == number))


def get_by_link(session: Session, token: str) -> tuple[Order, Checkout]:
    """Return the order of a customer's secret link, with its checkout. Raises NotFound(unknown_order)."""
    row = session.execute(
        sa.select(Order, Checkout)
        .join(Checkout, Checkout.id == Order.checkout_id)
        .where(Checkout.token_hash == links.hash_token(token))
    ).one_or_none()
    if row is None:
        raise NotFound("unknown_order")
    return row[0], row[1]


def get_by_number(session: Session, number: str) -> Order:
    """Return an order by its number. Raises NotFound(unknown_order)."""
    order = find_by_number(session, number)
    if order is None:
        raise NotFound("unknown_order")
    return order


def mark(session: Session, number: str, state: str) -> Order | None:
    """Move an order forward to `state` if that is forward; return it. Repeating a step does nothing."""
    order = session.scalar(sa.select(Order).where(Order.number == number).with_for_update())
    if order is not None and state in ORDER_MOVES[order.state]:
        order.state = state
        order.version += 1
        session.flush()
    return order


def on_picking_started(session: Session, happened: events.PickingStarted) -> None:
    """Note that an order is being picked."""
    order = mark(session, happened.order_ref, "picking")
    if order is not None:
        timeline.record(session, order.party_id, "picking", order_ref=order.number, actor=happened.actor, now=happened.at)


def on_picking_taken_over(session: Session, happened: events.PickingTakenOver) -> None:
    """Note that a colleague went on with an order's parcel."""
    order = find_by_number(session, happened.order_ref)
    if order is not None:
        number, who, was = order.number, happened.actor, happened.was
        timeline.record(session, order.party_id, "picking_taken_over", text=was, order_ref=number, actor=who, now=happened.at)


def on_packed(session: Session, happened: events.ShipmentPacked) -> None:
    """Note that an order's parcel is closed."""
    order = find_by_number(session, happened.order_ref)
    if order is not None:
        timeline.record(session, order.party_id, "packed", order_ref=order.number, actor=happened.actor, now=happened.at)


def make_on_shipped(secret_key: str) -> Any:
    """Return the listener that tells a customer that their parcel is on its way."""

    def on_shipped(session: Session, happened: events.ShipmentShipped) -> None:
        order = find_by_number(session, happened.order_ref)
        if order is None:
            return
        if happened.complete:
            mark(session, happened.order_ref, "shipped")
        order.tracking = happened.tracking
        for line in lines_of(session, order.id):
            if set(happened.reservation_ids) & splitting.family(session, line.reservation_id):
                line.expected_on = splitting.last_day(session, line.reservation_id) or happened.deliver_on
        timeline.record(
            session,
            order.party_id,
            "shipped",
            text=happened.tracking,
            order_ref=order.number,
            actor=happened.actor,
            now=happened.at,
        )
        payload = mail_frame(session, order, secret_key) | {
            "tracking": happened.tracking,
            "deliver_on": happened.deliver_on.isoformat(),
            "parcel": happened.parcel,
            "parcels": happened.parcels,
            "contents": [{"name": name, "quantity": quantity} for name, quantity in happened.contents],
        }
        events.publish(session, events.MailWanted("order_shipped", f"order:{order.number}", payload, happened.at))

    return on_shipped


def _days(session: Session, reservation: t.Reservation, checkout: Checkout, now: datetime) -> tuple[Days, Days] | None:
    """Return the days of an order's goods now, by the plan and with their margin."""
    way = shipping.destination(
        session,
        masters.load(session, now=now),
        country=checkout.country,
        postcode=checkout.postcode,
        warehouse_id=reservation.warehouse_id,
        service=checkout.service,
        now=now,
    )
    return promising.days_for(session, [reservation], way, now=now)


def tell_refunded(
    session: Session, checkout_id: int, *, amount_minor: int, reason: str, actor: str, secret_key: str, now: datetime
) -> None:
    """Tell a customer that money is on its way back to them, also one whose payment never became an order."""
    checkout = session.get_one(Checkout, checkout_id)
    amount = {"amount_minor": amount_minor, "currency": checkout.currency}
    order = session.scalar(sa.select(Order).where(Order.checkout_id == checkout_id))
    if order is not None:
        timeline.record(session, order.party_id, "refunded", order_ref=order.number, actor=actor, values=amount, now=now)
    payload = checkout_frame(session, checkout, order.number if order else "", secret_key) | {"amount": amount, "reason": reason}
    aggregate = f"order:{order.number}" if order else f"checkout:{checkout_id}"
    events.publish(session, events.MailWanted("order_refunded", aggregate, payload, now))


def mail_frame(session: Session, order: Order, secret_key: str) -> dict[str, Any]:
    """Return what every mail about an order carries."""
    return checkout_frame(session, session.get_one(Checkout, order.checkout_id), order.number, secret_key)


def checkout_frame(session: Session, checkout: Checkout, number: str, secret_key: str) -> dict[str, Any]:
    """Return what every mail about a checkout carries, also before it is an order. number: the order's, empty without one."""
    token = links.order_token(secret_key, checkout.link_nonce)
    return {
        "to": checkout.email,
        "name": checkout.name,
        "language": checkout.language,
        "shop": get_company(session).name,
        "number": number,
        "link": f"{checkout.base_url}/o/{token}",
    }


def _confirmation(
    session: Session, order: Order, checkout: Checkout, lines: list[OrderLine], charge: str, secret_key: str, now: datetime
) -> events.MailWanted:
    def money(amount: int) -> dict[str, Any]:
        return {"amount_minor": amount, "currency": checkout.currency}

    payload = mail_frame(session, order, secret_key) | {
        "lines": [
            {
                "name": line.name,
                "options": line.options,
                "quantity": line.quantity,
                "total": money(line.unit_price_minor * line.quantity),
                "deliver_on": line.expected_on.isoformat(),
            }
            for line in lines
        ],
        "total": money(order.total_minor),
        "service": services.name_of(session, checkout.service),
        "address": addresses.write(addresses.of({part: getattr(checkout, part) for part in addresses.PARTS})),
        "country": checkout.country,
        "deliver_on": max(line.expected_on for line in lines).isoformat(),
        "charge": charge,
    }
    return events.MailWanted("order_confirmed", f"order:{order.number}", payload, now)
