"""From ready to delivered: pick and pack, the cut-off, the ship day, transit, the delivery day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from backoffice.planning.calendars import HORIZON_DAYS, Calendar
from backoffice.planning.instants import local_instant, local_same_clock, micros, moment
from backoffice.planning.outcome import Link

_ONE_DAY = timedelta(days=1)
_BEGINNING = 0  # microseconds: before any plan


@dataclass(frozen=True, slots=True)
class Shipping:
    """How goods leave a warehouse and travel.

    timezone: of the warehouse. pick_pack_days: open warehouse days. cutoff_minute: minute of the local day; goods
    packed at it or later leave on the next open day (1440: never too late). transit_days: open days of the carrier.
    delivery: the days on which the customer's place takes goods; None: every day the carrier brings them. margin_days: open
    days of the carrier that are kept in reserve, because its parcels may come late.
    """

    timezone: str
    pick_pack_days: int
    cutoff_minute: int
    warehouse: Calendar
    transit_days: int
    carrier: Calendar
    delivery: Calendar | None = None
    margin_days: int = 0


@dataclass(frozen=True, slots=True)
class Shipped:
    """The day goods leave (a date at the warehouse), the day they arrive (at the customer's), and the links to it.

    Links follow each other from the ready instant without a gap; the last one ends on the delivery day.
    """

    ship_on: date
    deliver_on: date
    links: Sequence[Link]


def ship(ready_at: datetime, shipping: Shipping) -> Shipped | None:
    """Work out ship and delivery day of goods that are ready at `ready_at`; None if a calendar never opens for them.

    `pick_pack_days` open warehouse days after ready, at the same time of day, they are packed. On an open day before
    the cut-off they leave that day, otherwise the next open day. Transit days are counted after the ship day, then those
    kept in reserve; with a delivery calendar the goods wait for its next open day. A day exactly at the cut-off counts as
    after it.
    """
    zone = ZoneInfo(shipping.timezone)
    packed = _packed(ready_at, shipping, zone)
    ship_on = None if packed is None else _ship_day(packed, shipping, zone)
    if packed is None or ship_on is None:
        return None
    arrival = _arrival(ship_on, shipping)
    if arrival is None:
        return None
    links = _links(micros(ready_at), packed, (ship_on, *arrival), shipping, zone)
    return Shipped(ship_on, arrival[-1], links)


Window = tuple[datetime | None, datetime]  # from (None: whenever before), until: the end is not part of it


def ready_in_time(deliver_by: date, shipping: Shipping, *, now: datetime) -> list[Window]:
    """Return the windows in which goods must become ready to arrive on `deliver_by` at the latest, seen from `now`.

    The inverse of `ship`: what is ready at r (before now: at now) is in a window exactly if ship(r).deliver_on <= deliver_by.
    Several only where parcels take days to pack: what is ready on a closed day is packed at the same time of the day as what
    was ready on the open day before. With such days, a cut-off inside the hour that clocks show twice may leave some out.
    """
    zone = ZoneInfo(shipping.timezone)
    last_on = _last_ship_day(deliver_by, now.astimezone(zone).date(), shipping)
    if last_on is None:
        return []
    soonest = micros(now)
    return [
        (None if start <= soonest else moment(start), moment(end))
        for start, end in _ready_before_cutoff(last_on, shipping, zone)
        if end > soonest
    ]


def _last_ship_day(deliver_by: date, today: date, shipping: Shipping) -> date | None:
    """Return the last open warehouse day, today or later, that still brings goods by a day."""
    day = deliver_by
    for _ in range(HORIZON_DAYS):
        if day < today:
            return None
        arrival = _arrival(day, shipping) if shipping.warehouse.is_open_day(day) else None
        if arrival is not None and arrival[-1] <= deliver_by:
            return day
        day -= _ONE_DAY
    return None


def _ready_before_cutoff(last_on: date, shipping: Shipping, zone: ZoneInfo) -> list[tuple[int, int]]:
    """Return when goods must be ready to be packed before the cut-off of an open day."""
    minute, end = shipping.cutoff_minute, local_instant(last_on, shipping.cutoff_minute, zone)
    if shipping.pick_pack_days == 0:
        return [(_BEGINNING, end)]
    while minute and local_instant(last_on, minute - 1, zone) >= end:  # inside an hour that clocks skip
        minute -= 1
    day = last_on
    for _ in range(HORIZON_DAYS):
        day -= _ONE_DAY
        if shipping.warehouse.is_open_day(day) and shipping.warehouse.add_open_days(day, shipping.pick_pack_days) == last_on:
            break
    found = [(_BEGINNING, local_instant(day, minute, zone))]
    while not shipping.warehouse.is_open_day(day := day + _ONE_DAY):
        found.append((local_instant(day, 0, zone), local_instant(day, minute, zone)))
    return found


def _arrival(ship_on: date, shipping: Shipping) -> tuple[date, date, date] | None:
    """Return the day on which the carrier brings what left on a day, that day with the reserve, and the day it is taken in."""
    brought_on = shipping.carrier.add_open_days(ship_on, shipping.transit_days)
    safe_on = None if brought_on is None else shipping.carrier.add_open_days(brought_on, shipping.margin_days)
    if brought_on is None or safe_on is None:
        return None
    deliver_on = safe_on if shipping.delivery is None else shipping.delivery.next_open_day(safe_on)
    return None if deliver_on is None else (brought_on, safe_on, deliver_on)


def _packed(ready_at: datetime, shipping: Shipping, zone: ZoneInfo) -> int | None:
    """Return the instant at which the goods are packed."""
    if shipping.pick_pack_days == 0:
        return micros(ready_at)
    day = shipping.warehouse.add_open_days(ready_at.astimezone(zone).date(), shipping.pick_pack_days)
    return None if day is None else local_same_clock(ready_at, day, zone)


def _ship_day(packed: int, shipping: Shipping, zone: ZoneInfo) -> date | None:
    day = moment(packed).astimezone(zone).date()
    if shipping.warehouse.is_open_day(day) and packed < local_instant(day, shipping.cutoff_minute, zone):
        return day
    return shipping.warehouse.next_open_day(day + _ONE_DAY)


def _links(ready: int, packed: int, days: tuple[date, date, date, date], shipping: Shipping, zone: ZoneInfo) -> tuple[Link, ...]:
    """Join ready, packed, the cut-off of the ship day, the day of arrival, the day in reserve and the day of delivery."""
    ship_on, brought_on, safe_on, deliver_on = days
    there = shipping.delivery or shipping.carrier
    left = max(packed, min(local_instant(ship_on, shipping.cutoff_minute, zone), local_instant(ship_on, 1440, zone) - 1))
    brought = max(left, local_instant(brought_on, 0, there.zone))
    safe = max(brought, local_instant(safe_on, 0, there.zone))
    delivered = max(safe, local_instant(deliver_on, 0, there.zone))
    missed = moment(packed).astimezone(zone).date() != ship_on
    here, place = {"zone": shipping.timezone}, {"zone": there.timezone}
    packing = (
        ()
        if packed == ready
        else (Link("pick_pack", moment(ready), moment(packed), None, {**here, "days": shipping.pick_pack_days}),)
    )
    kept_back = (
        (Link("carrier_margin", moment(brought), moment(safe), None, {**place, "days": shipping.margin_days}),)
        if shipping.margin_days
        else ()
    )
    return (
        *packing,
        Link("cutoff", moment(packed), moment(left), None, {**here, "minute": shipping.cutoff_minute, "missed": missed}),
        Link("ship", moment(left), moment(left), None, {**here, "day": ship_on.isoformat()}),
        Link("transit", moment(left), moment(brought), None, {**place, "days": shipping.transit_days}),
        *kept_back,
        Link("deliver", moment(safe), moment(delivered), None, {**place, "day": deliver_on.isoformat()}),
    )
