"""Goods that their buyer does not want: taken out of a parcel that nobody has begun, or expected back and received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, causes, events
from backoffice.erp import cancelling, decisions, fulfilment, gaining, offers, plan, replan, splitting, stock, substituting
from backoffice.erp import models as t
from backoffice.erp.company import get_warehouse
from backoffice.erp.models.catalogue import NO_WITHDRAWAL
from backoffice.public.errors import BadInput, NotFound, Refused

GONE = ("shipped", "delivered")


class Wanted(NamedTuple):
    """What of a reservation comes back."""

    reservation_id: int
    item_id: int
    quantity: int


class Came(NamedTuple):
    """What arrived of a return's line, and how much of it can be sold again."""

    quantity: int
    restock: int


def take_out(session: Session, reservation_id: int, *, now: datetime) -> bool:
    """Take a line's goods out of a parcel that nobody has begun to pick; False, and nothing is done, where it is too late.

    What was kept, made and proposed for them is free. A parcel that nothing is left in is cancelled. Locks the plan.
    """
    plan.bump(session)
    touched = replan.with_dependants(session, {reservation_id})
    replan.lock(session, touched)
    line = session.scalar(sa.select(t.ShipmentLine).where(t.ShipmentLine.reservation_id == reservation_id))
    if line is None or not substituting.is_possible(session, reservation_id):
        return False
    parcel = splitting.lock_parcel(session, line.shipment_id)
    freed = gaining.of_orders(session, [reservation_id])
    session.delete(line)
    session.flush()
    cancelling.take_back(session, reservation_id, now=now)
    if others := touched - {reservation_id}:
        replan.after_change(session, others, cause=causes.of("maker_cancelled"), now=now)
    left = fulfilment.lines_of(session, parcel.id)
    if not left:
        fulfilment.drop(session, parcel, now=now)
    for one in left:
        fulfilment.reschedule(session, session.get_one(t.Reservation, one.reservation_id), now=now)
    gaining.after_freeing(session, freed, now=now)
    return True


def is_all_gone(session: Session, order_ref: str) -> str:
    """Return how an order stands whose last open parcel was taken away: shipped, delivered, or "" while one is still to go."""
    parcels = fulfilment.parcels_of(session, order_ref)
    states = {parcel.state for parcel in parcels} - {"cancelled"}
    if not states or not states <= set(GONE):
        return ""
    return "delivered" if states == {"delivered"} else "shipped"


def expect(session: Session, order_ref: str, wanted: Sequence[Wanted], *, now: datetime) -> t.GoodsReturn:
    """Write down what comes back."""
    expected = t.GoodsReturn(number="", order_ref=order_ref, state="expected", announced_at=now)
    count = session.scalar(sa.select(sa.func.count()).where(t.GoodsReturn.order_ref == order_ref)) or 0
    expected.number = f"{order_ref}-R{count + 1}"
    session.add(expected)
    session.flush()
    session.add_all(t.GoodsReturnLine(return_id=expected.id, **one._asdict()) for one in wanted)
    session.flush()
    return expected


def forget(session: Session, order_ref: str) -> None:
    """Expect nothing of an order back that was never sent."""
    unsent = sa.select(t.GoodsReturn).where(t.GoodsReturn.order_ref == order_ref, t.GoodsReturn.state == "expected")
    for expected in session.scalars(unsent).all():
        session.execute(sa.delete(t.GoodsReturnLine).where(t.GoodsReturnLine.return_id == expected.id))
        session.delete(expected)
    session.flush()


def lines_of(session: Session, return_id: int) -> Sequence[t.GoodsReturnLine]:
    """Return a return's lines."""
    wanted = sa.select(t.GoodsReturnLine).where(t.GoodsReturnLine.return_id == return_id)
    return session.scalars(wanted.order_by(t.GoodsReturnLine.id)).all()


def receive(session: Session, return_id: int, came: Mapping[int, Came], *, version: int, actor: str, now: datetime) -> None:
    """Take in what came of a return (line → how much); what can be sold again lies on the shelf then. Locks the plan.

    Raises NotFound(unknown_record), Refused(stale), Refused(wrong_state), BadInput(bad_quantity) for nothing at all, more than
    is still to come, or more for the shelf than came.
    """
    plan.bump(session)
    found = session.get(t.GoodsReturn, return_id, populate_existing=True, with_for_update=True)
    if found is None:
        raise NotFound("unknown_record")
    if found.state != "expected":
        raise Refused("wrong_state")
    if found.version != version:
        raise Refused("stale")
    lines = {line.id: line for line in lines_of(session, return_id)}
    if not came.keys() <= lines.keys() or not any(one.quantity for one in came.values()):
        raise BadInput("bad_quantity")
    for line_id, one in came.items():
        line = lines[line_id]
        if not 0 <= one.restock <= one.quantity <= line.quantity - line.received:
            raise BadInput("bad_quantity")
        line.received, line.restocked = line.received + one.quantity, line.restocked + one.restock
    found.version += 1
    if all(line.received == line.quantity for line in lines.values()):
        found.state, found.received_at = "received", now
    session.flush()
    decisions.because(session, "received", now=now)
    for line_id in sorted(came, key=lambda one: lines[one].item_id):
        if came[line_id].restock:
            _restock(session, lines[line_id], came[line_id].restock, f"return:{line_id}:{version}", actor, now)
    received = tuple((lines[line_id].reservation_id, one.quantity) for line_id, one in came.items() if one.quantity)
    events.publish(session, events.GoodsCameBack(found.order_ref, return_id, version, received, actor, now))


def exempt(session: Session, item_id: int, why: str, *, by: str, role: str = "", now: datetime) -> None:
    """Say why the law lets nobody take an item back ("": everybody may); what is bought before keeps what its buyer was told.

    Raises NotFound(unknown_product), BadInput(invalid_form, why → bad_choice).
    """
    item = session.get(t.Item, item_id, populate_existing=True, with_for_update=True)
    if item is None:
        raise NotFound("unknown_product")
    if why not in ("", *NO_WITHDRAWAL):
        raise BadInput("invalid_form", {"why": "bad_choice"})
    if item.no_withdrawal == why:
        return
    details = {"before": item.no_withdrawal, "after": why}
    item.no_withdrawal = why
    session.flush()
    plan.bump(session, master=True)
    audit.record(session, "item.withdrawal", f"item:{item_id}", actor=by, role=role, details=details, now=now)


def can_restock(item: t.Item) -> bool:
    """Tell whether an item is a thing of its own that keeps: no set, and none that expires."""
    return item.source != "kit" and item.days_left is None


def _restock(session: Session, line: t.GoodsReturnLine, quantity: int, ref: str, actor: str, now: datetime) -> None:
    if not can_restock(session.get_one(t.Item, line.item_id)):
        raise BadInput("bad_quantity")
    warehouse_id = session.get_one(t.Reservation, line.reservation_id).warehouse_id or get_warehouse(session).id
    stock.move(session, line.item_id, warehouse_id, quantity, cause="return", ref=ref, actor=actor, now=now)
    gaining.after_freeing(session, gaining.Freed(item_ids=frozenset({line.item_id})), now=now)
    offers.touch(session, [line.item_id], now=now)
