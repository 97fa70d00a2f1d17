"""How a reservation's goods come to be there, told again from the rows as they stand: after its work moved, not its supplies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import promising
from backoffice.planning.answer import outcome_of
from backoffice.planning.asking import Answer
from backoffice.planning.atp import Lot, SupplyKind
from backoffice.planning.calendars import HORIZON_DAYS
from backoffice.planning.capacity import Centre, Place
from backoffice.planning.explode import Search
from backoffice.planning.instants import DAY, micros
from backoffice.planning.model import Factory
from backoffice.planning.needs import Made, Need
from backoffice.planning.reserving import State


def retell(session: Session, reservation: t.Reservation, *, now: datetime) -> list[dict[str, Any]]:
    """Return the steps from now (or the first work that has begun) to the instant at which the goods are ready.

    Its open production orders must have one slot for each operation of their routings.
    """
    rows = _Rows(session, reservation, masters.load(session, now=now).factory, now)
    need = rows.need(reservation.item_id, None)
    outcome = outcome_of(Search(rows.state()), Answer([need]), reservation.item_id, reservation.quantity)
    return promising.chain_rows(session, outcome, reservation.warehouse_id, now=now)


class _Rows:
    """A reservation's pegs and production orders, put together into what the planning engine explains."""

    def __init__(self, session: Session, reservation: t.Reservation, factory: Factory, now: datetime) -> None:
        self.factory = factory
        self.pegs: dict[int | None, list[t.Peg]] = defaultdict(list)
        mine = t.Peg.reservation_id == reservation.id
        for peg in session.scalars(sa.select(t.Peg).where(mine, t.Peg.used.is_(False)).order_by(t.Peg.id)):
            self.pegs[peg.production_order_id].append(peg)
        pegs = [peg for some in self.pegs.values() for peg in some]
        supplies = sorted({peg.supply_order_id for peg in pegs if peg.supply_order_id})
        orders = session.scalars(sa.select(t.ProductionOrder).where(t.ProductionOrder.id.in_(supplies)))
        self.orders = {order.id: order for order in orders}
        self.own = {order.id for order in self.orders.values() if order.reservation_id == reservation.id}
        self.slots: dict[int, list[t.OperationSlot]] = defaultdict(list)
        theirs = t.OperationSlot.production_order_id.in_(sorted(self.own))
        for slot in session.scalars(sa.select(t.OperationSlot).where(theirs).order_by(t.OperationSlot.position)):
            self.slots[slot.production_order_id].append(slot)
        self.lines = self._lines(session, pegs)
        begun = [micros(self.orders[order_id].starts_at) for order_id in self.own]
        self.now = min([micros(now), *begun])

    def state(self) -> State:
        """Return a plan in which nothing can be asked for: what stands is only told."""
        return State(
            factory=self.factory,
            now=self.now,
            limit=self.now + HORIZON_DAYS * DAY,
            pools={},
            centre=self.centre,
            arrival=lambda _: None,
            arrival_by=lambda *_: None,
            perishable=False,
            used_on=lambda _: 0,
            ships_on=lambda _: 0,
        )

    def need(self, item_id: int, demand: int | None) -> Need:
        """Return how a production order (or the reservation itself) gets one of its items."""
        pegs = [peg for peg in self.pegs[demand] if peg.item_id == item_id]
        need = Need(item_id, sum(peg.quantity for peg in pegs), self.now)
        bought: list[tuple[int, int, int | None]] = []
        for peg in pegs:
            if peg.supply_order_id in self.own:
                need.made.append(self._made(self.orders[peg.supply_order_id], peg.quantity))
            elif peg.kind == "buy" or (peg.purchase_order_line_id and self.lines[peg.purchase_order_line_id][1] == "proposed"):
                bought.append((peg.quantity, self._there_at(peg), peg.supplier_id))
            else:
                firm: SupplyKind = "stock" if peg.kind == "stock" else "receipt"
                at = self.now if peg.kind == "stock" else self._there_at(peg)
                need.taken.append((Lot(at, 0, firm, _key(peg), len(need.taken)), peg.quantity))
        if bought:
            _, at, supplier_id = max(bought, key=lambda one: one[1])
            need.bought.append((sum(quantity for quantity, _, _ in bought), at, supplier_id))
        need.settle(self.now)
        return need

    def centre(self, key: Hashable) -> Centre:
        """Return a work centre with nothing in it: only its working time is asked for."""
        return Centre(self.factory.axis(key, self.now), self.factory.centre_by[key].lanes, self.now)

    def _made(self, order: t.ProductionOrder, used: int) -> Made:
        made = Made(self.factory.item_by[order.item_id], order.quantity)
        made.used, made.start, made.ready = used, micros(order.starts_at), micros(order.ready_at)
        slots = self.slots[order.id]
        made.steps = [
            step.at(slot.work_centre_id) for step, slot in zip(self.factory.recipe(order.item_id).steps, slots, strict=True)
        ]
        made.places = [Place(slot.lane, micros(slot.starts_at), micros(slot.ends_at), 0, 0) for slot in slots]
        made.needs = [self.need(item_id, order.id) for item_id in dict.fromkeys(peg.item_id for peg in self.pegs[order.id])]
        made.gate = max(made.needs, key=lambda need: need.ready, default=None)
        return made

    def _there_at(self, peg: t.Peg) -> int:
        if peg.supply_order_id:
            return micros(self.orders[peg.supply_order_id].ready_at)
        return micros(self.lines[peg.purchase_order_line_id][0] if peg.purchase_order_line_id else peg.available_at)

    @staticmethod
    def _lines(session: Session, pegs: Sequence[t.Peg]) -> dict[int, tuple[datetime, str]]:
        """Return purchase order line → when it is due, and the state of its order."""
        wanted = sorted({peg.purchase_order_line_id for peg in pegs if peg.purchase_order_line_id})
        rows = session.execute(
            sa.select(t.PurchaseOrderLine.id, t.PurchaseOrderLine.due_at, t.PurchaseOrder.state)
            .join(t.PurchaseOrder, t.PurchaseOrder.id == t.PurchaseOrderLine.purchase_order_id)
            .where(t.PurchaseOrderLine.id.in_(wanted))
        )
        return {line_id: (due_at, state) for line_id, due_at, state in rows}


def _key(peg: t.Peg) -> tuple[str, int]:
    return ("mo", peg.supply_order_id) if peg.supply_order_id else ("po", peg.purchase_order_line_id or 0)
