"""Who sells us an item, how fast and in what quantities: their offers, in the order in which they are tried.

What was promised keeps its supplier and its day; what is planned from now on follows the offers as they stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import models as t
from backoffice.erp import offers, plan
from backoffice.planning.model import Supplier, lots_for
from backoffice.public.errors import BadInput, NotFound

MOST_DAYS = 1095


@dataclass(frozen=True, slots=True)
class Terms:
    """What a supplier offers: the lowest priority is tried first; quantities in smallest units; maximum None: any."""

    priority: int
    lead_days: int
    order_minimum: int = 0
    order_multiple: int = 1
    order_maximum: int | None = None
    price_minor: int = 0


def offers_of(session: Session, item_id: int) -> Sequence[tuple[t.SupplierItem, t.Supplier]]:
    """Return who sells an item, in the order in which they are tried, then those that are not used."""
    rows = session.execute(
        sa.select(t.SupplierItem, t.Supplier)
        .join(t.Supplier, t.Supplier.id == t.SupplierItem.supplier_id)
        .where(t.SupplierItem.item_id == item_id)
        .order_by(t.Supplier.active.desc(), t.SupplierItem.priority, t.SupplierItem.lead_days, t.SupplierItem.supplier_id)
    )
    return [(offer, supplier) for offer, supplier in rows]


def set_offer(session: Session, item_id: int, supplier_id: int, terms: Terms, *, by: str, role: str = "", now: datetime) -> None:
    """Note what a supplier offers of an item, in place of what was noted before.

    Raises NotFound(unknown_product | unknown_record), BadInput(invalid_form) naming the field that makes no sense.
    """
    if session.get(t.Item, item_id) is None:
        raise NotFound("unknown_product")
    if session.get(t.Supplier, supplier_id) is None:
        raise NotFound("unknown_record")
    _require_sense(terms)
    offer = _find(session, item_id, supplier_id)
    before = None if offer is None else _said(offer)
    if before == asdict(terms):
        return
    if offer is None:
        session.add(t.SupplierItem(item_id=item_id, supplier_id=supplier_id, **asdict(terms)))
    else:
        for name, value in asdict(terms).items():
            setattr(offer, name, value)
    _changed(session, item_id, supplier_id, {"before": before, "after": asdict(terms)}, by, role, now)


def drop_offer(session: Session, item_id: int, supplier_id: int, *, by: str, role: str = "", now: datetime) -> None:
    """Note that a supplier no longer sells an item. Raises NotFound(unknown_record)."""
    offer = _find(session, item_id, supplier_id)
    if offer is None:
        raise NotFound("unknown_record")
    session.delete(offer)
    _changed(session, item_id, supplier_id, {"before": _said(offer), "after": None}, by, role, now)


def _find(session: Session, item_id: int, supplier_id: int) -> t.SupplierItem | None:
    return session.scalar(
        sa.select(t.SupplierItem).where(t.SupplierItem.item_id == item_id, t.SupplierItem.supplier_id == supplier_id)
    )


def _said(offer: t.SupplierItem) -> dict[str, int | None]:
    return {one.name: getattr(offer, one.name) for one in fields(Terms)}


def _require_sense(terms: Terms) -> None:
    wrong = {}
    if not 1 <= terms.priority <= 99:
        wrong["priority"] = "bad_number"
    if not 0 <= terms.lead_days <= MOST_DAYS:
        wrong["lead_days"] = "bad_number"
    if terms.order_minimum < 0 or terms.order_multiple < 1 or terms.price_minor < 0:
        wrong["order_multiple"] = "bad_quantity"
    sold = Supplier(0, 0, None, terms.order_minimum, terms.order_multiple, terms.order_maximum)
    if not wrong and lots_for(1, sold) is None:
        wrong["order_maximum"] = "bad_number"
    if wrong:
        raise BadInput("invalid_form", wrong)


def _changed(
    session: Session, item_id: int, supplier_id: int, details: dict[str, object], by: str, role: str, now: datetime
) -> None:
    session.flush()
    plan.bump(session, master=True)  # after the rows, before anybody reads them under the new version
    details = {"supplier": supplier_id, **details}
    audit.record(session, "item.supplier", f"item:{item_id}", actor=by, role=role, details=details, now=now)
    offers.touch(session, [item_id], now=now)
