"""Allotments: a quantity on the shelf kept for customers of one class, until a day.

What is left of them stands on the stock row itself, so that one conditional update refuses it to everybody else, without a
statement more. Their own class takes from them first, then from what is anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import offers, plan, stock
from backoffice.erp.classes import CUSTOMER_CLASSES
from backoffice.erp.company import get_company, get_warehouse, local_today
from backoffice.public.errors import BadInput, NotFound, Refused

LONGEST_REASON = 200


def allotments_of(session: Session, item_id: int) -> Sequence[t.Allotment]:
    """Return what is kept of an item, the first to be released first."""
    kept = sa.select(t.Allotment).where(t.Allotment.item_id == item_id, t.Allotment.released_at.is_(None))
    return session.scalars(kept.order_by(t.Allotment.release_on, t.Allotment.id)).all()


def set_aside(
    session: Session,
    item_id: int,
    customer_class: str,
    quantity: int,
    release_on: date,
    *,
    reason: str = "",
    by: str,
    role: str = "",
    now: datetime,
) -> t.Allotment:
    """Keep `quantity` of what is free on the works' shelf, beyond the safety stock, for a class until the day `release_on`.

    Raises NotFound(unknown_product), BadInput(invalid_form, customer_class | quantity | release_on | reason),
    Refused(not_enough_stock); nothing has changed then.
    """
    item = session.get(t.Item, item_id)
    if item is None:
        raise NotFound("unknown_product")
    _require_sense(session, customer_class, quantity, release_on, reason, now)
    warehouse_id = get_warehouse(session).id
    free = t.Stock.on_hand - t.Stock.allocated - t.Stock.reserved - t.Stock.allotted - item.safety_stock
    if not stock.change(session, item_id, warehouse_id, free >= quantity, allotted=quantity):
        raise Refused("not_enough_stock", item_id=item_id)
    kept = t.Allotment(
        item_id=item_id,
        warehouse_id=warehouse_id,
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
    there = t.Stock.on_hand - t.Stock.allocated - t.Stock.reserved >= quantity
    deltas = {total: quantity, "allotted": -quantity}
    return taken if stock.change(session, taken.item_id, taken.warehouse_id, there, **deltas) else None


def give_back(session: Session, allotment_id: int, quantity: int) -> bool:
    """Note that a promise no longer needs what it took; False: it is everybody's by now. The stock row is the caller's."""
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
        .returning(kept.item_id, kept.warehouse_id, kept.quantity - kept.taken)
        .execution_options(synchronize_session=False)
    ).first()
    if ended is None:
        return None
    item_id, warehouse_id, rest = ended
    if rest:
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
