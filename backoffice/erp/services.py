"""Shipping services beside the usual one: faster at a price, with transit days and a cut-off of their own.

The usual way ("") is the zones' days, the warehouse's cut-off and the company's price; it is always there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.erp.company import get_company, premises
from backoffice.public.errors import BadInput

USUAL = ""
CODE = re.compile(r"[a-z][a-z0-9-]{0,29}")
MOST_MINOR = 10_000_000
MOST_DAYS = 60
FIELDS = ("code", "name", "position", "price_minor", "transit_days", "cutoff_minute", "countries", "active")


def find(session: Session, code: str, country: str) -> t.ShippingService | None:
    """Return a service that goes to a country, offered or not; None for the usual way."""
    row = premises(session).services.get(code)
    return row if row is not None and (not row.countries or country in row.countries) else None


def offered(session: Session, country: str) -> Sequence[t.ShippingService]:
    """Return what may be chosen for a country beside the usual way, in the shop's order."""
    rows = premises(session).services.values()
    return sorted(
        (row for row in rows if row.active and (not row.countries or country in row.countries)),
        key=lambda row: (row.position, row.code),
    )


def current(session: Session, code: str, country: str) -> str:
    """Return a chosen service as long as it is offered, else the usual way."""
    return code if code in {row.code for row in offered(session, country)} else USUAL


def price_minor(session: Session, code: str) -> int:
    """Return what an order costs to send, wherever it goes."""
    row = premises(session).services.get(code)
    return get_company(session).shipping_minor if row is None else row.price_minor


def name_of(session: Session, code: str) -> str:
    """Return a service's name as the shop calls it; empty for the usual way."""
    row = premises(session).services.get(code)
    return "" if row is None else row.name


def save(session: Session, values: Mapping[str, Any], *, by: str, role: str, now: datetime) -> t.ShippingService:
    """Write a service, a new one where there is none of its code; what it was before stands in the audit.

    values: FIELDS; price_minor, transit_days, position: None for what was no number; cutoff_minute: None as the warehouse's.
    Orders keep the service they were sold with. Raises BadInput(invalid_form, fields).
    """
    wrong = _wrong(session, values)
    if wrong:
        raise BadInput("invalid_form", wrong)
    row = session.scalar(sa.select(t.ShippingService).where(t.ShippingService.code == values["code"]))
    before = {} if row is None else {name: getattr(row, name) for name in FIELDS}
    if row is None:
        row = t.ShippingService(code=values["code"])
        session.add(row)
    for name in FIELDS:
        setattr(row, name, values[name])
    plan.bump(session, master=True)
    session.flush()
    details = {"before": before, "after": {name: values[name] for name in FIELDS}}
    audit.record(session, "service.change", f"service:{row.code}", actor=by, role=role, details=details, now=now)
    return row


def _wrong(session: Session, values: Mapping[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not CODE.fullmatch(values["code"]):
        wrong["code"] = "bad_code"
    if not values["name"].strip():
        wrong["name"] = "required"
    elif len(values["name"]) > 60:
        wrong["name"] = "too_long"
    limits = {
        "price_minor": (MOST_MINOR, "bad_amount"),
        "transit_days": (MOST_DAYS, "bad_number"),
        "position": (9_999, "bad_number"),
    }
    wrong |= {name: code for name, (most, code) in limits.items() if values[name] is None or not 0 <= values[name] <= most}
    if values["cutoff_minute"] is not None and not 0 <= values["cutoff_minute"] <= 1439:
        wrong["cutoff_minute"] = "bad_clock"
    if set(values["countries"]) - set(premises(session).countries):
        wrong["countries"] = "unknown_country"
    return wrong
