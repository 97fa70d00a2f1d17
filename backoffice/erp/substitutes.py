"""Which item may stand in for which: master data. What costs more or comes later is never offered, whatever stands here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.public.errors import BadInput, NotFound

MOST = 20  # in one list; pages and letters offer the first that suit
LOOKS = ("Wood", "Color", "Colour", "Cover")  # what variants may differ in and still do the same job


def of_one_page(session: Session) -> Sequence[tuple[t.Item, t.Item, int]]:
    """Return (item, substitute, priority) for variants of a page that differ in nothing but how they look, both ways.

    The nearest in price comes first.
    """
    same: dict[tuple[object, ...], list[t.Item]] = defaultdict(list)
    rows = sa.select(t.Item).where(t.Item.product_id.is_not(None), t.Item.on_sale).order_by(t.Item.id)
    for item in session.scalars(rows):
        same[item.product_id, item.currency, *_does(item.options)].append(item)
    return [
        (item, other, priority)
        for twins in same.values()
        for item in twins
        for priority, other in enumerate(_nearest(item, twins), start=1)
    ]


def _does(options: Mapping[str, object]) -> list[tuple[str, str]]:
    return sorted((name, str(value)) for name, value in options.items() if name not in LOOKS)


def _nearest(item: t.Item, twins: Sequence[t.Item]) -> list[t.Item]:
    others = [other for other in twins if other.id != item.id]
    return sorted(others, key=lambda other: (abs(other.price_minor - item.price_minor), other.id))


def of_item(session: Session, item_id: int) -> Sequence[t.Item]:
    """Return what may stand in for an item, in the order in which it is offered, sold now or not."""
    of = t.ItemSubstitute
    return session.scalars(
        sa.select(t.Item).join(of, of.substitute_id == t.Item.id).where(of.item_id == item_id).order_by(of.priority, of.id)
    ).all()


def add(session: Session, item_id: int, sku: str, *, by: str, role: str = "", now: datetime) -> None:
    """Let an item stand in for another, behind those that may already. Locks the plan.

    Raises NotFound(unknown_product), BadInput(invalid_form, substitute): unknown, not sold in the shop, the item itself, in
    the list already, in another currency, or too many.
    """

    def write(item: t.Item, order: list[int]) -> list[int]:
        other = session.scalar(sa.select(t.Item).where(t.Item.sku == sku))
        wrong = _wrong(item, other, order)
        if other is None or wrong:
            raise BadInput("invalid_form", {"substitute": wrong})
        return [*order, other.id]

    _reorder(session, item_id, write, by=by, role=role, now=now)


def remove(session: Session, item_id: int, substitute_id: int, *, by: str, role: str = "", now: datetime) -> None:
    """Let an item no longer stand in for another. Raises NotFound(unknown_product | unknown_record). Locks the plan."""

    def write(_: t.Item, order: list[int]) -> list[int]:
        return [one for one in order if one != _known(substitute_id, order)]

    _reorder(session, item_id, write, by=by, role=role, now=now)


def prefer(session: Session, item_id: int, substitute_id: int, *, by: str, role: str = "", now: datetime) -> None:
    """Offer what may stand in one place earlier; the first stays first. Raises and locks as `remove`."""

    def write(_: t.Item, order: list[int]) -> list[int]:
        place = order.index(_known(substitute_id, order))
        earlier = max(place - 1, 0)
        order.insert(earlier, order.pop(place))
        return order

    _reorder(session, item_id, write, by=by, role=role, now=now)


def _reorder(
    session: Session,
    item_id: int,
    write: Callable[[t.Item, list[int]], list[int]],
    *,
    by: str,
    role: str,
    now: datetime,
) -> None:
    plan.bump(session, master=True)  # pages that show what may stand in are kept by this version
    item = session.get(t.Item, item_id)
    if item is None:
        raise NotFound("unknown_product")
    before = [one.id for one in of_item(session, item_id)]
    after = write(item, list(before))
    if after == before:
        return
    of = t.ItemSubstitute
    rows = {row.substitute_id: row for row in session.scalars(sa.select(of).where(of.item_id == item_id))}
    for gone in set(before) - set(after):
        session.delete(rows[gone])
    for priority, other in enumerate(after, start=1):
        if other in rows:
            rows[other].priority = priority
        else:
            session.add(of(item_id=item_id, substitute_id=other, priority=priority))
    session.flush()
    details = {"before": before, "after": after}
    audit.record(session, "item.substitutes", f"item:{item_id}", actor=by, role=role, details=details, now=now)


def _known(substitute_id: int, order: Sequence[int]) -> int:
    if substitute_id not in order:
        raise NotFound("unknown_record")
    return substitute_id


def _wrong(item: t.Item, other: t.Item | None, order: Sequence[int]) -> str:
    """Return what is wrong with a substitute; empty if nothing is."""
    if other is None:
        return "unknown_part"
    if other.product_id is None:
        return "not_sold"
    if other.id == item.id:
        return "itself"
    if other.id in order:
        return "in_it_already"
    if other.currency != item.currency:
        return "other_currency"
    return "" if len(order) < MOST else "too_many"
