"""What staff type, read strictly: a wrong value is a BadInput that names its field."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import request

from backoffice.public.errors import BadInput, ShopError

MAX_NUMBER = 999_999_999
FIRST_YEAR, LAST_YEAR = 2000, 2100
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


def text(name: str) -> str:
    """Return a field as typed, empty if it is not there; of a form that only asks, from the address."""
    return (request.args if request.method == "GET" else request.form).get(name, "")


def kept_key(error: ShopError | None) -> str:
    """Return the form's key for one more try; empty, so that the form gets a fresh one, where another form has used it."""
    return "" if error is not None and error.code == "form_reused" else text("key")[:64]


def number(name: str, *, least: int = 1, most: int = MAX_NUMBER, wrong: str = "bad_quantity") -> int:
    """Return a whole number from `least` to `most`. Raises BadInput(invalid_form, name)."""
    typed = text(name).strip()
    if not typed.isdecimal() or len(typed) > 12 or not least <= int(typed) <= most:
        raise BadInput("invalid_form", {name: wrong})
    return int(typed)


def version() -> int:
    """Return the version that the page was drawn from; 0, which nothing has, if it was left out."""
    typed = text("version")
    return int(typed) if typed.isdecimal() and len(typed) <= 12 else 0


def day(name: str, *, earliest: date) -> date:
    """Return a day, `earliest` or later. Raises BadInput(invalid_form, name)."""
    try:
        chosen = date.fromisoformat(text(name).strip())
    except ValueError:
        raise BadInput("invalid_form", {name: "bad_date"}) from None
    if chosen < earliest:
        raise BadInput("invalid_form", {name: "past_date"})
    if chosen.year > earliest.year + 20:
        raise BadInput("invalid_form", {name: "bad_year"})
    return chosen


def past_day(name: str) -> date:
    """Return a day of these two centuries; who uses it says which make sense. Raises BadInput(invalid_form, name)."""
    try:
        chosen = date.fromisoformat(text(name).strip())
    except ValueError:
        raise BadInput("invalid_form", {name: "bad_date"}) from None
    if not FIRST_YEAR <= chosen.year <= LAST_YEAR:
        raise BadInput("invalid_form", {name: "bad_year"})
    return chosen


def shown_day(name: str) -> date | None:
    """Return which day the address asks for; None if it makes no sense."""
    try:
        chosen = date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        return None
    return chosen if FIRST_YEAR <= chosen.year <= LAST_YEAR else None


def page() -> int:
    """Return which page of a list the address asks for; the first one if it makes no sense."""
    typed = request.args.get("page", "")
    return int(typed) if typed.isdecimal() and len(typed) <= 6 and int(typed) > 0 else 1


def sought() -> str:
    """Return what a list is searched for, empty for all of it."""
    return request.args.get("q", "").replace("\x00", "").strip()[:100]


def place() -> dict[str, Any]:
    """Return where in a list somebody is, for addresses that lead back there."""
    return ({"q": sought()} if sought() else {}) | ({"page": page()} if page() > 1 else {})


def name(field: str) -> str:
    """Return what was typed as the number or the name of something."""
    return text(field).replace("\x00", "").strip()


def names(field: str) -> list[str]:
    """Return what was typed as a list, with commas between."""
    return [one for one in (part.strip() for part in name(field).split(",")) if one]


def clock(name: str) -> int:
    """Return a time of the day as minutes from midnight. Raises BadInput(invalid_form, name)."""
    found = CLOCK.fullmatch(text(name).strip())
    if found is None:
        raise BadInput("invalid_form", {name: "bad_clock"})
    return int(found[1]) * 60 + int(found[2])


def moment(name: str, zone: ZoneInfo) -> datetime:
    """Return a local day and time as an instant (UTC). Raises BadInput(invalid_form, name)."""
    try:
        chosen = datetime.fromisoformat(text(name).strip())
    except ValueError:
        raise BadInput("invalid_form", {name: "bad_time"}) from None
    if not FIRST_YEAR <= chosen.year <= LAST_YEAR:
        raise BadInput("invalid_form", {name: "bad_year"})
    return chosen.replace(tzinfo=zone).astimezone(UTC) if chosen.tzinfo is None else chosen.astimezone(UTC)
