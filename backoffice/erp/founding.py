"""Found the company of an empty database: who it is, when it works, where it ships from and to. Goods come afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.numbers import list_currencies
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import currencies, plan
from backoffice.erp import models as t
from backoffice.erp.postcodes import SUBDIVISIONS
from backoffice.erp.public_holidays import holiday_names
from backoffice.erp.shipping import find_zone
from backoffice.public.addresses import is_postcode, normalise_postcode
from backoffice.public.errors import BadInput, Refused

WORKDAYS = range(5)
WHOLE_DAY = (0, 24 * 60)
MOST_TRANSIT_DAYS = 60


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a company begins with. Minutes count from midnight, amounts are in the currency's smallest unit.

    holidays: region whose holidays the company keeps ("DE-BY"); empty: its country's. transit_days: how long a parcel takes,
    by country; the company's own is among them.
    """

    name: str
    country: str
    currency: str
    timezone: str
    language: str
    email: str
    address: tuple[str, ...]
    default_postcode: str
    transit_days: Mapping[str, int] = field(default_factory=dict)
    holidays: str = ""
    carrier: str = ""
    opens_minute: int = 8 * 60
    closes_minute: int = 16 * 60
    cutoff_minute: int = 14 * 60
    shipping_minor: int = 0


def open_company(session: Session, beginning: Beginning, *, by: str, now: datetime) -> t.Company:
    """Write the company, its office, warehouse and delivery; return it.

    Raises Refused(exists, name) where there is a company, BadInput(invalid_form, fields) for what cannot be.
    """
    there = session.get(t.Company, 1)
    if there is not None:
        raise Refused("exists", name=there.name)
    if wrong := _wrong(beginning):
        raise BadInput("invalid_form", wrong)
    hours, region = (beginning.opens_minute, beginning.closes_minute), beginning.holidays or beginning.country
    office, warehouse, carrier = (
        _working_week(session, code, name, beginning.timezone, region=kept, hours=shift)
        for code, name, kept, shift in (
            ("office", "Office", region, hours),
            ("warehouse", "Warehouse", region, hours),
            ("carrier", "Carrier", beginning.country, WHOLE_DAY),
        )
    )
    company = t.Company(
        id=1,
        name=beginning.name,
        country=beginning.country,
        currency=beginning.currency,
        timezone=beginning.timezone,
        language=beginning.language,
        email=beginning.email,
        address=list(beginning.address),
        shipping_minor=beginning.shipping_minor,
        default_postcode=normalise_postcode(beginning.country, beginning.default_postcode),
        office_calendar_id=office,
    )
    session.add(company)
    session.add(
        t.Warehouse(
            code="main",
            name=beginning.name,
            timezone=beginning.timezone,
            calendar_id=warehouse,
            carrier_calendar_id=carrier,
            carrier=beginning.carrier,
            cutoff_minute=beginning.cutoff_minute,
            address=list(beginning.address),
        )
    )
    for country, days in sorted(beginning.transit_days.items()):
        session.add_all(_zones(country, days))
    session.flush()
    if find_zone(session, company.country, company.default_postcode) is None:
        raise BadInput("invalid_form", {"default_postcode": "unknown_postcode"})
    plan.bump(session, master=True)
    audit.record(session, "company.open", "company:1", actor=by, details={"name": company.name}, now=now)
    return company


def _working_week(session: Session, code: str, name: str, timezone: str, *, region: str, hours: tuple[int, int]) -> int:
    calendar = t.Calendar(code=code, name=name, timezone=timezone, holidays=region)
    session.add(calendar)
    session.flush()
    session.add_all(
        t.CalendarShift(calendar_id=calendar.id, weekday=weekday, starts_minute=hours[0], ends_minute=hours[1])
        for weekday in WORKDAYS
    )
    return calendar.id


def _zones(country: str, days: int) -> list[t.ShippingZone]:
    """Return a zone for each postcode prefix that is known, with its region's holidays; else one for the whole country."""
    prefixes = SUBDIVISIONS.get(country, {"": ""})
    return [
        t.ShippingZone(country=country, prefix=prefix, subdivision=subdivision, transit_days=days)
        for prefix, subdivision in prefixes.items()
    ]


def _wrong(beginning: Beginning) -> dict[str, str]:
    wrong: dict[str, str] = {}
    for name in ("name", "address"):
        if not getattr(beginning, name):
            wrong[name] = "required"
    countries = Locale("en").territories
    if beginning.country not in countries or not beginning.country.isalpha():
        wrong["country"] = "unknown_country"
    if beginning.currency not in list_currencies():
        wrong["currency"] = "unknown_currency"
    elif not currencies.is_sure(beginning.currency):
        wrong["currency"] = "unsure_currency"
    try:
        ZoneInfo(beginning.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong["timezone"] = "unknown_timezone"
    try:
        holiday_names(beginning.holidays or beginning.country, 2026, 2026)
    except ValueError:
        wrong["holidays"] = "unknown_region"
    try:
        validate_email(beginning.email, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        wrong["email"] = "invalid_email"
    if not is_postcode(beginning.country, normalise_postcode(beginning.country, beginning.default_postcode)):
        wrong["default_postcode"] = "unknown_postcode"
    days = beginning.transit_days
    known = all(country in countries and country.isalpha() for country in days if country != beginning.country)
    if beginning.country not in days or not known or any(not 0 <= one <= MOST_TRANSIT_DAYS for one in days.values()):
        wrong["transit_days"] = "bad_number"
    if not 0 <= beginning.opens_minute < beginning.closes_minute <= 24 * 60:
        wrong["hours"] = "bad_number"
    if not 0 <= beginning.cutoff_minute < 24 * 60:
        wrong["cut_off"] = "bad_number"
    if beginning.shipping_minor < 0:
        wrong["shipping_minor"] = "bad_amount"
    return wrong
