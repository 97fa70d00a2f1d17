"""How the back office words a few things that reach people through stored text."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date


def long_day(at: datetime, timezone: str, language: str = "en") -> str:
    """Return an instant's day in a zone with its weekday: `Tue 8 Dec`."""
    return format_date(at.astimezone(ZoneInfo(timezone)).date(), "EEE d MMM", locale=language)
