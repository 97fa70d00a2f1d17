"""Allotments: a quantity on the shelf, or still to come, kept for customers of one class until a day.

What is left of them stands on the row of the supply itself, so that one conditional update refuses it to everybody else,
without a statement more. Their own class takes from them first, then from what is anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import decisions, offers, plan, stock
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.classes import CUSTOMER_CLASSES
from backoffice.erp.company import get_company, get_warehouse, local_today
from backoffice.public.errors import BadInput, NotFound, Refused

LONGEST_REASON = 200


def allotments_of(session: Session, item_id: int) -> Sequence[t.Allotment]:
    """Return what is kept of an item, the first to be released first."""
    kept = sa.select(t.Allotment).where(t.Allotment.item_id == item_id, t.Allotment.released_at.is_(None))
    return session.scalars(kept.order_by(t.Allotment.release_on, t.Allotment.id)).all()


def coming_of(session: Session, item_id: int) -> Sequence[tuple[t.PurchaseOrderLine, str]]:
    """Return what was ordered of an item and is still to come, with its purchase order's number, the first due first."""
    line, order = t.PurchaseOrderLine, t.PurchaseOrder
    rows = session.execute(
        sa.select(line, order.number)
        .join(order, order.id == line.purchase_order_id)
        .where(line.item_id == item_id, order.state == "ordered", line.received < line.quantity)
        .order_by(line.due_at, line.id)
    )
    return [(one, number) for one, number in rows]


def set_aside(
    session: Session,
    item_id: int,
    customer_class: str,
    quantity: int,
    release_on: date,
    *,
    line_id: int | None = None,
    reason: str = "",
    by: str,
    role: str = "",
    now: datetime,
) -> t.Allotment:
    """Keep `quantity` of what is free for a class until the day `release_on`.

    line_id: of what comes with a purchase order line; none: of what lies on the works' shelf, beyond the safety stock.
    Raises NotFound(unknown_product | unknown_receipt), BadInput(invalid_form, customer_class | quantity | release_on | reason),
    Refused(not_enough_stock | kept_in_lots); nothing has changed then. What expires is not kept for a class. Locks the plan.
    """
    plan.bump(session)  # before any supply's row is touched, as planners do
    item = session.get(t.Item, item_id)
    if item is None:
        raise NotFound("unknown_product")
    _require_sense(session, customer_class, quantity, release_on, reason, now)
    if item.days_left is not None:
        raise Refused("kept_in_lots")
    warehouse_id = None if line_id else get_warehouse(session).id
    if warehouse_id:
        enough = stock.change(session, item_id, warehouse_id, free=quantity + item.safety_stock, allotted=quantity)
    else:
        enough = _keep_of_line(session, item_id, line_id or 0, quantity)
    if not enough:
        raise Refused("not_enough_stock", item_id=item_id)
    kept = t.Allotment(
        item_id=item_id,
        warehouse_id=warehouse_id,
        purchase_order_line_id=line_id,
        customer_class=customer_class,
        quantity=quantity,
        release_on=release_on,
        reason=reason,
        actor=by,
        created_at=now,
    )
    session.add(kept)
    session.flush()
    details = {"class": customer_class, "quantity": quantity, "release_on": release_on.isoformat()}
    _changed(session, kept, "allotment.set", details, by, role, now)
    return kept


def release(session: Session, allotment_id: int, *, by: str, role: str = "", now: datetime) -> int:
    """Make the rest of an allotment everybody's before its day; return how much. Raises NotFound(unknown_record)."""
    plan.bump(session)
    kept = session.get(t.Allotment, allotment_id)
    if kept is None:
        raise NotFound("unknown_record")
    rest = _end(session, allotment_id, now)
    if rest is None:
        return 0
    _changed(session, kept, "allotment.release", {"quantity": rest}, by, role, now)
    return rest


def release_due(session: Session, item_ids: Iterable[int], *, now: datetime) -> None:
    """Make the rest of these items' allotments everybody's where their day has come. No statement where none is kept."""
    kept = masters.load(session, now=now).allotted.intersection(item_ids)
    if kept:
        for allotment_id in session.scalars(_due(session, now).where(t.Allotment.item_id.in_(sorted(kept)))).all():
            _end(session, allotment_id, now)


def sweep(session: Session, *, now: datetime) -> int:
    """Release every allotment whose day has come; return how many. Housekeeping: nobody counts them any more anyway."""
    return sum(_end(session, one, now) is not None for one in session.scalars(_due(session, now)).all())


def take(session: Session, allotment_id: int, quantity: int, *, customer_class: str, total: str) -> t.Allotment | None:
    """Take `quantity` of what is kept for a class into a stock total; None, with nothing to be kept, if it is not there."""
    kept = t.Allotment
    taken = session.scalar(
        sa.update(kept)
        .where(
            kept.id == allotment_id,
            kept.customer_class == customer_class,
            kept.released_at.is_(None),
            kept.taken + quantity <= kept.quantity,
        )
        .values(taken=kept.taken + quantity)
        .returning(kept)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if taken is None:
        return None
    if taken.purchase_order_line_id is not None:
        line = t.PurchaseOrderLine
        covered = line.quantity - line.received - line.pegged >= quantity
        return taken if change_line(session, taken.purchase_order_line_id, -quantity, covered, pegged=quantity) else None
    assert taken.warehouse_id is not None
    deltas = {total: quantity, "allotted": -quantity}
    return taken if stock.change(session, taken.item_id, taken.warehouse_id, there=quantity, **deltas) else None


def arrive(session: Session, line_id: int, warehouse_id: int, free: int, *, now: datetime) -> None:
    """Let what is kept of a line, of which `free` have come beyond its promises, be kept on the shelf."""
    of = t.Allotment
    rows = sa.select(of).where(of.purchase_order_line_id == line_id, of.released_at.is_(None), of.taken < of.quantity)
    for kept in session.scalars(rows.order_by(of.id).with_for_update().execution_options(populate_existing=True)).all():
        part = min(free, kept.quantity - kept.taken)
        if part <= 0:
            break
        same = {name: getattr(kept, name) for name in ("item_id", "customer_class", "release_on", "reason", "actor")}
        session.add(t.Allotment(warehouse_id=warehouse_id, quantity=part, created_at=now, **same))
        kept.quantity -= part
        if kept.quantity == 0:  # nobody has taken any of it: nothing speaks of it any more
            session.delete(kept)
        session.flush()
        change_line(session, line_id, -part)
        stock.change(session, kept.item_id, warehouse_id, allotted=part)
        free -= part


def change_line(session: Session, line_id: int, delta: int, *conditions: sa.ColumnElement[bool], pegged: int = 0) -> bool:
    """Add to what is left of a purchase order line's allotments (and to what is pegged of it) where conditions hold."""
    line = t.PurchaseOrderLine
    changed = session.scalar(
        sa.update(line)
        .where(line.id == line_id, *conditions)
        .values(allotted=line.allotted + delta, pegged=line.pegged + pegged)  # no part of the plan's log: the pegs say it
        .returning(line)
        .execution_options(synchronize_session=False, populate_existing=True, **decisions.NOTED)
    )
    return changed is not None


def _keep_of_line(session: Session, item_id: int, line_id: int, quantity: int) -> bool:
    line = session.get(t.PurchaseOrderLine, line_id)
    if line is None or line.item_id != item_id:
        raise NotFound("unknown_receipt")
    of = t.PurchaseOrderLine
    ordered = sa.exists().where(t.PurchaseOrder.id == of.purchase_order_id, t.PurchaseOrder.state == "ordered")
    return change_line(session, line_id, quantity, of.quantity - of.received - of.pegged - of.allotted >= quantity, ordered)


def give_back(session: Session, allotment_id: int, quantity: int) -> bool:
    """Note that a promise no longer needs what it took; False: it is everybody's by now. The supply's row is the caller's."""
    kept = t.Allotment
    back = session.scalar(
        sa.update(kept)
        .where(kept.id == allotment_id, kept.released_at.is_(None))
        .values(taken=kept.taken - quantity)
        .returning(kept.id)
        .execution_options(synchronize_session=False)
    )
    return back is not None


def _due(session: Session, now: datetime) -> sa.Select[int]:
    today = local_today(get_company(session), now)
    kept = t.Allotment
    return sa.select(kept.id).where(kept.released_at.is_(None), kept.release_on <= today).order_by(kept.item_id, kept.id)


def _end(session: Session, allotment_id: int, now: datetime) -> int | None:
    """Release one; return how much became everybody's, None if somebody else was faster."""
    kept = t.Allotment
    ended = session.execute(
        sa.update(kept)
        .where(kept.id == allotment_id, kept.released_at.is_(None))
        .values(released_at=now)
        .returning(kept.item_id, kept.warehouse_id, kept.purchase_order_line_id, kept.quantity - kept.taken)
        .execution_options(synchronize_session=False)
    ).first()
    if ended is None:
        return None
    item_id, warehouse_id, line_id, rest = ended
    if rest and line_id:
        change_line(session, line_id, -rest)
    elif rest and warehouse_id:
        stock.change(session, item_id, warehouse_id, allotted=-rest)
    return int(rest)


def _require_sense(session: Session, customer_class: str, quantity: int, release_on: date, reason: str, now: datetime) -> None:
    wrong = {}
    if customer_class not in CUSTOMER_CLASSES:
        wrong["customer_class"] = "bad_choice"
    if quantity < 1:
        wrong["quantity"] = "bad_quantity"
    if release_on <= local_today(get_company(session), now):
        wrong["release_on"] = "past_date"
    if len(reason) > LONGEST_REASON:
        wrong["reason"] = "shorten"
    if wrong:
        raise BadInput("invalid_form", wrong)


def _changed(
    session: Session, kept: t.Allotment, action: str, details: dict[str, object], by: str, role: str, now: datetime
) -> None:
    plan.bump(session, master=True)
    audit.record(session, action, f"item:{kept.item_id}", actor=by, role=role, details=details, now=now)
    offers.touch(session, [kept.item_id], now=now)
