"""What must hold after everything: figures that are kept twice agree, and nothing is promised twice."""

from __future__ import annotations

import itertools
from collections import defaultdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import decisions
from backoffice.erp import models as t
from backoffice.planning.folding import differences

LIVE = {"held": "reserved", "paying": "reserved", "converted": "allocated"}


def breaches(session: Session) -> list[str]:
    """Return one line per breach; empty when all is well."""
    return [*_log(session), *_stock(session), *_supplies(session), *_slots(session), *_reservations(session)]


def _log(session: Session) -> list[str]:
    """Folded from its log, the plan is what stands in the rows."""
    return list(differences(decisions.as_logged(session)[1], decisions.as_rows(session)))


def _stock(session: Session) -> list[str]:
    found = []
    moved: dict[tuple[int, int], int] = defaultdict(int)
    for move in session.scalars(sa.select(t.StockMovement)):
        moved[move.item_id, move.warehouse_id] += move.delta
    pegged: dict[tuple[str, int, int], int] = defaultdict(int)
    rows = session.execute(sa.select(t.Peg, t.Reservation.state).join(t.Reservation, t.Reservation.id == t.Peg.reservation_id))
    for peg, state in rows:
        if peg.kind == "stock" and not peg.used and state in LIVE:
            pegged[LIVE[state], peg.item_id, peg.warehouse_id] += peg.quantity
    for row in session.scalars(sa.select(t.Stock)):
        key = (row.item_id, row.warehouse_id)
        if row.on_hand != moved[key]:
            found.append(f"I1 item {key}: on hand {row.on_hand}, movements {moved[key]}")
        found += [
            f"I2 item {key}: {total} {getattr(row, total)}, pegs {pegged[(total, *key)]}"
            for total in ("reserved", "allocated")
            if getattr(row, total) != pegged[(total, *key)]
        ]
        if row.allocated + row.reserved > row.on_hand:
            found.append(f"I2 item {key}: oversold")
    return found + _allotments(session)


def _allotments(session: Session) -> list[str]:
    """What is left of allotments stands on the stock row; what was taken covers the promises that took it."""
    found = []
    left: dict[tuple[str, int, int], int] = defaultdict(int)
    for kept in session.scalars(sa.select(t.Allotment)):
        if kept.released_at is None:
            supply = ("line", kept.purchase_order_line_id) if kept.purchase_order_line_id else ("stock", kept.warehouse_id)
            left[*supply, kept.item_id] += kept.quantity - kept.taken
        pegged = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(t.Peg.quantity), 0))
            .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
            .where(t.Peg.allotment_id == kept.id, t.Reservation.state.in_(list(LIVE)))
        )
        if kept.released_at is None and pegged is not None and pegged > kept.taken:
            found.append(f"allotment {kept.id}: taken {kept.taken}, pegs {pegged}")
        strangers = sa.select(t.Reservation.id).join(t.Peg, t.Peg.reservation_id == t.Reservation.id)
        if session.scalar(strangers.where(t.Peg.allotment_id == kept.id, t.Reservation.customer_class != kept.customer_class)):
            found.append(f"allotment {kept.id}: taken by another class")
    rows = [(("stock", row.warehouse_id, row.item_id), row.allotted) for row in session.scalars(sa.select(t.Stock))]
    rows += [(("line", row.id, row.item_id), row.allotted) for row in session.scalars(sa.select(t.PurchaseOrderLine))]
    return found + [f"{key}: allotted {allotted}, left {left[key]}" for key, allotted in rows if allotted != left[key]]


def _supplies(session: Session) -> list[str]:
    found = []
    for line in session.scalars(sa.select(t.PurchaseOrderLine)):
        total = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(t.Peg.quantity), 0)).where(t.Peg.purchase_order_line_id == line.id)
        )
        if total != line.pegged or line.pegged + line.received > line.quantity:
            found.append(f"I3 purchase line {line.id}: pegged {line.pegged}, pegs {total}, of {line.quantity}")
    for order in session.scalars(sa.select(t.ProductionOrder).where(t.ProductionOrder.state.in_(["held", "planned"]))):
        total = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(t.Peg.quantity), 0)).where(t.Peg.supply_order_id == order.id)
        )
        if total != order.pegged or order.pegged > order.quantity:
            found.append(f"I3 production order {order.number}: pegged {order.pegged}, pegs {total}, of {order.quantity}")
    return found


def _slots(session: Session) -> list[str]:
    found = []
    lanes: dict[tuple[int, int], list[t.OperationSlot]] = defaultdict(list)
    slots = session.scalars(
        sa.select(t.OperationSlot)
        .join(t.ProductionOrder, t.ProductionOrder.id == t.OperationSlot.production_order_id)
        .where(t.ProductionOrder.state.in_(["held", "planned"]), t.OperationSlot.starts_at < t.OperationSlot.ends_at)
        .order_by(t.OperationSlot.starts_at)
    )
    for slot in slots:
        lanes[slot.work_centre_id, slot.lane].append(slot)
    for (centre, lane), busy in lanes.items():
        for before, after in itertools.pairwise(busy):
            if after.starts_at < before.ends_at:
                found.append(f"work centre {centre} lane {lane}: slots {before.id} and {after.id} overlap")
    return found


def _reservations(session: Session) -> list[str]:
    """Every live reservation stands on pegs that add up to its quantity."""
    found = []
    for reservation in session.scalars(sa.select(t.Reservation).where(t.Reservation.state.in_(list(LIVE)), ~t.Reservation.kit)):
        total = session.scalar(
            sa.select(sa.func.coalesce(sa.func.sum(t.Peg.quantity), 0)).where(
                t.Peg.reservation_id == reservation.id, t.Peg.production_order_id.is_(None)
            )
        )
        if total != reservation.quantity:
            found.append(f"reservation {reservation.id} ({reservation.state}): {reservation.quantity}, pegs {total}")
    return found
