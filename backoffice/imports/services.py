"""Shipping services from a CSV file: all of it or, where a row makes no sense, nothing, with each fault by its row."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel.numbers import get_currency_precision
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp import services
from backoffice.erp.company import get_company, premises
from backoffice.imports import csvfile
from backoffice.imports.csvfile import Row
from backoffice.imports.faults import BrokenFolder, Fault
from backoffice.public.errors import BadInput

COLUMNS = ("code", "name", "position", "price", "transit_days", "packed_by", "countries", "offered")
NAMED = {"price_minor": "price", "cutoff_minute": "packed_by", "active": "offered"}  # our field → its column


def import_services(db: Database, path: Path, *, by: str, now: datetime) -> Counter[str]:
    """Write the services of a file, by their codes; return how many were added, changed and unchanged.

    Services that the file does not name stay. Raises BrokenFolder with the faults of up to 20 rows; nothing is written then.
    """
    return db.run(lambda session: _import(session, path, by, now))


def _import(session: Session, path: Path, by: str, now: datetime) -> Counter[str]:
    precision = get_currency_precision(get_company(session).currency)
    codes: set[str] = set()

    def parse(row: Row) -> tuple[Row, dict[str, Any]]:
        values = _values(row, precision)
        if values["code"] in codes:
            raise row.fault("code", _("%(number)s comes twice", number=values["code"]))
        codes.add(values["code"])
        return row, values

    found = csvfile.read(path, COLUMNS, parse)
    before = {row.code: {name: getattr(row, name) for name in services.FIELDS} for row in premises(session).services.values()}
    counts: Counter[str] = Counter()
    faults: list[Fault] = []
    for row, values in found:
        if before.get(values["code"]) == values:
            counts["unchanged"] += 1
            continue
        try:
            services.save(session, values, by=by, role="", now=now)
        except BadInput as error:
            faults += [Fault(row.file, row.line, NAMED.get(name, name), _words()[code]) for name, code in error.fields.items()]
        counts["changed" if values["code"] in before else "added"] += 1
    if faults:
        raise BrokenFolder(faults[:20])
    return counts


def _values(row: Row, precision: int) -> dict[str, Any]:
    price = row.number("price").scaleb(precision)
    if price != price.to_integral_value():
        raise row.fault("price", _("%(text)s is finer than the currency", text=row.text("price")))
    return {
        "code": row.required("code").lower(),
        "name": row.required("name"),
        "position": row.integer("position"),
        "price_minor": int(price),
        "transit_days": row.integer("transit_days"),
        "cutoff_minute": _minute(row),
        "countries": sorted(set(row.text("countries").upper().split())),
        "active": row.flag("offered"),
    }


def _minute(row: Row) -> int | None:
    """Return the minute of a time like 14:00; None for an empty cell."""
    text = row.text("packed_by")
    if not text:
        return None
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isascii() and hours.isdecimal() and minutes.isascii() and minutes.isdecimal() and len(minutes) == 2):
        raise row.fault("packed_by", _("“%(text)s” is not a time like 14:00", text=text[:40]))
    minute = int(Decimal(hours)) * 60 + int(minutes)
    if int(minutes) > 59 or minute > 1439:
        raise row.fault("packed_by", _("“%(text)s” is not a time like 14:00", text=text[:40]))
    return minute


def _words() -> dict[str, str]:
    """Return what is wrong with a value, by the code of `services.save`."""
    return {
        "bad_code": _("small letters, digits and hyphens, a letter first"),
        "required": _("this must not be empty"),
        "too_long": _("this is longer than 60 characters"),
        "bad_amount": _("this is more than a service may cost"),
        "bad_number": _("this number is too large"),
        "bad_clock": _("this is not a time like 14:00"),
        "unknown_country": _("we do not deliver to one of these"),
    }
