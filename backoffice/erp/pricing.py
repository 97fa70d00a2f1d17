"""What a piece costs: an item's own price, or less from so many pieces on; and the kind of goods that its tax goes by.

The tiers are master data: read once for each state of it (`company.premises`), so that no purchase asks for them. A price holds
at the moment of checkout; whoever was shown another is told and decides anew. A code takes its part off what is left then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import models as t
from backoffice.erp import plan, taxes
from backoffice.erp.company import premises
from backoffice.public.errors import BadInput, NotFound

MOST_TIERS = 10
MOST = 10**9


def unit_minor(session: Session, item: t.Item, quantity: int) -> int:
    """Return what a piece costs of somebody who takes so many."""
    tiers = premises(session).tiers.get(item.id)
    if not tiers:
        return item.price_minor
    return next((price for least, price in reversed(tiers) if quantity >= least), item.price_minor)


def less(unit_minor: int, percent: int) -> int:
    """Return what a piece costs with so much taken off, rounded half up to the smallest coin. Pure."""
    return (unit_minor * (100 - percent) + 50) // 100


def tiers_of(session: Session, item_id: int) -> Sequence[tuple[int, int]]:
    """Return an item's tiers (from so many pieces on, price of each), the fewest pieces first."""
    return premises(session).tiers.get(item_id, ())


def tax_kind_of(session: Session, item: t.Item) -> str:
    """Return what kind of goods an item is, for its tax."""
    product = session.get(t.Product, item.product_id) if item.product_id else None
    return product.tax_kind if product else taxes.STANDARD


def set_tiers(session: Session, item_id: int, tiers: Mapping[int, int], *, by: str, role: str = "", now: datetime) -> None:
    """Let an item cost less from so many pieces on; none: it costs the same however many are bought.

    Raises NotFound(unknown_product), BadInput(invalid_form, tiers → bad_tiers): each must be below the one before, and below
    the item's own price.
    """
    item = _locked(session, item_id)
    wanted = sorted(tiers.items())
    prices = [item.price_minor, *(price for _, price in wanted)]
    falling = all(less < more for more, less in pairwise(prices))
    if len(wanted) > MOST_TIERS or not falling or any(not 1 < least <= MOST or price < 0 for least, price in wanted):
        raise BadInput("invalid_form", {"tiers": "bad_tiers"})
    rows = sa.select(t.PriceTier).where(t.PriceTier.item_id == item_id).order_by(t.PriceTier.from_quantity)
    before = {row.from_quantity: row.price_minor for row in session.scalars(rows)}
    if list(before.items()) == wanted:
        return
    session.execute(sa.delete(t.PriceTier).where(t.PriceTier.item_id == item_id))
    session.add_all(t.PriceTier(item_id=item_id, from_quantity=least, price_minor=price) for least, price in wanted)
    session.flush()
    plan.bump(session, master=True)
    details = {"before": _noted(before), "after": _noted(dict(wanted))}
    audit.record(session, "item.tiers", f"item:{item_id}", actor=by, role=role, details=details, now=now)


def set_tax_kind(session: Session, item_id: int, kind: str, *, by: str, role: str = "", now: datetime) -> None:
    """Say what kind of goods an item's product is, for its tax; it holds for what is ordered from now on.

    Raises NotFound(unknown_product), BadInput(invalid_form, tax_kind → bad_choice).
    """
    item = _locked(session, item_id)
    if kind not in taxes.KINDS:
        raise BadInput("invalid_form", {"tax_kind": "bad_choice"})
    product = session.get(t.Product, item.product_id, populate_existing=True, with_for_update=True) if item.product_id else None
    if product is None:
        raise NotFound("unknown_product")
    if product.tax_kind == kind:
        return
    details = {"before": product.tax_kind, "after": kind}
    product.tax_kind = kind
    session.flush()
    plan.bump(session, master=True)
    audit.record(session, "product.tax_kind", f"product:{product.id}", actor=by, role=role, details=details, now=now)


def _locked(session: Session, item_id: int) -> t.Item:
    item = session.get(t.Item, item_id, populate_existing=True, with_for_update=True)
    if item is None:
        raise NotFound("unknown_product")
    return item


def _noted(tiers: Mapping[int, int]) -> dict[str, Any]:
    return {str(least): price for least, price in tiers.items()}
