"""A supplier delivers fewer than were ordered: the newest promises find another supply."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import audit, causes
from backoffice.erp import chains, decisions, offers, pegging, plan, purchasing, replan
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.orders import CauseLink

log = structlog.get_logger()


def shorten(session: Session, line_id: int, quantity: int, *, version: int, by: str, role: str = "", now: datetime) -> int:
    """Note that of a purchase order line only `quantity` come in all; return how many orders' lines moved. Locks the plan.

    quantity: smallest units, what was received counts. Raises NotFound(unknown_receipt), Refused(stale | not_ordered_yet),
    BadInput(invalid_form, quantity) unless it is fewer than ordered, more than none, and no less than what is here.
    """
    plan.bump(session)
    decisions.because(session, "receipt_short", now=now)
    line = session.get(t.PurchaseOrderLine, line_id, populate_existing=True)
    if line is None:
        raise NotFound("unknown_receipt")
    if line.version != version:
        raise Refused("stale", version=line.version)
    order = session.get_one(t.PurchaseOrder, line.purchase_order_id)
    if order.state != "ordered":
        raise Refused("not_ordered_yet")
    if not max(line.received, 1) <= quantity < line.quantity:
        raise BadInput("invalid_form", {"quantity": "bad_quantity"})
    before, item = line.quantity, session.get_one(t.Item, line.item_id)
    link = CauseLink("receipt", item.name, order.number)
    losing = _newest_on(session, line, quantity)
    ways = chains.routes(session, chains.Origin(link, receipt_id=line.id), [peg.reservation_id for peg, _ in losing])
    pegging.take_off(session, losing)
    session.refresh(line)
    line.quantity, line.version = quantity, line.version + 1
    session.flush()
    origin = chains.Origin(link, known=ways)
    cause = causes.of("receipt_short", item=item.name)
    moved = replan.after_change(session, [peg.reservation_id for peg, _ in losing], cause=cause, origin=origin, now=now)
    if line.received >= quantity:
        rest = sa.select(t.PurchaseOrderLine.id).where(
            t.PurchaseOrderLine.purchase_order_id == order.id, t.PurchaseOrderLine.received < t.PurchaseOrderLine.quantity
        )
        order.state = "ordered" if session.scalar(rest.limit(1)) else "received"
    session.flush()
    offers.touch(session, [line.item_id], now=now)
    details = {"before": before, "after": quantity, "lines_moved": moved}
    audit.record(session, "receipt.shorten", f"receipt:{line.id}", actor=by, role=role, details=details, now=now)
    return moved


def _newest_on(session: Session, line: t.PurchaseOrderLine, quantity: int) -> list[tuple[t.Peg, str]]:
    """Return the pegs, with their reservations' states, that the newest promises lose so that the others have enough."""
    waiting = purchasing.waiting_for(session, sa.and_(t.Peg.purchase_order_line_id == line.id, t.Peg.kind == "receipt"))
    session.refresh(line)
    missing = line.pegged + line.received - quantity
    losing: list[tuple[t.Peg, str]] = []
    for peg, state in sorted(waiting, key=lambda one: (-one[0].reservation_id, -one[0].id)):
        if missing <= 0:
            break
        losing.append((peg, state))
        missing -= peg.quantity
    return losing
