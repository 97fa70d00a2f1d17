"""What an empty database needs before the data: the company, its calendars, its warehouse, where it delivers."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.erp.company import get_company, get_warehouse, local_today
from backoffice.erp.postcodes import SUBDIVISIONS
from backoffice.imports.adventureworks.rules import NEWEST
from backoffice.imports.sync import Sync

TIMEZONE = "America/Los_Angeles"
RECEIVED_BY = time(17)  # only the day of a receipt is known: it is there when the day's work ends

# days on the road from the works in Bothell, Washington; what is not named takes LONGEST
_TRANSIT = {
    1: "WA",
    2: "OR ID MT",
    3: "CA NV UT WY",
    4: "AZ CO NM ND SD NE KS",
    5: "TX OK MN IA MO AR LA WI IL",
    6: "MS AL TN KY IN MI OH GA FL SC NC VA WV PA NY NJ DE MD DC CT RI MA VT NH ME",
    8: "AK HI",
}
_LONGEST = 10
_DAYS = {state: days for days, states in _TRANSIT.items() for state in states.split()}


class Anchor:
    """How the data's dates become ours: its newest day is the day of the first import, in the company's zone."""

    def __init__(self, day: date, timezone: str) -> None:
        self.day = day
        self._zone = ZoneInfo(timezone)

    def shift(self, day: date) -> date:
        """Return their day on our calendar."""
        return self.day + (day - NEWEST)

    def received_at(self, day: date) -> datetime:
        """Return the instant at which something due on their `day` is there."""
        return datetime.combine(self.shift(day), RECEIVED_BY, self._zone)


def prepare(sync: Sync, now: datetime) -> Anchor:
    """Make what is missing of company, calendars, warehouse and zones; return the anchor of the first import."""
    session = sync.session
    if session.get(t.Company, 1) is None:
        _company(session)
    if session.scalar(sa.select(t.Warehouse.id).limit(1)) is None:
        _warehouse(session)
    if session.scalar(sa.select(t.ShippingZone.id).limit(1)) is None:
        _zones(session)
    if session.get(t.PlanDomain, plan.DOMAIN) is None:
        session.add(t.PlanDomain(id=plan.DOMAIN, version=0, master_version=0))
    session.flush()
    company = get_company(session)
    ref = sync.find("import", "day")
    if ref is None:
        sync.remember("import", "day", 1, local_today(company, now).isoformat())
        ref = sync.find("import", "day")
        assert ref is not None
    return Anchor(date.fromisoformat(ref.fingerprint), company.timezone)


def warehouse_id(session: Session) -> int:
    """Return the warehouse that the stock goes to."""
    return get_warehouse(session).id


def working_week(session: Session, code: str, name: str, timezone: str, first: int, last: int, holidays: str) -> int:
    """Make a calendar from Monday to Friday; return its id. first, last: minutes of the day."""
    calendar = t.Calendar(code=code, name=name, timezone=timezone, holidays=holidays)
    session.add(calendar)
    session.flush()
    session.add_all(
        t.CalendarShift(calendar_id=calendar.id, weekday=weekday, starts_minute=first, ends_minute=last) for weekday in range(5)
    )
    return calendar.id


def _company(session: Session) -> None:
    office = working_week(session, "aw-office", "Office hours", TIMEZONE, 8 * 60, 17 * 60, "US")
    session.add(
        t.Company(
            id=1,
            name="Adventure Works Cycles",
            country="US",
            currency="USD",
            timezone=TIMEZONE,
            language="en",
            email="hello@adventure-works.example",
            phone="",
            address=["Bothell, Washington", "USA"],
            shipping_minor=395,  # the base rate of XRQ - TRUCK GROUND in ShipMethod.csv
            default_postcode="98011",
            office_calendar_id=office,
        )
    )


def _warehouse(session: Session) -> None:
    timezone = TIMEZONE
    company = session.get(t.Company, 1)
    if company is not None:
        timezone = company.timezone
    # the plant has no holidays, says the data; the carrier has the country's
    own = working_week(session, "aw-warehouse", "Warehouse", timezone, 8 * 60, 17 * 60, "")
    carrier = working_week(session, "aw-carrier", "Carrier", timezone, 0, 24 * 60, "US")
    session.add(
        t.Warehouse(
            code="aw",
            name="Finished Goods Storage",
            timezone=timezone,
            calendar_id=own,
            carrier_calendar_id=carrier,
            carrier="XRQ Truck Ground",
            cutoff_minute=14 * 60,
        )
    )


def _zones(session: Session) -> None:
    session.add_all(
        t.ShippingZone(country="US", prefix=prefix, subdivision=state, transit_days=_DAYS.get(state, _LONGEST))
        for prefix, state in SUBDIVISIONS["US"].items()
    )
