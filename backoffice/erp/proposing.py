"""Purchase proposals: what the promises of a placed order still have to buy, written down for the buyer to send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import decisions
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.planning.model import lots_for


def propose(
    session: Session,
    reservation: t.Reservation,
    pegs: Sequence[t.Peg],
    *,
    now: datetime,
    reuse: Sequence[t.PurchaseOrderLine] = (),
) -> list[t.PurchaseOrder]:
    """Write purchase orders (state proposed) for what a placed order's promise still has to buy; pegs turn into receipts.

    pegs: what the reservation stands on. reuse: lines proposed for it before it was planned anew; they carry the new need
    under their old numbers or go. Each item is ordered from the supplier that its peg names.
    """
    if not reuse and not any(peg.kind == "buy" for peg in pegs):
        return []
    decisions.because(session, "proposed", now=now)
    master = masters.load(session, now=now)
    wanted: dict[tuple[int, int], list[t.Peg]] = defaultdict(list)
    for peg in pegs:
        if peg.kind == "buy":
            wanted[peg.item_id, peg.supplier_id or master.suppliers[peg.item_id][0]].append(peg)
    old = {(line.item_id, _supplier_of(session, line)): line for line in reuse}
    orders: dict[int, t.PurchaseOrder] = {}
    for (item_id, supplier_id), needing in sorted(wanted.items()):
        line = old.pop((item_id, supplier_id), None)
        if line is None:
            if supplier_id not in orders:
                orders[supplier_id] = _new_order(session, supplier_id, reservation, now=now)
            line = t.PurchaseOrderLine(purchase_order_id=orders[supplier_id].id, item_id=item_id, version=0)
            session.add(line)
        needed = sum(peg.quantity for peg in needing)
        lots = lots_for(needed, master.offer(item_id, supplier_id))
        line.quantity, line.pegged = max(needed, int(lots.sum()) if lots else needed), needed
        line.due_at, line.version = max(peg.available_at for peg in needing), line.version + 1
        session.flush()
        for peg in needing:
            peg.kind, peg.purchase_order_line_id = "receipt", line.id
    session.flush()
    drop(session, list(old.values()))
    return list(orders.values())


def proposed_for(session: Session, reservation_ids: Iterable[int]) -> dict[int, list[t.PurchaseOrderLine]]:
    """Return for each reservation the lines proposed for it of which nothing has come yet."""
    found: dict[int, list[t.PurchaseOrderLine]] = {one: [] for one in reservation_ids}
    rows = session.execute(
        sa.select(t.Peg.reservation_id, t.PurchaseOrderLine)
        .join(t.PurchaseOrderLine, t.PurchaseOrderLine.id == t.Peg.purchase_order_line_id)
        .join(t.PurchaseOrder, t.PurchaseOrder.id == t.PurchaseOrderLine.purchase_order_id)
        .where(t.Peg.reservation_id.in_(sorted(found)), t.Peg.kind == "receipt", t.Peg.used.is_(False))
        .where(t.PurchaseOrder.state == "proposed", t.PurchaseOrderLine.received == 0)
        .order_by(t.PurchaseOrderLine.id)
    )
    for reservation_id, line in rows:
        if line not in found[reservation_id]:
            found[reservation_id].append(line)
    return found


def drop(session: Session, lines: Sequence[t.PurchaseOrderLine]) -> None:
    """Take back proposals that nobody needs any more; an order without lines is cancelled."""
    for line in lines:
        session.delete(line)
    session.flush()
    for order_id in sorted({line.purchase_order_id for line in lines}):
        if (
            session.scalar(sa.select(t.PurchaseOrderLine.id).where(t.PurchaseOrderLine.purchase_order_id == order_id).limit(1))
            is None
        ):
            session.get_one(t.PurchaseOrder, order_id).state = "cancelled"
    session.flush()


def _supplier_of(session: Session, line: t.PurchaseOrderLine) -> int:
    return session.get_one(t.PurchaseOrder, line.purchase_order_id).supplier_id


def _new_order(session: Session, supplier_id: int, reservation: t.Reservation, *, now: datetime) -> t.PurchaseOrder:
    order = t.PurchaseOrder(
        number=f"new-{reservation.id}-{supplier_id}", supplier_id=supplier_id, state="proposed", ordered_at=now
    )
    session.add(order)
    session.flush()
    order.number = f"PO-{order.id:05d}"
    return order
