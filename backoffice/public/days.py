"""A day that somebody asks for, read strictly in one place for pages, API and door."""

from __future__ import annotations

import re
from datetime import date, timedelta

from backoffice.public.errors import BadInput

MOST_AHEAD = timedelta(days=2 * 366)  # what is further away nobody plans: a conversation
_SHAPE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def read_day(text: str, *, today: date, field: str) -> date:
    """Return the day that was typed as year-month-day. today: where it is to arrive.

    Raises BadInput(invalid_form, field → bad_date | past_date | far_date).
    """
    typed = text.strip()
    try:
        day = date.fromisoformat(typed) if _SHAPE.fullmatch(typed) else None
    except ValueError:
        day = None
    if day is None:
        raise BadInput("invalid_form", {field: "bad_date"})
    require_day(day, today=today, field=field)
    return day


def require_day(day: date, *, today: date, field: str) -> None:
    """Check that a day is neither over nor out of sight. Raises BadInput(invalid_form, field → past_date | far_date)."""
    if day < today:
        raise BadInput("invalid_form", {field: "past_date"})
    if day > today + MOST_AHEAD:
        raise BadInput("invalid_form", {field: "far_date"})
