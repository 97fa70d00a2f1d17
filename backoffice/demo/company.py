"""The demo company: who it is, when it works, who works there, where it delivers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from pwdlib import PasswordHash
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp.postcodes import SUBDIVISIONS

TIMEZONE = "Europe/Berlin"
PASSWORD = "demo"  # noqa: S105 - announced where the demo is started; no other installation has these people

PEOPLE = (
    ("mara@birkengrund.example", "Mara Lindqvist", "sales"),
    ("jonas@birkengrund.example", "Jonas Abel", "sales"),
    ("ayse@birkengrund.example", "Ayşe Demirkan", "warehouse"),
    ("henrik@birkengrund.example", "Henrik Voss", "planner"),
    ("theres@birkengrund.example", "Theres Aumüller", "admin"),
)

Shifts = tuple[tuple[range, int, int], ...]  # (weekdays, first minute, last minute)
_MON_THU, _FRI, _SAT = range(4), range(4, 5), range(5, 6)
# two shifts, on Friday one short one
_MACHINES: Shifts = ((_MON_THU, 6 * 60, 14 * 60), (_MON_THU, 14 * 60, 22 * 60), (_FRI, 6 * 60, 13 * 60))
_HANDS: Shifts = ((_MON_THU, 7 * 60, 12 * 60), (_MON_THU, 12 * 60 + 30, 16 * 60), (_FRI, 7 * 60, 13 * 60))
_CALENDARS: Mapping[str, tuple[str, str, Shifts]] = {
    "machines": ("Machines, two shifts", "DE-BY", _MACHINES),
    "hands": ("Workshop, one shift", "DE-BY", _HANDS),
    "office": ("Office", "DE-BY", ((range(5), 8 * 60, 17 * 60),)),
    "warehouse": ("Warehouse", "DE-BY", ((range(5), 7 * 60, 16 * 60),)),
    "carrier": ("Carrier", "DE", ((range(5), 0, 24 * 60), (_SAT, 0, 24 * 60))),
    "suppliers": ("Suppliers' working days", "DE", ((range(5), 0, 24 * 60),)),
}
_CLOSED_BETWEEN_THE_YEARS = ("machines", "hands", "office", "warehouse")

WORK_CENTRES = (
    ("SAW", "Saw", "machines", 1),
    ("CNC", "CNC", "machines", 1),
    ("ASSEMBLY", "Assembly", "hands", 2),
    ("SANDING", "Sanding", "hands", 1),
    ("UPHOLSTERY", "Upholstery", "hands", 1),
    ("FINISHING", "Finishing", "hands", 1),
)
_FAR = {"MV", "SH", "HH", "HB", "NI", "BB", "BE", "SL", "NW"}  # two days from Bamberg; the rest of Germany one
# country, postcode prefix (none: everywhere else), place with holidays of its own, working days from Bamberg
_FURTHER = (
    ("FR", "", "", 3),
    ("FR", "20", "", 6),  # Corsica
    ("IE", "", "", 5),
    ("IT", "", "", 4),
    ("IT", "39", "BZ", 3),  # South Tyrol, on the way
    *(("IT", prefix, "", 6) for prefix in ("07", "08", "09", "90", "91", "92", "93", "94", "95", "96", "97", "98")),  # islands
    ("NL", "", "", 2),
)


def write_company(session: Session, *, today: date, now: datetime) -> dict[str, int]:
    """Write the company, its calendars, work centres, warehouse, zones and people; return calendar code → id."""
    calendars = {code: _calendar(session, code) for code in _CALENDARS}
    for code in _CLOSED_BETWEEN_THE_YEARS:
        _close(session, calendars[code], today)
    session.add(
        t.Company(
            id=1,
            name="Birkengrund Workshop",
            country="DE",
            currency="EUR",
            timezone=TIMEZONE,
            language="en",
            email="hello@birkengrund.example",
            phone="+49 89 99998 120",  # from the block kept for invented numbers
            address=["Mühlgasse 12", "96047 Bamberg", "Germany"],
            shipping_minor=990,
            default_postcode="96047",
            office_calendar_id=calendars["office"],
        )
    )
    session.add(t.PlanDomain(id=1, version=0, master_version=0))
    session.add_all(
        t.WorkCentre(code=code, name=name, calendar_id=calendars[calendar], lanes=lanes)
        for code, name, calendar, lanes in WORK_CENTRES
    )
    session.add(
        t.Warehouse(
            code="bamberg",
            name="Bamberg",
            timezone=TIMEZONE,
            calendar_id=calendars["warehouse"],
            carrier_calendar_id=calendars["carrier"],
            carrier="Frankenkurier",
            cutoff_minute=14 * 60,
        )
    )
    session.flush()
    north = t.Warehouse(
        code="north",
        name="Lager Nord, Lüneburg",
        timezone=TIMEZONE,
        calendar_id=calendars["warehouse"],
        carrier_calendar_id=calendars["carrier"],
        carrier="Elbkurier",
        cutoff_minute=15 * 60,
        address=["Salzstraße 40", "21335 Lüneburg", "Germany"],
    )
    session.add(north)
    session.flush()
    session.add_all(
        t.WarehouseTransit(warehouse_id=north.id, country="DE", prefix=prefix, transit_days=1 if state in _FAR else 2)
        for prefix, state in SUBDIVISIONS["DE"].items()
    )
    session.add_all(_zones())
    session.add(
        t.ShippingService(
            code="express", name="Express", position=1, price_minor=2_490, transit_days=1, cutoff_minute=17 * 60,
            countries=["DE", "AT"], active=True,
        )
    )  # fmt: skip
    session.add(
        t.ShippingService(
            code="same-day", name="Courier, same day", position=2, price_minor=8_900, transit_days=0, cutoff_minute=10 * 60,
            countries=["DE"], active=True,
        )
    )  # fmt: skip
    session.add_all(_people(now))
    session.flush()
    return calendars


def _calendar(session: Session, code: str) -> int:
    name, holidays, shifts = _CALENDARS[code]
    calendar = t.Calendar(code=code, name=name, timezone=TIMEZONE, holidays=holidays)
    session.add(calendar)
    session.flush()
    session.add_all(
        t.CalendarShift(calendar_id=calendar.id, weekday=weekday, starts_minute=first, ends_minute=last)
        for weekdays, first, last in shifts
        for weekday in weekdays
    )
    return calendar.id


def _close(session: Session, calendar_id: int, today: date) -> None:
    """Close from Christmas Eve to New Year's Eve, this year and the next."""
    for year in (today.year - 1, today.year, today.year + 1):
        session.add_all(
            t.CalendarException(
                calendar_id=calendar_id,
                on_day=date(year, 12, 24) + timedelta(days=days),
                intervals=[],
                reason="Closed between the years",
            )
            for days in range(8)
        )


def _zones() -> list[t.ShippingZone]:
    german = [
        t.ShippingZone(country="DE", prefix=prefix, subdivision=state, transit_days=2 if state in _FAR else 1)
        for prefix, state in SUBDIVISIONS["DE"].items()
    ]
    austrian = [
        t.ShippingZone(country="AT", prefix=prefix, subdivision=state, transit_days=3)
        for prefix, state in SUBDIVISIONS["AT"].items()
    ]
    further = [
        t.ShippingZone(country=country, prefix=prefix, subdivision=place, transit_days=days)
        for country, prefix, place, days in _FURTHER
    ]
    return german + austrian + further


def _people(now: datetime) -> list[t.Staff]:
    password_hash = PasswordHash.recommended().hash(PASSWORD)
    return [
        t.Staff(email=email, name=name, role=role, password_hash=password_hash, created_at=now) for email, name, role in PEOPLE
    ]
