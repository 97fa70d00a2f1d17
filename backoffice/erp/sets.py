"""What is nothing but its parts, as the planner says: a kit, which is sold as a set, and a phantom, which is blown through.

What was promised keeps what it stands on; what is planned from now on follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import offers, plan
from backoffice.public.errors import BadInput, NotFound, Refused

LIVE = ("held", "paying", "converted")
MOST_PARTS = 50


def sell_as_set(session: Session, item_id: int, contents: Mapping[str, int], *, by: str, role: str = "", now: datetime) -> None:
    """Sell an item as a set of others: SKU → how many (smallest units) of it are in one. Locks the plan.

    Raises NotFound(unknown_product), BadInput(invalid_form, contents) where an item is unknown, the set itself, or would make
    it a part of itself, Refused(still_promised | kept_in_lots | still_on_hand).
    """
    plan.bump(session)
    item = _get_item(session, item_id)
    found = {row.sku: row.id for row in session.execute(sa.select(t.Item.sku, t.Item.id).where(t.Item.sku.in_(contents)))}
    sane = 0 < len(contents) <= MOST_PARTS and all(0 < quantity <= 10**6 for quantity in contents.values())
    if not sane or len(found) < len(contents) or item_id in found.values():
        raise BadInput("invalid_form", {"contents": "bad_contents"})
    if item.source != "kit":
        _require_free(session, item)
    before = item.source
    item.source, item.sell_from = "kit", "production"
    of = t.BomLine
    old = sa.select(of.id).where(of.parent_id == item_id)
    session.execute(sa.delete(t.BomAlternate).where(t.BomAlternate.bom_line_id.in_(old)))
    session.execute(sa.delete(of).where(of.parent_id == item_id).execution_options(synchronize_session="fetch"))
    for position, (sku, quantity) in enumerate(contents.items()):
        session.add(of(parent_id=item_id, component_id=found[sku], quantity=quantity, position=position))
    session.flush()
    plan.bump(session, master=True)
    if item_id in masters.load(session, now=now).below(found.values()):
        raise BadInput("invalid_form", {"contents": "cycle"})
    details = {"before": before, "contents": dict(contents)}
    audit.record(session, "item.set", f"item:{item_id}", actor=by, role=role, details=details, now=now)
    offers.touch(session, [item_id], now=now)


def blow_through(session: Session, item_id: int, through: bool, *, by: str, role: str = "", now: datetime) -> None:
    """Say that a sub-assembly is never made by itself (its parts go into what it is a part of), or that it is. Locks the plan.

    What lies there of it is used first. Raises NotFound(unknown_product), Refused(not_made_here | still_promised).
    """
    plan.bump(session)
    item = _get_item(session, item_id)
    if item.source not in ("make", "phantom"):
        raise Refused("not_made_here")
    after = "phantom" if through else "make"
    if item.source == after:
        return
    if through:
        _require_unpromised(session, item_id)
    item.source = after
    session.flush()
    plan.bump(session, master=True)
    audit.record(session, "item.phantom", f"item:{item_id}", actor=by, role=role, details={"after": after}, now=now)
    offers.touch(session, [item_id], now=now)


def _get_item(session: Session, item_id: int) -> t.Item:
    item = session.get(t.Item, item_id, populate_existing=True, with_for_update=True)
    if item is None:
        raise NotFound("unknown_product")
    return item


def _require_free(session: Session, item: t.Item) -> None:
    """Raise Refused where some of it lies somewhere, is promised, or is kept in lots."""
    _require_unpromised(session, item.id)
    if item.days_left is not None:
        raise Refused("kept_in_lots")
    if session.scalar(sa.select(t.Stock.id).where(t.Stock.item_id == item.id, t.Stock.on_hand > 0).limit(1)):
        raise Refused("still_on_hand")


def _require_unpromised(session: Session, item_id: int) -> None:
    """Raise Refused where somebody was promised the item itself: that would be planned anew as something else."""
    promised = sa.select(t.Reservation.id).where(t.Reservation.item_id == item_id, t.Reservation.state.in_(LIVE))
    if session.scalar(promised.limit(1)):
        raise Refused("still_promised")
