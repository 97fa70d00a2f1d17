"""A copy of the plan in memory that may be changed and asked, while nothing of the plan itself is touched.

It answers as the plan would: the same planning core over the same supplies and bookings, one reservation after the other,
each keeping what it was given (compare `planning_again` and `pegging.write`).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import rescheduling, snapshot
from backoffice.erp.company import get_warehouse
from backoffice.erp.factory import Master
from backoffice.planning.capacity import Booked, Centre, Span
from backoffice.planning.explode import SellFrom
from backoffice.planning.instants import micros, moment
from backoffice.planning.model import Factory, Supply, duration
from backoffice.planning.outcome import Outcome
from backoffice.planning.plan import Plan


@dataclass(frozen=True, slots=True)
class Work:
    """An operation of a production order. counts: False for what a dead hold keeps."""

    order_id: int
    reservation_id: int | None
    position: int
    work_centre: int
    lane: int
    starts_at: datetime
    ends_at: datetime
    counts: bool


class PlanCopy:
    """Supplies and bookings as values; stops may be added, reservations taken out and planned again."""

    def __init__(self, session: Session, master: Master, items: Iterable[int], without: Iterable[int], *, now: datetime) -> None:
        """Copy what questions about `items` can touch (with their components), as if `without` had nothing."""
        self.now = now
        self.factory: Factory = master.factory
        self._works = get_warehouse(session).id
        gone = set(without)
        self._supplies = snapshot.free_without(session, master.below(items), gone, now=now)
        self._kept = _kept(session, self._supplies)
        in_lots = sa.select(t.StockLot.id, t.StockLot.warehouse_id).where(t.StockLot.item_id.in_(master.lots))
        rows = session.execute(in_lots) if master.lots else ()
        self._lot_places: dict[int, int] = {lot_id: place for lot_id, place in rows}  # noqa: C416 - rows are no pairs to mypy
        self.all_work = _work(session, now)
        self._work = [one for one in self.all_work if one.counts and one.reservation_id not in gone]
        self._made = 0
        self._plan: Plan | None = None  # of the works, as it stands after what was kept; None: to be put together
        self._whose = ""  # the class of customers that it was put together for
        self._booked: dict[Hashable, Booked] = {}  # work centre → its lanes, where they were looked at

    def stop(self, factory: Factory) -> None:
        """Let the copy stand in a factory with other stops."""
        self.factory, self._plan, self._booked = factory, None, {}

    def date(self, key: tuple[str, int], at: datetime) -> None:
        """Let a receipt or a production order come at another instant, with what is kept of it."""
        kept = {("kept", one.id) for one in self._kept.values() if ("po", one.purchase_order_line_id) == key}
        self._supplies = [replace(one, available_at=at) if one.key in {key, *kept} else one for one in self._supplies]
        self._plan = None

    def push(self, order: t.ProductionOrder) -> datetime:
        """Give an order made for stock the next free minutes, as `rescheduling.push` does; return when it is ready.

        Everybody else's work counts, also of reservations that are then planned again.
        """
        own = sorted((one for one in self.all_work if one.order_id == order.id), key=lambda one: one.position)
        others = [one for one in self.all_work if one.order_id != order.id]
        limit, clock = micros(self.now + rescheduling.LOOK_AHEAD), max(micros(order.starts_at), micros(self.now))
        steps, moved = self.factory.recipe(order.item_id).steps, list(own)
        for number, slot in enumerate(own):
            if slot.ends_at <= self.now:
                continue
            length = duration(steps[slot.position].at(slot.work_centre), order.quantity) if slot.position < len(steps) else 0
            place = self._centre(slot.work_centre, others).find(clock, length, limit)
            if place is None:
                break
            moved[number] = replace(slot, lane=place.lane, starts_at=moment(place.starts_at), ends_at=moment(place.ends_at))
            clock = place.ends_at
        self.all_work = [*others, *moved]
        self._work = [*(one for one in self._work if one.order_id != order.id), *moved]
        self._booked = {}
        ready_at = max((one.ends_at for one in moved), default=order.ready_at)
        self.date(("mo", order.id), ready_at)
        return ready_at

    def quote(
        self, item_id: int, quantity: int, *, sell_from: SellFrom, customer_class: str, warehouse_id: int | None = None
    ) -> Outcome:
        """Ask for an item at the works, or from the shelf of another warehouse."""
        if warehouse_id is not None:
            there = {warehouse_id}
            lying = [one for one in self._supplies if one.item == item_id and self._is_there(one, there, customer_class)]
            return Plan(self.factory, self.now, lying, (), flat=True).quote(item_id, quantity, sell_from=sell_from)
        if self._plan is None or self._whose != customer_class:
            supplies = [one for one in self._supplies if self._is_there(one, {self._works}, customer_class)]
            self._plan = Plan(self.factory, self.now, supplies, (), booked=self._lanes(), flat=True)
            self._whose = customer_class
        return self._plan.quote(item_id, quantity, sell_from=sell_from)

    def warehouses(self, item_id: int) -> Sequence[int]:
        """Return the warehouses but the works in which something of an item is free."""
        places = {self._place(one) for one in self._supplies if one.item == item_id}
        return sorted(one for one in places if one is not None and one != self._works)

    def keep(self, outcome: Outcome, reservation: t.Reservation, warehouse_id: int | None) -> None:
        """Let a reservation keep what it was given, from the works or a shelf.

        What its lots yield beyond its need is a supply once it is placed.
        """
        if warehouse_id is None and self._plan is not None:
            if self._whose == reservation.customer_class:
                self._plan.commit(outcome.item, outcome.quantity)  # finds the same again, and keeps it
            if self._whose != reservation.customer_class or self._plan.yielded_more:
                self._plan = None
        for peg in outcome.pegs:
            if peg.kind in ("stock", "receipt"):
                self._supplies = [
                    _less(one, int(peg.quantity)) if (one.key, one.item) == (peg.supply, peg.item) else one
                    for one in self._supplies
                ]
        for number, make in enumerate(outcome.makes):
            self._made += 1
            for slot in make.slots:
                centre, lane = int(str(slot.work_centre)), slot.lane
                work = Work(-self._made, reservation.id, slot.position, centre, lane, slot.starts_at, slot.ends_at, counts=True)
                self._work.append(work)
                takes = [_span(work)] if work.starts_at < work.ends_at else []
                changed = self._booked[centre].changed((), takes) if centre in self._booked else None
                if changed is None:
                    self._booked.pop(centre, None)
                else:
                    self._booked[centre] = changed
            used = sum(int(peg.quantity) for peg in outcome.pegs if peg.kind == "make" and peg.supply == number)
            if reservation.state == "converted" and make.quantity > used:
                key = ("mo", -self._made)
                self._supplies.append(Supply(key, make.item, int(make.quantity) - used, make.ready_at, "receipt"))

    def _lanes(self) -> Mapping[Hashable, Booked]:
        """Return what is booked at every work centre, made ready where it is not; lots that yield more ask for it often."""
        missing: dict[int, list[Span]] = {one.work_centre: [] for one in self._work if one.work_centre not in self._booked}
        for one in self._work if missing else ():
            if one.work_centre in missing and one.starts_at < one.ends_at:
                missing[one.work_centre].append(_span(one))
        for centre, spans in missing.items():
            lanes = self.factory.centre_by[centre].lanes
            self._booked[centre] = Booked(self.factory.axis(centre, micros(self.now)), lanes, spans)
        return dict(self._booked)

    def _place(self, supply: Supply) -> int | None:
        """Return the warehouse in which a supply lies; None: it is still to come."""
        kind, number = supply.key if isinstance(supply.key, tuple) else ("", 0)
        if kind == "lot":
            return self._lot_places[number]
        return self._kept[number].warehouse_id if kind == "kept" else number if kind == "stock" else None

    def _is_there(self, supply: Supply, places: set[int], customer_class: str) -> bool:
        """Tell whether a supply counts in a place, and for a class: goods on their way all come to the works."""
        kind, number = supply.key if isinstance(supply.key, tuple) else ("", 0)
        place = self._place(supply)
        mine = kind != "kept" or self._kept[number].customer_class == customer_class
        return mine and (self._works if place is None else place) in places

    def _centre(self, work_centre_id: int, work: Iterable[Work]) -> Centre:
        now = micros(self.now)
        centre = Centre(self.factory.axis(work_centre_id, now), self.factory.centre_by[work_centre_id].lanes, now)
        centre.load(
            (one.lane, max(micros(one.starts_at), now), micros(one.ends_at))
            for one in work
            if one.work_centre == work_centre_id and one.ends_at > self.now and one.starts_at < one.ends_at
        )
        return centre


def _kept(session: Session, supplies: Iterable[Supply]) -> dict[int, t.Allotment]:
    """Return the allotments among supplies. No statement where there are none."""
    ids = [one.key[1] for one in supplies if isinstance(one.key, tuple) and one.key[0] == "kept"]
    rows = session.scalars(sa.select(t.Allotment).where(t.Allotment.id.in_(sorted(ids)))) if ids else ()
    return {one.id: one for one in rows}


def _span(work: Work) -> Span:
    return work.lane, micros(work.starts_at), micros(work.ends_at)


def _less(supply: Supply, quantity: int) -> Supply:
    return replace(supply, quantity=supply.quantity - quantity)


def _work(session: Session, now: datetime) -> list[Work]:
    slot, order = t.OperationSlot, t.ProductionOrder
    rows = session.execute(
        sa.select(
            slot.production_order_id,
            order.reservation_id,
            slot.position,
            slot.work_centre_id,
            slot.lane,
            slot.starts_at,
            slot.ends_at,
            sa.or_(order.reservation_id.is_(None), sa.not_(snapshot.ignored(now, None))),
        )
        .join(order, order.id == slot.production_order_id)
        .join(t.Reservation, t.Reservation.id == order.reservation_id, isouter=True)
        .where(order.state.in_(("held", "planned")))
        .order_by(slot.id)
    )
    return [Work(*row[:7], counts=bool(row[7])) for row in rows]
