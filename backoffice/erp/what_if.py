"""What if: a receipt came later, a work centre stood still, an order came in or were cancelled. Nothing is written.

Each question is worked out on a copy of the plan in memory, in the order and by the rules by which the change itself would
be (`purchasing.move_due`, `production.stop`, `cancelling.cancel`, each with `replan.after_change`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import cancelling, margins, production, promising, replan, shipping, sources, splitting
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp.company import get_company, get_warehouse
from backoffice.erp.plan_copy import PlanCopy
from backoffice.planning.model import Number, Stop
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.orders import Cause
from backoffice.public.promise import Promise
from backoffice.wording import day_in

OPEN_PARCELS = ("waiting", "to_pick", "picking")


@dataclass(frozen=True, slots=True)
class Moved:
    """An order's line that would come on another day. before, after: None = nobody knows a day."""

    reservation_id: int
    order_ref: str
    promised_on: date
    before: date | None
    after: date | None
    cause: Cause

    @property
    def late(self) -> bool:
        """Tell whether it would come after the promised day, or nobody would know when."""
        return self.after is None or self.after > self.promised_on


@dataclass(frozen=True, slots=True)
class Supposed:
    """What a change would do. carts: live holds that would be given up; for_stock: orders made for stock that would move.

    ready: placed reservation that would be planned again → when its goods would be ready, None = never; its day may stay.
    """

    moved: Sequence[Moved]
    ready: Mapping[int, datetime | None]
    carts: int
    for_stock: int


@dataclass(frozen=True, slots=True)
class Need:
    """A quantity of an item, in its smallest units, that would be made (from when to when) or bought (here at `ready_at`)."""

    item: str
    parts_per_unit: int
    quantity: int
    starts_at: datetime | None
    ready_at: datetime


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a new order would be promised, and what for it. It takes only what is free: it moves nobody."""

    item: t.Item
    quantity: int
    promise: Promise
    made: Sequence[Need]
    bought: Sequence[Need]


def receipt_later(session: Session, line_id: int, days: int, *, now: datetime) -> tuple[datetime, Supposed]:
    """Return when a receipt would come `days` later, at its own time of day, and what that would move.

    Raises NotFound(unknown_receipt), Refused(not_ordered_yet | wrong_state), BadInput(in_the_past).
    """
    line = session.get(t.PurchaseOrderLine, line_id)
    if line is None:
        raise NotFound("unknown_receipt")
    state = session.get_one(t.PurchaseOrder, line.purchase_order_id).state
    if state == "proposed":
        raise Refused("not_ordered_yet")
    if state != "ordered" or line.received >= line.quantity:
        raise Refused("wrong_state", state=state)
    zone = ZoneInfo(get_company(session).timezone)
    due_at = (line.due_at.astimezone(zone) + timedelta(days=days)).astimezone(UTC)
    if due_at <= now:
        raise BadInput("in_the_past", {"days": "past_date"})
    waiting = _waiting(session, t.Peg.purchase_order_line_id == line.id, t.Peg.kind == "receipt")
    item = session.get_one(t.Item, line.item_id)
    code = "receipt_later" if due_at > line.due_at else "receipt_earlier"
    cause = causes.of(code, item=item.name, due_on=day_in(get_company(session).timezone, due_at))
    again = _Again(session, waiting, cause, now)
    again.copy.date(("po", line.id), due_at)
    return due_at, again.supposed()


def stop(session: Session, work_centre_id: int, starts_at: datetime, ends_at: datetime, *, now: datetime) -> Supposed:
    """Return what a stop of a work centre would move. Raises NotFound(unknown_work_centre), BadInput(bad_period)."""
    centre = session.get(t.WorkCentre, work_centre_id)
    if centre is None:
        raise NotFound("unknown_work_centre")
    production.require_period(starts_at, ends_at, now=now)
    touched = production.stopped_by(session, centre.id, [(starts_at, ends_at)], now=now)
    for_stock = sorted((one for one in touched if not one.reservation_id), key=lambda one: (one.starts_at, one.id))
    waiting = _waiting(session, t.Peg.supply_order_id.in_([one.id for one in for_stock]), used=True)
    own = {one.reservation_id for one in touched if one.reservation_id}
    again = _Again(session, own | waiting, production.cause_of_stop(session, centre, ends_at), now)
    factory = again.copy.factory
    again.copy.stop(replace(factory, stops=[*factory.stops, Stop(centre.id, starts_at, ends_at)]))
    pushed = sum(again.copy.push(order) != order.ready_at for order in for_stock)
    return again.supposed(for_stock=pushed)


def cancelled(session: Session, order_ref: str, *, now: datetime) -> Supposed:
    """Return what an order's cancelling would move: whoever stands on what is made for it.

    Raises NotFound(unknown_order), Refused(too_late_to_cancel).
    """
    own = set(session.scalars(sa.select(t.Reservation.id).where(t.Reservation.order_ref == order_ref)))
    if not own:
        raise NotFound("unknown_order")
    if not cancelling.is_possible(session, order_ref):
        raise Refused("too_late_to_cancel", order_ref=order_ref)
    return _Again(session, own, cancelling.ITS_MAKER_IS_GONE, now, dropped=own).supposed()


def incoming(session: Session, sku: str, quantity: int, *, postcode: str | None = None, now: datetime) -> Incoming:
    """Return what an order of `quantity` of an item would be promised now, at the default place or at a postcode.

    Raises NotFound(unknown_product), Refused(not_available, most), BadInput(unknown_postcode).
    """
    item = promising.get_item(session, sku)
    source = sources.find(session, item, quantity, postcode=postcode, now=now)
    master = masters.load(session, now=now)
    promise = promising.to_promise(session, master, item, source, now=now)
    outcome = source.outcome
    lots = [(one.item, one.quantity, one.starts_at, one.ready_at) for one in outcome.makes]
    orders = [(one.item, one.quantity, None, one.available_at) for one in outcome.pegs if one.kind == "buy"]
    wanted = t.Item.id.in_({int(str(one)) for one, *_ in (*lots, *orders)})
    parts = {row.id: row.parts_per_unit for row in session.execute(sa.select(t.Item.id, t.Item.parts_per_unit).where(wanted))}

    def needs(rows: Iterable[tuple[Hashable, Number, datetime | None, datetime]]) -> list[Need]:
        return [
            Need(master.names[int(str(one))], parts[int(str(one))], int(quantity), starts_at, ready_at)
            for one, quantity, starts_at, ready_at in rows
        ]

    return Incoming(item, quantity, promise, needs(lots), needs(orders))


class Found(NamedTuple):
    """When a reservation would be ready, from which warehouse (None: the works), and when with its margin."""

    ready_at: datetime
    warehouse_id: int | None
    safe_at: datetime


class _Again:
    """Plans reservations again on a copy, in the order of `replan.after_change`, and tells whose day is another then."""

    def __init__(self, session: Session, ids: Iterable[int], cause: Cause, now: datetime, *, dropped: Iterable[int] = ()) -> None:
        """Take the reservations with all that depend on them out of a copy. dropped: they are not planned again."""
        self.session, self.cause, self.now = session, cause, now
        rows = session.scalars(
            sa.select(t.Reservation)
            .where(t.Reservation.id.in_(sorted(replan.with_dependants(session, ids))))
            .order_by(t.Reservation.ready_at, t.Reservation.id)
        ).all()
        gone = set(dropped)
        self.placed = [one for one in rows if one.state in ("paying", "converted") and one.id not in gone]
        self.carts = sum(one.state == "held" and one.expires_at > now for one in rows)
        self.master = masters.load(session, now=now)
        items = {one.item_id for one in self.placed}
        self.copy = PlanCopy(session, self.master, items, [one.id for one in rows], now=now)

    def supposed(self, *, for_stock: int = 0) -> Supposed:
        """Plan all of them again and compare the days."""
        found = {one.id: self._again(one) for one in self.placed}
        orders = [one for one in self.placed if one.state == "converted"]
        told = {one.order_ref or "" for one in orders if self._is_told(one, found[one.id])}
        ready = {one.id: there[0] if (there := found[one.id]) else None for one in orders}
        return Supposed(self._moved(sorted(told), found), ready, self.carts, for_stock)

    def _again(self, one: t.Reservation) -> Found | None:
        """Return when a reservation would be ready and from where; None: never.

        Source: `planning_again`: where it was to ship from if it lies there, else the works, else where it lies.
        """
        quote = partial(self.copy.quote, one.item_id, one.quantity, customer_class=one.customer_class)
        shelves = {place: quote(sell_from="stock", warehouse_id=place) for place in self.copy.warehouses(one.item_id)}
        own = shelves.get(one.warehouse_id or 0)
        works = None if own and own.ready_at else quote(sell_from="production")
        tried = [(own, one.warehouse_id), (works, None), *((outcome, place) for place, outcome in shelves.items())]
        for outcome, place in tried:
            if outcome is not None and outcome.ready_at is not None:
                self.copy.keep(outcome, one, place)
                margin = margins.days_of(self.session, self.master, outcome)
                return Found(outcome.ready_at, place, margins.later(self.session, self.master, outcome.ready_at, margin))
        return None

    def _is_told(self, one: t.Reservation, found: Found | None) -> bool:
        had_day = bool(one.chain)
        return bool(found) != had_day or (found is not None and found[:2] != (one.ready_at, one.warehouse_id))

    def _moved(self, order_refs: Sequence[str], found: Mapping[int, Found | None]) -> Sequence[Moved]:
        rows = self.session.execute(
            sa.select(t.Reservation, t.Shipment)
            .join(t.ShipmentLine, t.ShipmentLine.reservation_id == t.Reservation.id)
            .join(t.Shipment, t.Shipment.id == t.ShipmentLine.shipment_id)
            .where(t.Reservation.order_ref.in_(order_refs), t.Shipment.state != "cancelled")
            .order_by(t.Reservation.id, t.Shipment.id)
        ).all()
        after = self._new_days([(one, parcel) for one, parcel in rows], found)
        families: dict[int, list[tuple[t.Reservation, t.Shipment]]] = defaultdict(list)
        for one, parcel in rows:
            families[splitting.root(one)].append((one, parcel))
        moved = []
        for root, parts in families.items():
            before_on = max(parcel.expected_on or parcel.promised_on for _, parcel in parts)
            after_on = max(after.get((one.id, parcel.id), parcel.expected_on or parcel.promised_on) for one, parcel in parts)
            was_known = all(one.chain for one, _ in parts if one.state == "converted")
            is_known = all(found.get(one.id, True) for one, _ in parts)
            days = before_on if was_known else None, after_on if is_known else None
            if days[0] != days[1]:
                one, parcel = parts[0]
                moved.append(Moved(root, one.order_ref or "", parcel.promised_on, *days, self.cause))
        return sorted(moved, key=lambda one: (not one.late, one.promised_on, one.reservation_id))

    def _new_days(
        self, parts: Sequence[tuple[t.Reservation, t.Shipment]], found: Mapping[int, Found | None]
    ) -> Mapping[tuple[int, int], date]:
        """Return (reservation, parcel) → the day on which it would arrive. Source: `fulfilment.reschedule`.

        What would ship from another warehouse leaves its parcel.
        """
        works = get_warehouse(self.session).id
        touched = {parcel.id for one, parcel in parts if one.id in found}
        together: dict[tuple[int, int], list[tuple[t.Reservation, t.Shipment, Found]]] = defaultdict(list)
        for one, parcel in parts:
            if parcel.id not in touched or parcel.state not in OPEN_PARCELS:
                continue
            safe_at = margins.safe_at(self.session, self.master, one)
            new = found.get(one.id) or Found(one.ready_at, parcel.warehouse_id, safe_at)
            together[parcel.id, new.warehouse_id or works].append((one, parcel, new))
        days: dict[tuple[int, int], date] = {}
        for (parcel_id, place), inside in together.items():
            ship_to = inside[0][1].ship_to
            way = shipping.destination(
                self.session,
                self.master,
                country=ship_to["country"],
                postcode=ship_to["postcode"],
                warehouse_id=place,
                service=ship_to.get("service", ""),
                now=self.now,
            )
            by_plan = promising.day_for(max(new.ready_at for _, _, new in inside), way.without_margin(), now=self.now)
            safe = promising.day_for(max(new.safe_at for _, _, new in inside), way, now=self.now)
            for one, parcel, _ in inside:
                if by_plan is not None and safe is not None:
                    was = margins.Days(parcel.ship_by_on, parcel.expected_on or parcel.promised_on)
                    days[one.id, parcel_id] = margins.told(by_plan, safe, was, parcel.promised_on).deliver_on
        return days


def _waiting(session: Session, *conditions: sa.ColumnElement[bool], used: bool = False) -> set[int]:
    """Return the reservations whose pegs match; used: also pegs that are used up."""
    kept = sa.true() if used else t.Peg.used.is_(False)
    return set(session.scalars(sa.select(t.Peg.reservation_id).where(kept, *conditions)))
