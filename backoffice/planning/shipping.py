"""From ready to delivered: pick and pack, the cut-off, the ship day, transit, the delivery day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from backoffice.planning.calendars import Calendar
from backoffice.planning.instants import local_instant, local_same_clock, micros, moment
from backoffice.planning.outcome import Link

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shipping:
    """How goods leave a warehouse and travel.

    timezone: of the warehouse. pick_pack_days: open warehouse days. cutoff_minute: minute of the local day; goods
    packed at it or later leave on the next open day (1440: never too late). transit_days: open days of the carrier.
    delivery: the days on which the customer's place takes goods; None: every day the carrier brings them.
    """

    timezone: str
    pick_pack_days: int
    cutoff_minute: int
    warehouse: Calendar
    transit_days: int
    carrier: Calendar
    delivery: Calendar | None = None


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
    the cut-off they leave that day, otherwise the next open day. Transit days are counted after the ship day; with a
    delivery calendar the goods wait for its next open day. A day exactly at the cut-off counts as after it.
    """
    zone = ZoneInfo(shipping.timezone)
    packed = _packed(ready_at, shipping, zone)
    ship_on = None if packed is None else _ship_day(packed, shipping, zone)
    if packed is None or ship_on is None:
        return None
    brought_on = shipping.carrier.add_open_days(ship_on, shipping.transit_days)
    if brought_on is None:
        return None
    deliver_on = brought_on if shipping.delivery is None else shipping.delivery.next_open_day(brought_on)
    if deliver_on is None:
        return None
    links = _links(micros(ready_at), packed, (ship_on, brought_on, deliver_on), shipping, zone)
    return Shipped(ship_on, deliver_on, links)


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


def _links(ready: int, packed: int, days: tuple[date, date, date], shipping: Shipping, zone: ZoneInfo) -> tuple[Link, ...]:
    """Join ready, packed, the cut-off of the ship day, the day of arrival and the day of delivery."""
    ship_on, brought_on, deliver_on = days
    there = shipping.delivery or shipping.carrier
    left = max(packed, min(local_instant(ship_on, shipping.cutoff_minute, zone), local_instant(ship_on, 1440, zone) - 1))
    brought = max(left, local_instant(brought_on, 0, there.zone))
    delivered = max(brought, local_instant(deliver_on, 0, there.zone))
    missed = moment(packed).astimezone(zone).date() != ship_on
    here, place = {"zone": shipping.timezone}, {"zone": there.timezone}
    packing = (
        ()
        if packed == ready
        else (Link("pick_pack", moment(ready), moment(packed), None, {**here, "days": shipping.pick_pack_days}),)
    )
    return (
        *packing,
        Link("cutoff", moment(packed), moment(left), None, {**here, "minute": shipping.cutoff_minute, "missed": missed}),
        Link("ship", moment(left), moment(left), None, {**here, "day": ship_on.isoformat()}),
        Link("transit", moment(left), moment(brought), None, {**place, "days": shipping.transit_days}),
        Link("deliver", moment(brought), moment(delivered), None, {**place, "day": deliver_on.isoformat()}),
    )
