"""Buying: say that an order was sent, move a receipt's date, take goods in. Each tells the plan and whoever waits."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import allotting, chains, decisions, fulfilment, gaining, learning, offers, pegging, plan, replan, stock
from backoffice.erp import models as t
from backoffice.erp.company import get_company, get_warehouse
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.orders import CauseLink
from backoffice.wording import day_in

log = structlog.get_logger()


def confirm(session: Session, purchase_order_id: int, *, actor: str, now: datetime) -> None:
    """Say that a proposed order was sent to the supplier; what it brings beyond its promises may now be promised."""
    plan.bump(session)
    order = session.get(t.PurchaseOrder, purchase_order_id)
    if order is None:
        raise NotFound("unknown_purchase_order")
    sent = session.scalar(
        sa.update(t.PurchaseOrder)
        .where(t.PurchaseOrder.id == order.id, t.PurchaseOrder.state == "proposed")
        .values(state="ordered", ordered_at=now)
        .returning(t.PurchaseOrder)
        .execution_options(synchronize_session=False, populate_existing=True, **decisions.NOTED)
    )
    if sent is None:
        raise Refused("wrong_state", state=order.state)
    decisions.because(session, "ordered", now=now)
    decisions.note(session, sent)
    log.info("purchase_order_confirmed", purchase_order_id=order.id, actor=actor)
    offers.touch(session, [line.item_id for line in _lines(session, order.id)], now=now)


def receive(session: Session, line_id: int, quantity: int, *, ref: str, actor: str, now: datetime) -> None:
    """Take `quantity` of a purchase order line in: first for the promises that wait for it, the rest as free stock.

    Raises NotFound(unknown_receipt), BadInput(bad_quantity), Refused(too_many, open), Refused(already_moved).
    """
    plan.bump(session)
    line = _get_line(session, line_id)
    if quantity < 1:
        raise BadInput("bad_quantity")
    open_quantity = line.quantity - line.received
    order = session.get_one(t.PurchaseOrder, line.purchase_order_id)
    if order.state not in ("ordered", "proposed") or quantity > open_quantity:
        raise Refused("too_many", open=open_quantity)
    warehouse_id = get_warehouse(session).id
    waiting = waiting_for(session, sa.and_(t.Peg.purchase_order_line_id == line.id, t.Peg.kind == "receipt"))
    taken = arrive(session, line.item_id, warehouse_id, quantity, waiting, cause="receipt", ref=ref, actor=actor, now=now)
    received = session.scalar(  # in SQL: a hold that dies gives its part of the line back without waiting for the plan
        sa.update(t.PurchaseOrderLine)
        .where(t.PurchaseOrderLine.id == line.id)
        .values(
            received=t.PurchaseOrderLine.received + quantity,
            pegged=t.PurchaseOrderLine.pegged - sum(taken.values()),
            version=t.PurchaseOrderLine.version + 1,
        )
        .returning(t.PurchaseOrderLine)
        .execution_options(synchronize_session=False, populate_existing=True, **decisions.NOTED)
    )
    assert received is not None
    decisions.because(session, "received", now=now)
    decisions.note(session, received)
    allotting.arrive(session, line.id, warehouse_id, quantity - sum(taken.values()), now=now)
    if received.received == received.quantity:
        learning.note_receipt(session, received, order.supplier_id, now=now)
    order.state = "received" if all(other.received >= other.quantity for other in _lines(session, order.id)) else "ordered"
    session.flush()
    fulfilment.wake(session, taken)
    offers.touch(session, [line.item_id], now=now)


def arrive(
    session: Session,
    item_id: int,
    warehouse_id: int,
    quantity: int,
    waiting: list[tuple[t.Peg, str]],
    *,
    cause: str,
    ref: str,
    actor: str,
    now: datetime,
) -> dict[int, int]:
    """Put goods on the shelf and hand them to waiting pegs in order; return reservation → quantity handed to it."""
    left, totals, taken = quantity, {"allocated": 0, "reserved": 0}, defaultdict[int, int](int)
    for peg, state in waiting:
        if left == 0:
            break
        part = min(left, peg.quantity)
        totals[pegging.total_of(state)] += part
        taken[peg.reservation_id] += part
        pegging.to_stock(session, peg, warehouse_id, part, now=now)
        left -= part
    stock.move(session, item_id, warehouse_id, quantity, cause=cause, ref=ref, actor=actor, now=now, **totals)
    return taken


def move_due(session: Session, line_id: int, due_at: datetime, *, version: int, actor: str, now: datetime) -> int:
    """Move the day on which a receipt is expected and re-date the orders that wait for it; return how many moved.

    Raises NotFound(unknown_receipt), Refused(stale), BadInput(in_the_past), Refused(not_ordered_yet): what was only
    proposed has no day of its own.
    """
    if due_at <= now:
        raise BadInput("in_the_past", {"due_at": "in_the_past"})
    plan.bump(session)
    line = _get_line(session, line_id)
    if line.version != version:
        raise Refused("stale", version=line.version)
    if session.get_one(t.PurchaseOrder, line.purchase_order_id).state == "proposed":
        raise Refused("not_ordered_yet")
    decisions.because(session, "receipt_moved", now=now)
    before, later = line.due_at, due_at > line.due_at
    line.due_at, line.version = due_at, line.version + 1
    session.flush()
    item = session.get_one(t.Item, line.item_id)
    waiting = [p for p, _ in waiting_for(session, sa.and_(t.Peg.purchase_order_line_id == line.id, t.Peg.kind == "receipt"))]
    for peg in waiting:
        peg.available_at = due_at
    zone = get_company(session).timezone
    due_on = day_in(zone, due_at)
    cause = causes.of("receipt_later" if later else "receipt_earlier", item=item.name, due_on=due_on)
    origin = _origin(session, line, item, (due_on - day_in(zone, before)).days)
    moved = replan.after_change(session, [peg.reservation_id for peg in waiting], cause=cause, origin=origin, now=now)
    if not later:
        moved += gaining.after_freeing(session, gaining.Freed(frozenset([item.id])), cause=cause, now=now)
    offers.touch(session, [line.item_id], now=now)
    log.info("receipt_moved", line_id=line.id, orders_moved=moved, actor=actor)
    return moved


def _origin(session: Session, line: t.PurchaseOrderLine, item: t.Item, days: int | None) -> chains.Origin:
    number = session.get_one(t.PurchaseOrder, line.purchase_order_id).number
    return chains.Origin(CauseLink("receipt", item.name, number, days), receipt_id=line.id)


def _get_line(session: Session, line_id: int) -> t.PurchaseOrderLine:
    line = session.get(t.PurchaseOrderLine, line_id, populate_existing=True)
    if line is None:
        raise NotFound("unknown_receipt")
    return line


def _lines(session: Session, order_id: int) -> list[t.PurchaseOrderLine]:
    return list(session.scalars(sa.select(t.PurchaseOrderLine).where(t.PurchaseOrderLine.purchase_order_id == order_id)))


def waiting_for(session: Session, condition: sa.ColumnElement[bool]) -> list[tuple[t.Peg, str]]:
    """Lock whoever waits for a supply; return their pegs with the reservation's state, oldest promise first."""
    pegging.lock(session, condition, t.Peg.used.is_(False))
    rows = session.execute(
        sa.select(t.Peg, t.Reservation.state)
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(condition, t.Peg.used.is_(False))
        .order_by(t.Reservation.ready_at, t.Reservation.id, t.Peg.id)
        .execution_options(populate_existing=True)
    )
    return [(peg, state) for peg, state in rows]
