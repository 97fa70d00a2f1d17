"""The shop floor as it stands in the rows, as the optimiser sees it: what may move, what feeds what, who waits for what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import fulfilment
from backoffice.erp import models as t
from backoffice.optimiser.floor import Demand, Floor, Lot, Operation
from backoffice.planning.instants import micros
from backoffice.planning.model import Factory, duration
from backoffice.planning.shipping import Shipping, ready_in_time

OPEN = ("held", "planned")
LIVE = ("held", "paying", "converted")


def read(session: Session, *, now: datetime) -> Floor:
    """Return the floor at `now`.

    What is made for placed orders may move. What is kept for a cart or is being paid for stays; so does what is made to stock,
    as no parts are set aside for it, and what waits for something overdue: nobody knows when that comes.
    """
    master = masters.load(session, now=now)
    rows = _Rows(session, master.factory, now)
    centres = master.factory.centre_by
    lanes = {key: centre.lanes or 1 for key, centre in centres.items() if isinstance(key, int)}
    axes = {key: master.factory.axis(key, micros(now)) for key in lanes}
    lots = {order_id: rows.lot(order_id) for order_id in rows.orders}
    return Floor(lots, rows.feeds, rows.demands(_late(session, rows.reservations, now)), lanes, axes)


class _Rows:
    """Open production orders with their slots, and every peg that they or their takers stand on."""

    def __init__(self, session: Session, factory: Factory, now: datetime) -> None:
        self.factory, self.now = factory, now
        order, slot = t.ProductionOrder, t.OperationSlot
        self.orders = {row.id: row for row in session.scalars(sa.select(order).where(order.state.in_(OPEN)).order_by(order.id))}
        self.slots: dict[int, list[t.OperationSlot]] = defaultdict(list)
        open_orders = sa.select(order.id).where(order.state.in_(OPEN))
        for row in session.scalars(
            sa.select(slot).where(slot.production_order_id.in_(open_orders)).order_by(slot.production_order_id, slot.position)
        ):
            self.slots[row.production_order_id].append(row)
        takers = sa.select(t.Peg.reservation_id).where(t.Peg.supply_order_id.in_(open_orders))
        self.reservations = {
            row.id: row
            for row in session.scalars(
                sa.select(t.Reservation)
                .where(t.Reservation.state.in_(LIVE), t.Reservation.id.in_(takers))
                .order_by(t.Reservation.id)
            )
        }
        self.pegs: Sequence[t.Peg] = session.scalars(
            sa.select(t.Peg)
            .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
            .where(t.Peg.used.is_(False), t.Reservation.state.in_(LIVE), t.Peg.reservation_id.in_(takers))
            .order_by(t.Peg.id)
        ).all()
        lines = sorted({peg.purchase_order_line_id for peg in self.pegs if peg.purchase_order_line_id})
        due = sa.select(t.PurchaseOrderLine.id, t.PurchaseOrderLine.due_at).where(t.PurchaseOrderLine.id.in_(lines))
        self.due = {line_id: due_at for line_id, due_at in session.execute(due)}  # noqa: C416 - rows are no pairs to mypy
        self.feeds = sorted(
            {
                (peg.supply_order_id, peg.production_order_id)
                for peg in self.pegs
                if peg.supply_order_id in self.orders and peg.production_order_id in self.orders
            }
        )
        self._parts: dict[int, list[t.Peg]] = defaultdict(list)
        for peg in self.pegs:
            if peg.production_order_id is not None:
                self._parts[peg.production_order_id].append(peg)
        self._stays = self._that_stay()

    def lot(self, order_id: int) -> Lot:
        """Return a production order as a lot."""
        order = self.orders[order_id]
        inputs = [self._there_at(peg) for peg in self._parts[order_id] if peg.kind != "make"]
        return Lot(
            order_id,
            micros(order.starts_at),
            micros(order.ready_at),
            tuple(self._operation(order, slot) for slot in self.slots[order_id]),
            order_id in self._stays,
            max(map(micros, inputs), default=0),
            order.state == "planned" and order.quantity > order.pegged,
        )

    def demands(self, due: dict[int, int]) -> list[Demand]:
        """Return who waits for lots: reservations, with all else that they stand on."""
        own: dict[int, list[t.Peg]] = defaultdict(list)
        for peg in self.pegs:
            if peg.production_order_id is None:
                own[peg.reservation_id].append(peg)
        found = []
        for key, pegs in sorted(own.items()):
            lots = sorted({peg.supply_order_id for peg in pegs if peg.supply_order_id in self.orders})
            others = [micros(self._there_at(peg)) for peg in pegs if peg.supply_order_id not in self.orders]
            told = micros(self.reservations[key].ready_at)
            if lots:
                found.append(Demand(key, tuple(lots), told, max(others, default=0), due.get(key, told)))
        return found

    def _operation(self, order: t.ProductionOrder, slot: t.OperationSlot) -> Operation:
        steps = self.factory.recipe(order.item_id).steps
        length = None
        step = steps[slot.position].at(slot.work_centre_id) if slot.position < len(steps) else None
        if step is not None and step.work_centre == slot.work_centre_id:
            length = duration(step, order.quantity)
        return Operation(slot.id, slot.work_centre_id, slot.lane, micros(slot.starts_at), micros(slot.ends_at), length)

    def _there_at(self, peg: t.Peg) -> datetime:
        """Return when a supply that is not made in an open order is there."""
        if peg.kind == "stock":
            return self.now
        return max(peg.available_at, self.due[peg.purchase_order_line_id]) if peg.purchase_order_line_id else peg.available_at

    def _that_stay(self) -> set[int]:
        """Return the orders that may not move, whatever their dates."""
        placed = {key for key, row in self.reservations.items() if row.state == "converted"}
        stays = {key for key, row in self.orders.items() if row.state == "held" or row.reservation_id not in placed}
        overdue = {key for key, row in self.orders.items() if row.ready_at < self.now}
        stays |= {consumer for supply, consumer in self.feeds if supply in overdue}
        stays |= {
            peg.production_order_id
            for peg in self.pegs
            if peg.production_order_id and peg.kind != "make" and self._there_at(peg) < self.now
        }
        # the steps of a promise are told anew when its work moves: for that, work and routing must still agree
        others = {key for key in self.orders if len(self.slots[key]) != len(self.factory.recipe(self.orders[key].item_id).steps)}
        untold = {self.orders[key].reservation_id for key in others} - {None}
        stays |= {key for key, row in self.orders.items() if row.reservation_id in untold} | others
        return stays | {peg.supply_order_id for peg in self.pegs if peg.supply_order_id and peg.reservation_id in untold}


def _late(session: Session, reservations: dict[int, t.Reservation], now: datetime) -> dict[int, int]:
    """Return for each reservation in a late parcel the last instant at which its goods would be in time (microseconds)."""
    rows = session.execute(
        sa.select(t.ShipmentLine.reservation_id, t.Shipment)
        .join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
        .where(
            t.ShipmentLine.reservation_id.in_(sorted(reservations)),
            t.Shipment.state.in_(["waiting", "to_pick", "picking"]),
            t.Shipment.expected_on > t.Shipment.promised_on,
        )
    )
    return {
        reservation_id: _last_instant(
            fulfilment.way_of(session, shipment, now=now).without_margin().shipping, shipment.promised_on, now
        )
        for reservation_id, shipment in rows
    }


def _last_instant(shipping: Shipping, promised_on: date, now: datetime) -> int:
    """Return the last whole second at which goods are ready that arrive on the promised day, which may be over."""
    long_ago = now - timedelta(days=60)
    windows = ready_in_time(promised_on, shipping, now=long_ago)
    return micros(windows[0][1] - timedelta(seconds=1) if windows else long_ago)
