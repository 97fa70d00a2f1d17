"""Set what an item may be sold from: stock only, incoming supply too, or production too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import offers, plan
from backoffice.public.errors import NotFound, Refused

POLICIES = ("stock", "incoming", "production")


def set_policy(session: Session, items: Sequence[t.Item], policy: str, *, now: datetime) -> None:
    """Set the policy of these items; what has it already is left alone.

    Raises Refused(wrong_state, skus) if one of them can neither be made nor bought, so that stock is all it can be sold
    from, or is a kit, which is sold from whatever its parts come from. Raises ValueError for a policy that does not exist.
    """
    if policy not in POLICIES:
        raise ValueError(f"{policy} is none of {', '.join(POLICIES)}")
    only = {"none": ("stock", "incoming"), "kit": ("production",)}  # a kit is as ready as its parts can be
    stuck = [item.sku for item in items if policy not in only.get(item.source, POLICIES)]
    if stuck:
        raise Refused("wrong_state", skus=stuck)
    other = [item for item in items if item.sell_from != policy]
    for item in other:
        item.sell_from = policy
    if other:
        session.flush()
        plan.bump(session, master=True)
        offers.refresh(session, [item.id for item in other], now=now)


def get_items(session: Session, name: str) -> Sequence[t.Item]:
    """Return the item of this number, or all items of the product of this name (or name in the address).

    Raises NotFound(unknown_product).
    """
    product = sa.or_(t.Product.slug == name, sa.func.lower(t.Product.name) == name.lower())
    for condition in (t.Item.sku == name, t.Item.product_id.in_(sa.select(t.Product.id).where(product))):
        items = session.scalars(sa.select(t.Item).where(condition).order_by(t.Item.position, t.Item.id)).all()
        if items:
            return items
    raise NotFound("unknown_product", sku=name)
