"""Days on which a place works other hours than its week says: closed, longer or shorter; whoever it touches is re-dated.

A day belongs to a shared calendar, or to one work centre, which then has its own hours on it whatever its calendar says.

In words: minutes of work centres that are closed now push what lies in them behind, as a stop does; minutes that are open now
are offered to what is late. A day on which a warehouse or its carrier no longer works, or works now, re-dates the parcels that
wait over it; one of a supplier re-dates the purchases that are not ordered yet and were to come after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, causes
from backoffice.erp import calendars, decisions, fulfilment, gaining, offers, plan, production, replan
from backoffice.erp import models as t
from backoffice.erp.company import get_company, local_today
from backoffice.planning.calendars import Calendar
from backoffice.planning.capacity import without
from backoffice.planning.instants import moment
from backoffice.planning.lanes import merge
from backoffice.public.errors import BadInput, NotFound
from backoffice.public.orders import CauseLink
from backoffice.wording import day_in

Kind = Literal["closed", "extra", "fewer"]
Minutes = Sequence[tuple[int, int]]
MOST_AHEAD = 2 * 366  # days
OPEN_PARCELS = ("waiting", "to_pick", "picking")


@dataclass(frozen=True, slots=True)
class Change:
    """What is different on a day: all of it closed, or some minutes [starts, ends) of the local day open too, or closed."""

    kind: Kind
    starts_minute: int = 0
    ends_minute: int = 1440

    def over(self, usual: Minutes) -> list[tuple[int, int]]:
        """Return the minutes of a day that had `usual` ones."""
        mine = (self.starts_minute, self.ends_minute)
        if self.kind == "closed":
            return []
        if self.kind == "extra":
            return merge([*usual, mine])
        return [left for start, end in merge(usual) for left in without(start, end, [mine])]


@dataclass(frozen=True, slots=True)
class _Hours:
    """The open time of a day: of the calendar itself, and of each work centre that it touches."""

    calendar: Calendar
    centres: Mapping[int, Calendar]


Row = t.CalendarException | t.WorkCentreException


def set_day(
    session: Session,
    calendar_id: int,
    on_day: date,
    change: Change,
    *,
    centre_id: int | None = None,
    reason: str,
    by: str,
    role: str = "",
    now: datetime,
) -> None:
    """Let a calendar, or one work centre of it, work other hours on a day; those that it touches are re-dated. Locks the plan.

    A second change of a day is made to the hours that the first one left. Raises NotFound(unknown_record |
    unknown_work_centre), BadInput(invalid_form, on_day | ends) where the day is over or far off, or nothing would change.
    """

    def write(row: Row | None, hours: Calendar) -> Row:
        _require_sense(session, on_day, change, now)
        usual = hours.intervals_on(on_day)
        minutes = change.over(usual)
        if minutes == merge(usual):
            raise BadInput("invalid_form", {"on_day": "closed_then" if change.kind != "extra" else "open_then"})
        if row is None:
            row = (
                t.CalendarException(calendar_id=calendar_id, on_day=on_day)
                if centre_id is None
                else t.WorkCentreException(work_centre_id=centre_id, on_day=on_day)
            )
            session.add(row)
        row.intervals, row.reason = [list(one) for one in minutes], reason.strip()[:200]
        return row

    _change(session, calendar_id, centre_id, on_day, write, by=by, role=role, now=now)


def take_back(
    session: Session, calendar_id: int, on_day: date, *, centre_id: int | None = None, by: str, role: str = "", now: datetime
) -> None:
    """Let a calendar, or one work centre of it, work its usual hours on a day again. Locks the plan.

    Raises NotFound(unknown_record | unknown_work_centre).
    """

    def drop(row: Row | None, _: Calendar) -> None:
        if row is None:
            raise NotFound("unknown_record")
        session.delete(row)

    _change(session, calendar_id, centre_id, on_day, drop, by=by, role=role, now=now)


def _require_sense(session: Session, on_day: date, change: Change, now: datetime) -> None:
    ahead = (on_day - local_today(get_company(session), now)).days
    wrong = {} if 0 <= ahead <= MOST_AHEAD else {"on_day": "past_date" if ahead < 0 else "bad_date"}
    if not 0 <= change.starts_minute < change.ends_minute <= 1440:
        wrong["ends"] = "not_after"
    if wrong:
        raise BadInput("invalid_form", wrong)


def _change(
    session: Session,
    calendar_id: int,
    centre_id: int | None,
    on_day: date,
    write: Callable[[Row | None, Calendar], Row | None],
    *,
    by: str,
    role: str,
    now: datetime,
) -> None:
    plan.bump(session, master=True)
    calendar = session.get(t.Calendar, calendar_id, populate_existing=True)
    if calendar is None:
        raise NotFound("unknown_record")
    centre = None if centre_id is None else session.get(t.WorkCentre, centre_id)
    if centre_id is not None and (centre is None or centre.calendar_id != calendar_id):
        raise NotFound("unknown_work_centre")
    row: Row | None = session.scalar(
        sa.select(t.CalendarException).where(t.CalendarException.calendar_id == calendar_id, t.CalendarException.on_day == on_day)
        if centre_id is None
        else sa.select(t.WorkCentreException).where(
            t.WorkCentreException.work_centre_id == centre_id, t.WorkCentreException.on_day == on_day
        )
    )
    said = None if row is None else row.intervals
    before = _hours(session, calendar_id, on_day)
    row = write(row, before.calendar if centre_id is None else before.centres[centre_id])
    session.flush()
    after = _hours(session, calendar_id, on_day)
    place = calendar.name if centre is None else centre.name
    _follow(session, calendar_id, place, on_day, before, after, now)
    subject = f"calendar:{calendar_id}" if centre is None else f"work_centre:{centre.id}"
    details = {"on_day": on_day.isoformat(), "before": said, "after": None if row is None else row.intervals}
    audit.record(session, "calendar.day", subject, actor=by, role=role, details=details, now=now)
    offers.touch_all(session, now=now)


def _hours(session: Session, calendar_id: int, on_day: date) -> _Hours:
    every = calendars.load_all(session, on_day, on_day)
    mine = session.scalars(sa.select(t.WorkCentre.id).where(t.WorkCentre.calendar_id == calendar_id).order_by(t.WorkCentre.id))
    of_centres = calendars.of_centres(session, every)
    return _Hours(every[calendar_id], {one: of_centres[one] for one in mine})


def _follow(session: Session, calendar_id: int, place: str, on_day: date, before: _Hours, after: _Hours, now: datetime) -> None:
    """Re-date what the day touches, in one letter for each order, then offer what is open now to what is late."""
    closed = {one: _lost(hours, after.centres[one], on_day) for one, hours in before.centres.items()}
    opened = {one: _lost(hours, before.centres[one], on_day) for one, hours in after.centres.items()}
    is_open, was_open = after.calendar.is_open_day(on_day), before.calendar.is_open_day(on_day)
    loses = any(closed.values()) or (was_open and not is_open)
    cause = causes.of("fewer_hours" if loses else "more_hours", place=place, changed_on=on_day)
    link = CauseLink("hours", place)
    decisions.because(session, cause.code, now=now)
    parcels = _parcels(session, calendar_id, on_day, now) if is_open != was_open else {}
    buying = _buying(session, calendar_id, on_day) if was_open and not is_open else []
    lying, origin = production.push_what_lies_in(session, {one: spans for one, spans in closed.items() if spans}, link, now=now)
    replan.lock(session, replan.with_dependants(session, {*lying, *buying, *parcels}))
    redated = _redate(session, parcels, now)
    replan.after_change(session, [*lying, *buying], cause=cause, origin=origin, redated=redated, now=now)
    free = gaining.Freed(
        frozenset(_bought_by(session, calendar_id) if is_open and not was_open else ()),
        frozenset(one for one, spans in opened.items() if spans),
    )
    if free.item_ids or free.centre_ids:
        gaining.after_freeing(session, free, cause=causes.of("more_hours", place=place, changed_on=on_day), now=now)


def _lost(before: Calendar, after: Calendar, on_day: date) -> list[tuple[datetime, datetime]]:
    """Return the instants of a day that were open and are not any more."""
    left = after.open_on(on_day)
    return [(moment(a), moment(b)) for start, end in before.open_on(on_day) for a, b in without(start, end, left)]


def _parcels(session: Session, calendar_id: int, on_day: date, now: datetime) -> Mapping[int, int]:
    """Return reservation → its parcel, of those that wait over the day at a warehouse that the calendar, or its carrier's, is."""
    house, parcel = t.Warehouse, t.Shipment
    zone = get_company(session).timezone
    rows = session.execute(
        sa.select(t.Reservation, parcel.id)
        .join(t.ShipmentLine, t.ShipmentLine.reservation_id == t.Reservation.id)
        .join(parcel, parcel.id == t.ShipmentLine.shipment_id)
        .join(house, house.id == parcel.warehouse_id)
        .where(
            sa.or_(house.calendar_id == calendar_id, house.carrier_calendar_id == calendar_id),
            parcel.state.in_(OPEN_PARCELS),
            parcel.expected_on >= on_day,
        )
        .order_by(t.Reservation.id)
    )
    return {one.id: parcel_id for one, parcel_id in rows if one.chain and day_in(zone, max(one.ready_at, now)) <= on_day}


def _redate(session: Session, parcels: Mapping[int, int], now: datetime) -> list[int]:
    """Let parcels leave and arrive as the calendars say now; return the reservations in those that arrive on another day."""
    wanted = sa.select(t.Shipment.id, t.Shipment.expected_on).where(t.Shipment.id.in_(sorted(set(parcels.values()))))
    before = {row.id: row.expected_on for row in session.execute(wanted)}
    rows = session.scalars(sa.select(t.Reservation).where(t.Reservation.id.in_(sorted(parcels)))).all()
    fulfilment.reschedule_all(session, rows, now=now)
    session.flush()
    after = {row.id: row.expected_on for row in session.execute(wanted)}
    return sorted(one for one, parcel_id in parcels.items() if before[parcel_id] != after[parcel_id])


def _buying(session: Session, calendar_id: int, on_day: date) -> Iterable[int]:
    """Return the reservations that wait for purchases over the day which are not ordered yet, from suppliers of the calendar."""
    peg, line, order = t.Peg, t.PurchaseOrderLine, t.PurchaseOrder
    mine = sa.select(t.Supplier.id).where(t.Supplier.calendar_id == calendar_id)
    rows = session.execute(
        sa.select(peg.reservation_id, peg.available_at)
        .join(line, line.id == peg.purchase_order_line_id, isouter=True)
        .join(order, order.id == line.purchase_order_id, isouter=True)
        .where(
            peg.used.is_(False),
            sa.or_(
                sa.and_(peg.kind == "buy", peg.supplier_id.in_(mine)),
                sa.and_(order.state == "proposed", order.supplier_id.in_(mine)),
            ),
        )
    )
    zone = get_company(session).timezone
    return sorted({one for one, available_at in rows if day_in(zone, available_at) >= on_day})


def _bought_by(session: Session, calendar_id: int) -> Iterable[int]:
    """Return the items that suppliers of a calendar sell."""
    return session.scalars(
        sa.select(t.SupplierItem.item_id)
        .join(t.Supplier, t.Supplier.id == t.SupplierItem.supplier_id)
        .where(t.Supplier.calendar_id == calendar_id, t.Supplier.active)
    ).all()
