"""From the warehouse to the door: zones, cut-off, transit, the days on which parcels are handed over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from backoffice.erp import margins, services
from backoffice.erp import models as t
from backoffice.erp.calendars import delivery_calendar
from backoffice.erp.company import get_company, get_warehouse, premises
from backoffice.erp.factory import Master
from backoffice.planning.shipping import Shipping, ship
from backoffice.public.addresses import is_postcode, normalise_postcode
from backoffice.public.errors import BadInput


@dataclass(frozen=True, slots=True)
class Destination:
    """A place that we deliver to, and how the way there is counted. service: it is sent with, "" the usual way."""

    country: str
    postcode: str
    shipping: Shipping
    timezone: str
    service: str = ""

    def without_margin(self) -> Destination:
        """Return the way as it is if the carrier is not late: the plan's own days are counted on it."""
        return replace(self, shipping=replace(self.shipping, margin_days=0)) if self.shipping.margin_days else self


def find_zone(session: Session, country: str, postcode: str) -> t.ShippingZone | None:
    """Return the zone with the longest matching prefix, or None: we know no such postcode.

    A zone without a prefix takes every postcode of its country, and none: days are the same in all of it.
    """
    zones = premises(session).zones
    lengths = range(len(postcode), -1, -1)
    return next((zone for length in lengths if (zone := zones.get((country, postcode[:length]))) is not None), None)


def countries(session: Session) -> Sequence[str]:
    """Return the countries that we deliver to, in the order of their codes."""
    return premises(session).countries


def _transit_days(session: Session, warehouse: t.Warehouse, zone: t.ShippingZone, postcode: str) -> int:
    """Return how long a warehouse's parcels travel: its own row with the longest prefix, else what the zone says."""
    transits = premises(session).transits
    keys = ((warehouse.id, zone.country, postcode[:length]) for length in range(len(postcode), -1, -1))
    return next((transits[key] for key in keys if key in transits), zone.transit_days)


def destination(
    session: Session,
    master: Master,
    *,
    country: str | None = None,
    postcode: str | None = None,
    warehouse_id: int | None = None,
    service: str = "",
    now: datetime,
) -> Destination:
    """Return the way to a postcode; without one, to the place that the company names days for by default.

    warehouse_id: where the parcel starts; none: at the works. service: one that does not go there is the usual way.

    Raises BadInput(unknown_country) if we deliver nowhere in it, BadInput(unknown_postcode) if there is no such postcode or
    we do not deliver there.
    """
    ways: dict[object, Destination] = session.info.setdefault("ways", {})
    asked = (id(master), country, postcode, warehouse_id, service, now)
    if asked not in ways:
        ways[asked] = _destination(session, master, country, postcode, warehouse_id, service, now)
    return ways[asked]


def _destination(
    session: Session,
    master: Master,
    country: str | None,
    postcode: str | None,
    warehouse_id: int | None,
    service: str,
    now: datetime,
) -> Destination:
    company, warehouse = get_company(session), get_warehouse(session, warehouse_id)
    country = country or company.country
    usual = company.default_postcode if country == company.country else ""  # elsewhere a day may be known by the country alone
    code = normalise_postcode(country, postcode or usual)
    zone = find_zone(session, country, code) if not code or is_postcode(country, code) else None
    if zone is None and country not in countries(session):
        raise BadInput("unknown_country", {"country": "unknown_country"}, country=country)
    if zone is None:
        raise BadInput("unknown_postcode", {"postcode": "unknown_postcode"}, postcode=code)
    region = f"{country}-{zone.subdivision}" if zone.subdivision else country
    usual_days = zone.transit_days if warehouse_id is None else _transit_days(session, warehouse, zone, code)
    faster = services.find(session, service, country)
    cutoff = None if faster is None else faster.cutoff_minute
    year = now.astimezone(ZoneInfo(warehouse.timezone)).year
    return Destination(
        country,
        code,
        Shipping(
            warehouse.timezone,
            warehouse.pick_pack_days,
            warehouse.cutoff_minute if cutoff is None else cutoff,
            master.calendars[warehouse.calendar_id],
            usual_days if faster is None else faster.transit_days,
            master.calendars[warehouse.carrier_calendar_id],
            delivery_calendar(warehouse.timezone, region, year),
            margins.of_parcels(session, warehouse),
        ),
        warehouse.timezone,
        "" if faster is None else service,
    )


def arrival(way: Destination, *, now: datetime) -> Callable[[datetime], date | None]:
    """Return what says on which day goods that are ready at an instant arrive; None: never."""

    def arrives_on(ready_at: datetime) -> date | None:
        shipped = ship(max(ready_at, now), way.shipping)
        return None if shipped is None else shipped.deliver_on

    return arrives_on


def from_warehouse(
    session: Session, master: Master, place: Destination, warehouse_id: int | None, *, now: datetime
) -> Destination:
    """Return the way from a warehouse to the place that another way leads to; from the works it is counted already."""
    if warehouse_id is None:
        return place
    where = {"country": place.country, "postcode": place.postcode, "service": place.service}
    return destination(session, master, **where, warehouse_id=warehouse_id, now=now)
