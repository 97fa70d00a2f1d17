"""Buying: say that an order was sent, move a receipt's date, take goods in. Each tells the plan and whoever waits."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import (
    allotting,
    chains,
    claiming,
    decisions,
    fulfilment,
    gaining,
    learning,
    lots,
    offers,
    pegging,
    plan,
    replan,
    stock,
)
from backoffice.erp import models as t
from backoffice.erp.company import get_company, get_warehouse, local_today
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.orders import CauseLink
from backoffice.wording import day_in

log = structlog.get_logger()


def confirm(
    session: Session,
    purchase_order_id: int,
    *,
    actor: str,  # noqa: ARG001 - as of every verb of a desk; who it was is in the record of changes, not in the log
    now: datetime,
) -> None:
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
    log.info("purchase_order_confirmed", purchase_order_id=order.id)
    offers.touch(session, [line.item_id for line in _lines(session, order.id)], now=now)


@dataclass(frozen=True, slots=True)
class Arrived:
    """What stands on goods that are kept in lots. best_before_on: the last day on which they are good."""

    number: str
    best_before_on: date


def receive(
    session: Session, line_id: int, quantity: int, *, lot: Arrived | None = None, ref: str, actor: str, now: datetime
) -> None:
    """Take `quantity` of a purchase order line in: first for the promises that wait for it, the rest as free stock.

    lot: of an item kept in lots. Who waits for fresher goods waits on; what the line no longer brings them is planned anew.
    Raises NotFound(unknown_receipt), BadInput(bad_quantity), BadInput(invalid_form, lot | best_before_on),
    Refused(too_many, open), Refused(already_moved), Refused(other_best_before).
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
    item, row, losing = session.get_one(t.Item, line.item_id), None, list[int]()
    if item.days_left is not None:
        row = _get_lot(session, item, warehouse_id, lot, now)
        waiting, losing = _fresh_for(session, waiting, row, item.days_left, quantity, open_quantity)
    taken = arrive(
        session,
        line.item_id,
        warehouse_id,
        quantity,
        waiting,
        cause="receipt",
        ref=ref,
        actor=actor,
        lot_id=row.id if row else None,
        now=now,
    )
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
    if losing:
        cause = causes.of("lot_too_old", item=item.name)
        replan.after_change(session, losing, cause=cause, origin=_origin(session, line, item, None), now=now)
    offers.touch(session, [line.item_id], now=now)


def _get_lot(session: Session, item: t.Item, warehouse_id: int, lot: Arrived | None, now: datetime) -> t.StockLot:
    """Return the lot that came. Raises BadInput(invalid_form): nobody wrote what it is, or it is good for nothing any more."""
    if lot is None:
        raise BadInput("invalid_form", {"lot": "required", "best_before_on": "required"})
    if lot.best_before_on < local_today(get_company(session), now):
        raise BadInput("invalid_form", {"best_before_on": "past_date"})
    return lots.get_lot(session, item.id, warehouse_id, lot.number, lot.best_before_on)


def _fresh_for(
    session: Session, waiting: list[tuple[t.Peg, str]], lot: t.StockLot, days_left: int, came: int, open_before: int
) -> tuple[list[tuple[t.Peg, str]], list[int]]:
    """Return the pegs that a lot is fresh enough for, and the reservations of those that the line can serve no more.

    came, open_before: how many came, of how many that were still to come. The newest lose their peg first.
    """
    used_on = claiming.use_days(session, [peg.id for peg, _ in waiting])
    served = [one for one in waiting if one[0].id not in used_on or lots.is_good(lot, days_left, used_on[one[0].id])]
    others = [pair for pair in waiting if pair not in served]
    used = min(came, sum(peg.quantity for peg, _ in served))
    over = sum(peg.quantity for peg, _ in waiting) - used - (open_before - came)
    losing = []
    for peg, state in reversed(others):
        if over <= 0:
            break
        pegging.give_back(session, peg, state=state)
        session.delete(peg)
        losing.append(peg.reservation_id)
        over -= peg.quantity
    session.flush()
    return served, losing


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
    lot_id: int | None = None,
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
        pegging.to_stock(session, peg, warehouse_id, part, lot_id=lot_id, now=now)
        left -= part
    stock.move(session, item_id, warehouse_id, quantity, cause=cause, ref=ref, actor=actor, lot_id=lot_id, now=now, **totals)
    return taken


def move_due(
    session: Session,
    line_id: int,
    due_at: datetime,
    *,
    version: int,
    actor: str,  # noqa: ARG001 - as of every verb of a desk; who it was is in the record of changes, not in the log
    now: datetime,
) -> int:
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
    log.info("receipt_moved", line_id=line.id, orders_moved=moved)
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
