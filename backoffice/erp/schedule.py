"""What runs where and when: the operations of a stretch of time on their lanes, with open time and stops."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import calendars, standing
from backoffice.erp.models import (
    Item,
    OperationSlot,
    ProductionOrder,
    Reservation,
    Shipment,
    ShipmentLine,
    WorkCentre,
    WorkCentreStop,
)
from backoffice.planning.instants import micros, moment
from backoffice.planning.lanes import merge

PAGE = 100
Spans = Sequence[tuple[datetime, datetime]]


@dataclass(frozen=True, slots=True)
class Run:
    """An operation on a lane. order_ref: whose it is; empty: for stock, or a cart that still holds it.

    promised_on, expected_on: of the parcel that it ends up in, where it is made for one. over: it should be done by now.
    """

    slot: OperationSlot
    order: ProductionOrder
    item: Item
    order_ref: str
    promised_on: date | None
    expected_on: date | None
    over: bool

    @property
    def late(self) -> bool:
        """Tell whether it should be done by now, or ends up in a parcel that comes later than promised."""
        return self.over or bool(self.promised_on and self.expected_on and self.expected_on > self.promised_on)


@dataclass(frozen=True, slots=True)
class Lanes:
    """A work centre with its lanes. others: per lane what operations of other pages fill, neighbours joined."""

    centre: WorkCentre
    count: int
    open: Spans
    stops: Spans
    others: Mapping[int, Spans]


@dataclass(frozen=True, slots=True)
class Schedule:
    """One page of the operations between two instants, by their start, and the lanes they run on. total: of all pages."""

    lanes: Sequence[Lanes]
    runs: Sequence[Run]
    total: int


def find_schedule(
    session: Session, low: datetime, high: datetime, *, centre_id: int | None = None, page: int = 1, now: datetime
) -> Schedule:
    """Return what runs between two instants, at all work centres (by name) or at one."""
    centres = session.scalars(
        sa.select(WorkCentre)
        .where(sa.true() if centre_id is None else WorkCentre.id == centre_id)
        .order_by(WorkCentre.name, WorkCentre.id)
    ).all()
    ids = [one.id for one in centres]
    runs, all_of_it = _runs(session, ids, low, high, page, now), _all(session, ids, low, high, now)
    shown = {one.slot.id for one in runs}
    filled: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))
    most: dict[int, int] = defaultdict(int)
    for slot_id, centre, lane, starts_at, ends_at in all_of_it:
        most[centre] = max(most[centre], lane + 1)
        if slot_id not in shown:
            filled[centre][lane].append((micros(starts_at), micros(ends_at)))
    expanded = calendars.load_all(session, low.date() - timedelta(days=1), high.date() + timedelta(days=1))
    hours = calendars.of_centres(session, expanded)
    stops = _stops(session, low, high)
    lanes = [
        Lanes(
            one,
            max(one.lanes, most[one.id]),  # work on a lane that was taken away has still to be done
            list(hours[one.id].open_intervals(low, high)),
            _joined(stops[one.id]),
            {lane: _joined(spans) for lane, spans in filled[one.id].items()},
        )
        for one in centres
    ]
    return Schedule(lanes, runs, len(all_of_it))


def _runs(session: Session, centre_ids: Sequence[int], low: datetime, high: datetime, page: int, now: datetime) -> Sequence[Run]:
    parcel = (
        sa.select(
            ShipmentLine.reservation_id,
            sa.func.max(Shipment.promised_on).label("promised_on"),
            sa.func.max(Shipment.expected_on).label("expected_on"),
        )
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.state != "cancelled")
        .group_by(ShipmentLine.reservation_id)
        .subquery()
    )
    wanted = (
        sa.select(OperationSlot, ProductionOrder, Item, Reservation.order_ref, parcel.c.promised_on, parcel.c.expected_on)
        .join(ProductionOrder, ProductionOrder.id == OperationSlot.production_order_id)
        .join(Item, Item.id == ProductionOrder.item_id)
        .join(Reservation, Reservation.id == ProductionOrder.reservation_id, isouter=True)
        .join(parcel, parcel.c.reservation_id == Reservation.id, isouter=True)
        .where(*_within(centre_ids, low, high), standing.is_open(now))
        .order_by(OperationSlot.starts_at, OperationSlot.id)
    )
    rows = session.execute(wanted.limit(PAGE).offset((page - 1) * PAGE)).all()
    return [
        Run(slot, order, item, ref or "", promised_on, expected_on, slot.ends_at < now)
        for slot, order, item, ref, promised_on, expected_on in rows
    ]


def _all(
    session: Session, centre_ids: Sequence[int], low: datetime, high: datetime, now: datetime
) -> Sequence[sa.Row[int, int, int, datetime, datetime]]:
    slot = OperationSlot
    return session.execute(
        sa.select(slot.id, slot.work_centre_id, slot.lane, slot.starts_at, slot.ends_at)
        .join(ProductionOrder, ProductionOrder.id == slot.production_order_id)
        .join(Reservation, Reservation.id == ProductionOrder.reservation_id, isouter=True)
        .where(*_within(centre_ids, low, high), standing.is_open(now))
    ).all()


def _within(centre_ids: Sequence[int], low: datetime, high: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    slot = OperationSlot
    return slot.work_centre_id.in_(centre_ids), slot.starts_at < high, slot.ends_at > low


def _stops(session: Session, low: datetime, high: datetime) -> Mapping[int, list[tuple[int, int]]]:
    stop = WorkCentreStop
    rows = session.execute(
        sa.select(stop.work_centre_id, stop.starts_at, stop.ends_at).where(stop.starts_at < high, stop.ends_at > low)
    )
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for centre, starts_at, ends_at in rows:
        found[centre].append((max(micros(starts_at), micros(low)), min(micros(ends_at), micros(high))))
    return found


def _joined(spans: Sequence[tuple[int, int]]) -> Spans:
    return [(moment(start), moment(end)) for start, end in merge(spans)]
