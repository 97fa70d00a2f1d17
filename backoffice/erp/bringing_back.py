"""What would bring a late line's day back: each thing that could be done is tried on the real plan, and taken back at once.

So the answer is the plan's own, not an estimate: the same planning that would run if it were done. Nothing is left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import models as t
from backoffice.erp import plan, production, purchasing, replan, splitting
from backoffice.erp.company import get_company
from backoffice.public.errors import ShopError
from backoffice.wording import day_in

MOST_DAYS = 40  # no supplier is asked for more than that


@dataclass(frozen=True, slots=True)
class Way:
    """One thing that could be done. kind: receipt | stop | delay | plan_again; id, ref, name: of what it is done to.

    wanted_on: of a receipt, the latest day that keeps the promise, or the earliest that can be asked if none does.
    arrives_on: when the line then arrives; keeps: that is the promised day.
    """

    kind: str
    id: int
    ref: str
    name: str
    wanted_on: date | None
    arrives_on: date
    keeps: bool


def find(session: Session, reservation_id: int, promised_on: date, *, now: datetime) -> Sequence[Way]:
    """Return what would bring a line earlier, what keeps its promise first. Locks the plan; the caller rolls back or commits."""
    plan.bump(session)
    stands_on = splitting.last_day(session, reservation_id)
    if stands_on is None:
        return []
    own = sorted(splitting.family(session, reservation_id))
    ways = [*_receipts(session, own, promised_on, now), *_stops(session, own, promised_on, now)]
    ways += _delays(session, own, promised_on, now)
    if (again := _again(session, own, promised_on, now)) is not None:
        ways.append(again)
    return sorted((way for way in ways if way.arrives_on < stands_on), key=lambda way: (not way.keeps, way.arrives_on))


def _tried(session: Session, reservation_id: int, change: Callable[[], object]) -> date | None:
    """Make a change, look at the line's day, take the change back. None: it is refused."""
    with session.begin_nested() as trial:
        try:
            change()
            found = splitting.last_day(session, reservation_id)
        except ShopError:
            found = None
        trial.rollback()
    session.expire_all()
    return found


def _receipts(session: Session, own: list[int], promised_on: date, now: datetime) -> list[Way]:
    rows = session.execute(
        sa.select(t.PurchaseOrderLine.id, t.PurchaseOrderLine.due_at, t.PurchaseOrder.number, t.Item.name)
        .join(t.PurchaseOrder, t.PurchaseOrder.id == t.PurchaseOrderLine.purchase_order_id)
        .join(t.Item, t.Item.id == t.PurchaseOrderLine.item_id)
        .join(t.Peg, t.Peg.purchase_order_line_id == t.PurchaseOrderLine.id)
        .where(t.Peg.reservation_id.in_(own), t.Peg.used.is_(False), t.PurchaseOrder.state == "ordered")
        .distinct()
        .order_by(t.PurchaseOrderLine.id)
    ).all()
    zone = get_company(session).timezone
    found: list[Way] = []
    for line_id, due_at, number, name in rows:
        # days by which the receipt could come earlier and still in the future, at its own time of day
        most = min((due_at - now).days, MOST_DAYS)

        def arrives(days: int, line_id: int = line_id, due_at: datetime = due_at) -> date | None:
            return _tried(session, own[0], lambda: _move(session, line_id, due_at - timedelta(days=days), now))

        best = arrives(most) if most > 0 else None
        if best is None:
            continue
        days = _fewest(lambda one: (on := arrives(one)) is not None and on <= promised_on, most) if best <= promised_on else most
        on = arrives(days) or best
        found.append(Way("receipt", line_id, number, name, day_in(zone, due_at - timedelta(days=days)), on, on <= promised_on))
    return found


def _fewest(keeps: Callable[[int], bool], most: int) -> int:
    """Return the fewest days earlier that keep the promise; `most` does."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if keeps(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _move(session: Session, line_id: int, due_at: datetime, now: datetime) -> None:
    version = session.get_one(t.PurchaseOrderLine, line_id, populate_existing=True).version
    purchasing.move_due(session, line_id, due_at, version=version, actor="", now=now)


def _stops(session: Session, own: list[int], promised_on: date, now: datetime) -> list[Way]:
    used = (
        sa.select(t.OperationSlot.work_centre_id)
        .join(t.ProductionOrder, t.ProductionOrder.id == t.OperationSlot.production_order_id)
        .where(t.ProductionOrder.reservation_id.in_(own), t.ProductionOrder.state == "planned")
    )
    rows = session.execute(
        sa.select(t.WorkCentreStop.id, t.WorkCentre.code, t.WorkCentre.name)
        .join(t.WorkCentre, t.WorkCentre.id == t.WorkCentreStop.work_centre_id)
        .where(t.WorkCentreStop.ends_at > now, t.WorkCentreStop.work_centre_id.in_(used))
        .order_by(t.WorkCentreStop.id)
    ).all()
    found = []
    for stop_id, code, name in rows:
        on = _tried(session, own[0], lambda one=stop_id: production.end_stop(session, one, actor="", now=now))  # type: ignore[misc]  # a default argument binds the loop's value
        if on is not None:
            found.append(Way("stop", stop_id, code, name, None, on, on <= promised_on))
    return found


def _delays(session: Session, own: list[int], promised_on: date, now: datetime) -> list[Way]:
    rows = session.execute(
        sa.select(t.ProductionOrder.id, t.ProductionOrder.number, t.Item.name)
        .join(t.Item, t.Item.id == t.ProductionOrder.item_id)
        .where(t.ProductionOrder.reservation_id.in_(own), t.ProductionOrder.state == "planned")
        .where(t.ProductionOrder.not_before_at.is_not(None))
        .order_by(t.ProductionOrder.id)
    ).all()
    found = []
    for order_id, number, name in rows:
        on = _tried(session, own[0], lambda one=order_id: production.begin(session, one, by="", now=now))  # type: ignore[misc]  # a default argument binds the loop's value
        if on is not None:
            found.append(Way("delay", order_id, number, name, None, on, on <= promised_on))
    return found


def _again(session: Session, own: list[int], promised_on: date, now: datetime) -> Way | None:
    order = session.scalar(
        sa.select(t.ProductionOrder)
        .where(t.ProductionOrder.reservation_id.in_(own), t.ProductionOrder.state == "planned")
        .order_by(t.ProductionOrder.id)
    )
    if order is None:
        return None
    order_id, number, item = order.id, order.number, session.get_one(t.Item, order.item_id).name
    on = _tried(session, own[0], lambda: replan.after_change(session, own, cause=causes.of("planned_again"), now=now))
    return None if on is None else Way("plan_again", order_id, number, item, None, on, on <= promised_on)
