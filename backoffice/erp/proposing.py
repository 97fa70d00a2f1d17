"""Purchase proposals: what the promises of a placed order still have to buy, written down for the buyer to send."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import decisions
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.planning.model import lots_for


@dataclass(frozen=True, slots=True)
class Needing:
    """A placed order's promise that may have to buy. pegs: what the reservation stands on.

    reuse: lines proposed for it before it was planned anew; they carry the new need under their old numbers or go.
    """

    reservation: t.Reservation
    pegs: Sequence[t.Peg]
    reuse: Sequence[t.PurchaseOrderLine] = ()

    def by_supplier(self, master: masters.Master) -> Mapping[tuple[int, int], list[t.Peg]]:
        """Return (item, supplier) → the pegs that need it; each from the supplier that its peg names."""
        wanted: dict[tuple[int, int], list[t.Peg]] = defaultdict(list)
        for peg in self.pegs:
            if peg.kind == "buy":
                wanted[peg.item_id, peg.supplier_id or master.suppliers[peg.item_id][0]].append(peg)
        return dict(sorted(wanted.items()))


def propose(session: Session, reservation: t.Reservation, pegs: Sequence[t.Peg], *, now: datetime) -> list[t.PurchaseOrder]:
    """Write purchase orders (state proposed) for what a placed order's promise still has to buy; pegs turn into receipts."""
    return propose_all(session, [Needing(reservation, pegs)], now=now)


def propose_all(session: Session, needing: Sequence[Needing], *, now: datetime) -> list[t.PurchaseOrder]:
    """Write purchase orders as `propose` does, for many promises at once: an order for each promise and supplier."""
    needing = [one for one in needing if one.reuse or any(peg.kind == "buy" for peg in one.pegs)]
    if not needing:
        return []
    decisions.because(session, "proposed", now=now)
    master = masters.load(session, now=now)
    supplier_of = _suppliers(session, [line for one in needing for line in one.reuse])
    lines: list[tuple[t.PurchaseOrderLine, list[t.Peg]]] = []
    orders: dict[tuple[int, int], t.PurchaseOrder] = {}
    new: list[tuple[t.PurchaseOrderLine, tuple[int, int]]] = []
    unused: list[t.PurchaseOrderLine] = []
    for one in needing:
        old = {(line.item_id, supplier_of[line.purchase_order_id]): line for line in one.reuse}
        for (item_id, supplier_id), pegs in one.by_supplier(master).items():
            line = old.pop((item_id, supplier_id), None)
            if line is None:
                key = (one.reservation.id, supplier_id)
                orders.setdefault(key, _new_order(supplier_id, one.reservation, now=now))
                line = t.PurchaseOrderLine(item_id=item_id, version=0)
                new.append((line, key))
            needed = sum(peg.quantity for peg in pegs)
            lots = lots_for(needed, master.offer(item_id, supplier_id))
            line.quantity, line.pegged = max(needed, int(lots.sum()) if lots else needed), needed
            line.due_at, line.version = max(peg.available_at for peg in pegs), line.version + 1
            lines.append((line, pegs))
        unused += old.values()
    session.add_all(orders.values())
    session.flush()
    for order in orders.values():
        order.number = f"PO-{order.id:05d}"
    for line, key in new:
        line.purchase_order_id = orders[key].id
    session.add_all(line for line, _ in new)
    session.flush()
    for line, pegs in lines:
        for peg in pegs:
            peg.kind, peg.purchase_order_line_id = "receipt", line.id
    session.flush()
    drop(session, unused)
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
    if not lines:
        return
    for line in lines:
        session.delete(line)
    session.flush()
    left = sa.exists().where(t.PurchaseOrderLine.purchase_order_id == t.PurchaseOrder.id)
    touched = t.PurchaseOrder.id.in_(sorted({line.purchase_order_id for line in lines}))
    for order in session.scalars(sa.select(t.PurchaseOrder).where(touched, ~left).order_by(t.PurchaseOrder.id)):
        order.state = "cancelled"
    session.flush()


def _suppliers(session: Session, lines: Sequence[t.PurchaseOrderLine]) -> Mapping[int, int]:
    """Return purchase order → its supplier."""
    if not lines:
        return {}
    of = t.PurchaseOrder
    wanted = sa.select(of.id, of.supplier_id).where(of.id.in_(sorted({line.purchase_order_id for line in lines})))
    return dict(session.execute(wanted).all())


def _new_order(supplier_id: int, reservation: t.Reservation, *, now: datetime) -> t.PurchaseOrder:
    number = f"new-{reservation.id}-{supplier_id}"  # until its row has an id
    return t.PurchaseOrder(number=number, supplier_id=supplier_id, state="proposed", ordered_at=now)
