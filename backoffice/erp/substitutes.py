"""Which item may stand in for which: master data. What costs more or comes later is never offered, whatever stands here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t

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
