"""Find new supplies for reservations that lost theirs, one after another, on one reading of the plan.

What is free and booked is read once for all of them; each keeps in it what it was given, so the next one sees what the database
would say. Where the two would part (a lot or a purchase beyond its need, work that is kept back) it is read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import delaying, fulfilment, making_room, margins, pegging, promising, shipping, snapshot, sources
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.planning.outcome import Outcome
from backoffice.planning.plan import Plan


class PlanningAgain:
    """The plan while reservations are planned again. The caller holds the plan's lock and has stripped all of them.

    stands_on: the items of all supplies that were found; buying: the reservations for which something must be bought.
    """

    def __init__(self, session: Session, item_ids: Iterable[int], *, now: datetime) -> None:
        """Begin without having read the plan. item_ids: all items that will be asked for."""
        wanted = sa.select(t.Item).where(t.Item.id.in_(sorted(set(item_ids))))
        self._session, self._now = session, now
        self._items = {item.id: item for item in session.scalars(wanted)}
        self._plan: Plan | None = None
        self._whose = ""  # the class of customers that the plan was read for
        self.stands_on: set[int] = set()
        self.buying: set[int] = set()

    def plan(self, reservation: t.Reservation, *, reuse: Sequence[t.ProductionOrder]) -> bool:
        """Find new supplies for a stripped reservation; False if there are none: it then stands without a day.

        reuse: its own production orders, which keep their numbers. The caller flushes.
        """
        session, now = self._session, self._now
        found = self._supplies_for(reservation)
        if found is None:
            reservation.chain = []  # no step leads to it: nobody knows its day
            return False
        outcome, reservation.warehouse_id = found
        assert outcome.ready_at is not None
        reservation.ready_at, reservation.basis = outcome.ready_at, outcome.basis
        reservation.margin_days = margins.days_of(session, masters.load(session, now=now), outcome)
        reservation.chain = promising.chain_rows(session, outcome, reservation.warehouse_id, now=now)
        making_room.make_room(session, outcome.moved)
        in_lots = masters.load(session, now=now).lots
        arrives_on = self._arrival(reservation, reservation.warehouse_id)(outcome.ready_at)
        item = self._items[reservation.item_id]
        orders = pegging.write(session, reservation, outcome, item=item, reuse=reuse, in_lots=in_lots, arrives_on=arrives_on)
        self.stands_on.update({reservation.item_id, *(int(str(peg.item)) for peg in outcome.pegs)})
        if any(peg.kind == "buy" for peg in outcome.pegs):
            self.buying.add(reservation.id)
        kept_back = any(order.not_before_at for order in orders) and self._keep_back(reservation)
        kept_back |= bool(in_lots) and any(peg.item in in_lots for peg in outcome.pegs)  # the rows know what may be moved
        if kept_back or (self._plan is not None and self._plan.yielded_more):
            self._plan = None
        return True

    def _keep_back(self, reservation: t.Reservation) -> bool:
        self._session.flush()
        return delaying.keep_back(self._session, reservation, now=self._now)

    def _supplies_for(self, reservation: t.Reservation) -> tuple[Outcome, int | None] | None:
        """Return new supplies and their warehouse (none: the works).

        Where it was to ship from if it lies there, else the works, else where it lies.
        """
        item_id, quantity, whose = reservation.item_id, reservation.quantity, reservation.customer_class
        elsewhere = sources.stocked(self._session, [item_id], now=self._now, customer_class=whose)
        for one, shelf in elsewhere.items():
            shelf.ships_on = self._arrival(reservation, one)
        own = elsewhere.get(reservation.warehouse_id or 0)
        ready = {one: shelf.quote(item_id, quantity, sell_from="stock") for one, shelf in elsewhere.items()}
        if own is not None and ready[reservation.warehouse_id or 0].ready_at is not None:
            return ready[reservation.warehouse_id or 0], reservation.warehouse_id
        plan = self._works(whose)
        plan.ships_on = self._arrival(reservation, None)
        works = plan.commit(item_id, quantity, sell_from="production")
        if works.ready_at is not None:
            return works, None
        return next(((outcome, one) for one, outcome in ready.items() if outcome.ready_at is not None), None)

    def _arrival(self, reservation: t.Reservation, warehouse_id: int | None) -> Callable[[datetime], date | None]:
        """Return what says when a reservation's goods arrive from a warehouse: at its parcel's address, else the usual one.

        Not before the parcel does, if others are in it.
        """
        if not masters.load(self._session, now=self._now).lots:  # nobody asks: nothing expires
            return lambda _: None
        inside = sa.select(t.ShipmentLine.shipment_id).where(t.ShipmentLine.reservation_id == reservation.id)
        shipment = self._session.scalar(sa.select(t.Shipment).where(t.Shipment.id.in_(inside)).order_by(t.Shipment.id.desc()))
        to = {} if shipment is None else {name: shipment.ship_to[name] for name in ("country", "postcode")}
        service = "" if shipment is None else shipment.ship_to.get("service", "")
        master = masters.load(self._session, now=self._now)
        way = shipping.destination(self._session, master, **to, warehouse_id=warehouse_id, service=service, now=self._now)
        arrives_on = shipping.arrival(way, now=self._now)
        if shipment is None or shipment.expected_on is None or len(fulfilment.lines_of(self._session, shipment.id)) == 1:
            return arrives_on
        waits_until = shipment.expected_on
        return lambda ready_at: None if (on := arrives_on(ready_at)) is None else max(on, waits_until)

    def _works(self, whose: str) -> Plan:
        if self._plan is None or self._whose != whose:
            self._session.flush()
            self._plan = snapshot.load(self._session, self._items, now=self._now, customer_class=whose)
            self._whose = whose
        return self._plan
