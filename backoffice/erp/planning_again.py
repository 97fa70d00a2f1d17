"""Find new supplies for reservations that lost theirs, one after another, on one reading of the plan.

What is free and booked is read once for all of them; each keeps in it what it was given, so the next one sees what the database
would say, and what was found is written for all of them at once. Where the two would part (work that is kept back, what is kept
for another class of customers, goods in lots, of which the rows know what may be moved) it is written first, and read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import update_rows
from backoffice.erp import delaying, fulfilment, making_room, margins, pegging, promising, shipping, snapshot, sources
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.classes import RETAIL
from backoffice.planning.outcome import Outcome
from backoffice.planning.plan import Plan, YieldKind

Reuse = Mapping[int, Sequence[t.ProductionOrder]]  # reservation → its own production orders, which keep their numbers


class PlanningAgain:
    """The plan while reservations are planned again. The caller holds the plan's lock and has stripped all of them.

    stands_on: the items of all supplies that were found; buying: the reservations for which something must be bought.
    """

    def __init__(self, session: Session, item_ids: Iterable[int], *, now: datetime) -> None:
        """Begin without having read the plan. item_ids: all items that will be asked for."""
        wanted = sa.select(t.Item).where(t.Item.id.in_(sorted(set(item_ids))))
        self._session, self._now, self._master = session, now, masters.load(session, now=now)
        self._items = {item.id: item for item in session.scalars(wanted)}
        below = self._master.below(self._items)
        self._is_kept = not self._master.allotted.isdisjoint(below)
        self._in_lots = self._master.lots.keys() & below
        self._plan: Plan | None = None
        self._shelves: Mapping[int, Plan] = {}
        self._whose = RETAIL  # the class of customers that they were read for
        self._found: list[pegging.Given] = []  # and not written yet
        self._answers = 0  # of the plan so far
        self._made: pegging.Made = {}
        self.stands_on: set[int] = set()
        self.buying: set[int] = set()

    def plan(self, reservations: Iterable[t.Reservation], *, reuse: Reuse) -> set[int]:
        """Find new supplies for stripped reservations, in this order; return those that have some now.

        The others stand without a day. With autoflush off: nothing that is read in between looks at what is being written.
        """
        found = set()
        with self._session.no_autoflush:
            for one in reservations:
                if self._find(one, reuse[one.id]):
                    found.add(one.id)
                else:
                    one.chain = []  # no step leads to it: nobody knows its day
            self._write()
        return found

    def _find(self, reservation: t.Reservation, reuse: Sequence[t.ProductionOrder]) -> bool:
        self._read_for(reservation)
        found = self._supplies_for(reservation)
        if found is None:
            return False
        outcome, warehouse_id = found
        assert outcome.ready_at is not None
        reservation.ready_at, reservation.basis, reservation.warehouse_id = outcome.ready_at, outcome.basis, warehouse_id
        reservation.margin_days = margins.days_of(self._session, self._master, outcome)
        reservation.chain = promising.chain_rows(self._session, outcome, warehouse_id, now=self._now)
        commit = self._answers if warehouse_id is None else None
        self._answers += warehouse_id is None
        of_lots = any(peg.item in self._in_lots for peg in outcome.pegs)
        if of_lots:  # the rows know what may be moved
            self._write()
            making_room.make_room(self._session, outcome.moved)
        arrives_on = self._arrival(reservation, warehouse_id)(outcome.ready_at) if of_lots else None
        item = self._items[reservation.item_id]
        self._found.append(pegging.Given(reservation, outcome, item, reuse, commit, self._in_lots if of_lots else (), arrives_on))
        self.stands_on.update({reservation.item_id, *(int(str(peg.item)) for peg in outcome.pegs)})
        if any(peg.kind == "buy" for peg in outcome.pegs):
            self.buying.add(reservation.id)
        if of_lots:
            self._write()
        if self._keep_back(reservation, reuse) or of_lots:
            self._plan = None
        return True

    def _keep_back(self, reservation: t.Reservation, reuse: Sequence[t.ProductionOrder]) -> bool:
        if not any(order.not_before_at for order in reuse):
            return False
        self._write()
        return delaying.keep_back(self._session, reservation, now=self._now)

    def _supplies_for(self, reservation: t.Reservation) -> tuple[Outcome, int | None] | None:
        """Return new supplies and their warehouse (none: the works).

        Where it was to ship from if it lies there, else the works, else where it lies.
        """
        assert self._plan is not None
        item_id, quantity, own = reservation.item_id, reservation.quantity, reservation.warehouse_id
        here = [own] if own in self._shelves else []
        for place in (*here, None, *self._shelves):
            plan = self._plan if place is None else self._shelves[place]
            if self._in_lots and not self._in_lots.isdisjoint(self._master.below([item_id])):
                plan.ships_on = self._arrival(reservation, place)
            if place is None:
                outcome = plan.commit(item_id, quantity, yields=_yields(reservation))
            else:
                outcome = plan.commit(item_id, quantity, sell_from="stock")
            if outcome.ready_at is not None:
                return outcome, place
        return None

    def _arrival(self, reservation: t.Reservation, warehouse_id: int | None) -> Callable[[datetime], date | None]:
        """Return what says when a reservation's goods arrive from a warehouse: at its parcel's address, else the usual one.

        Not before the parcel does, if others are in it.
        """
        inside = sa.select(t.ShipmentLine.shipment_id).where(t.ShipmentLine.reservation_id == reservation.id)
        shipment = self._session.scalar(sa.select(t.Shipment).where(t.Shipment.id.in_(inside)).order_by(t.Shipment.id.desc()))
        to = {} if shipment is None else {name: shipment.ship_to[name] for name in ("country", "postcode")}
        service = "" if shipment is None else shipment.ship_to.get("service", "")
        way = shipping.destination(self._session, self._master, **to, warehouse_id=warehouse_id, service=service, now=self._now)
        arrives_on = shipping.arrival(way, now=self._now)
        if shipment is None or shipment.expected_on is None or len(fulfilment.lines_of(self._session, shipment.id)) == 1:
            return arrives_on
        waits_until = shipment.expected_on
        return lambda ready_at: None if (on := arrives_on(ready_at)) is None else max(on, waits_until)

    def _read_for(self, reservation: t.Reservation) -> None:
        """Read what is free and booked, as this reservation may have it, unless it is known."""
        whose = reservation.customer_class if self._is_kept else RETAIL
        if self._plan is not None and self._whose == whose:
            return
        self._write()
        self._plan = snapshot.load(self._session, self._items, now=self._now, customer_class=whose)
        self._shelves = sources.stocked(self._session, self._items, now=self._now, customer_class=whose)
        self._whose, self._answers, self._made = whose, 0, {}

    def _write(self) -> None:
        """Write what was found since the last time."""
        update_rows(self._session, [one.reservation for one in self._found], *_FOUND)
        pegging.write_all(self._session, self._found, self._made)
        self._session.flush()
        self._found = []


def _yields(reservation: t.Reservation) -> tuple[YieldKind, ...]:
    """Return what else others may have at once of what it makes or buys: of a hold's lots, and of purchases, nothing is sure."""
    return ("make",) if reservation.state in pegging.COMMITTED else ()


_FOUND = ("ready_at", "basis", "warehouse_id", "margin_days", "chain")
