"""How desk pages write days, times, amounts and quantities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from babel import Locale
from babel.numbers import get_currency_precision
from flask import Blueprint
from flask_babel import (
    format_currency,
    format_datetime,
    format_decimal,
    get_locale,
)

from backoffice import wording
from backoffice.desk import context
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext
from backoffice.public import addresses
from backoffice.wording import decimal_of


def day(value: date | None) -> str:
    """Write a day with its weekday: Tue 8 Dec; with the year where it is not this one."""
    if value is None:
        return "–"
    return wording.day(value, _locale(), year=value.year != context.today().year)


def _locale() -> Locale:
    return get_locale() or Locale("en")


def local(at: datetime) -> datetime:
    """Return an instant on the company's clocks."""
    return at.astimezone(context.house().zone)


def day_of(at: datetime | None) -> str:
    """Write the day of an instant, where the company is."""
    return day(local(at).date()) if at else "–"


def moment(at: datetime | None) -> str:
    """Write an instant: Tue 8 Dec, 14:05, on the company's clocks."""
    if at is None:
        return "–"
    return f"{day_of(at)}, {format_datetime(local(at), 'HH:mm', rebase=False)}"


def period(starts_at: datetime, ends_at: datetime) -> str:
    """Write from when to when, the day once where it is the same: Tue 8 Dec, 07:00 – 08:30."""
    same_day = local(starts_at).date() == local(ends_at).date()
    until = format_datetime(local(ends_at), "HH:mm", rebase=False) if same_day else moment(ends_at)
    return f"{moment(starts_at)} – {until}"


def clock_time(minute: int) -> str:
    """Write a minute of the day: 14:00; 24:00 is midnight at its end."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def hours(intervals: Iterable[tuple[int, int]]) -> str:
    """Write the open hours of a day: 06:00–14:00, 15:00–18:00; "closed" for none."""
    return ", ".join(f"{clock_time(start)}–{clock_time(end)}" for start, end in intervals) or _("closed")


def short_day(value: date) -> str:
    """Write a day for the foot of a chart: 8 Dec."""
    return wording.short_day(value, _locale())


def month(value: date) -> str:
    """Write a month with its year: November 2026."""
    return wording.month(value, _locale())


def number(value: float) -> str:
    """Write a number with one place, none where it is whole."""
    return str(format_decimal(round(value, 1)))


def machine(at: datetime) -> str:
    """Write an instant for a <time> element."""
    return at.isoformat()


def span(length: timedelta) -> str:
    """Write a length of time in its largest unit: 3 days, 5 hours, 20 minutes."""
    minutes = max(int(length.total_seconds()) // 60, 0)
    if minutes >= 2 * 1440:
        return ngettext("%(num)d day", "%(num)d days", minutes // 1440)
    if minutes >= 60:
        return ngettext("%(num)d hour", "%(num)d hours", minutes // 60)
    return ngettext("%(num)d minute", "%(num)d minutes", minutes)


def due(at: datetime) -> str:
    """Write how long there is until an instant, or how long ago it was."""
    left = at - context.now()
    if left < timedelta(0):
        return _("%(time)s late", time=span(-left))
    return _("in %(time)s", time=span(left))


def money(amount_minor: int, currency: str) -> str:
    """Write an amount of minor units."""
    return str(format_currency(decimal_of(amount_minor, currency), currency))


def amount_typed(amount_minor: int, currency: str) -> str:
    """Return an amount as `amounts.minor` reads it."""
    return f"{decimal_of(amount_minor, currency):.{get_currency_precision(currency)}f}"


def units(quantity: int, parts_per_unit: int = 1) -> str:
    """Write a quantity of smallest units in counted units."""
    return str(format_decimal(round(quantity / parts_per_unit, 2) if quantity % parts_per_unit else quantity // parts_per_unit))


def unit(code: str) -> str:
    """Write what a quantity is counted in, where it is not simply pieces."""
    return "" if code.casefold() in {"ea", "each", "piece", "pc", "pcs"} else code


def language_name(code: str) -> str:
    """Write a language by its name; a tag nobody knows stays as it is."""
    try:
        return str(Locale.parse(code, sep="-").get_display_name(get_locale()) or code)
    except (ValueError, LookupError):
        return code


def country(code: str) -> str:
    """Write a country by its name."""
    return str((get_locale() or Locale("en")).territories.get(code, code))


def address(ship_to: Mapping[str, str]) -> list[str]:
    """Write where a parcel goes, line by line as its country does, the country last in the reader's language."""
    place = addresses.of(ship_to)
    return [*addresses.write(place), country(place.country)]


def add_to(blueprint: Blueprint) -> None:
    """Give a desk's templates these words."""
    blueprint.context_processor(
        lambda: {
            "day": day,
            "day_of": day_of,
            "moment": moment,
            "period": period,
            "clock_time": clock_time,
            "hours": hours,
            "short_day": short_day,
            "month": month,
            "number": number,
            "machine": machine,
            "due": due,
            "money": money,
            "amount_typed": amount_typed,
            "units": units,
            "unit": unit,
            "language_name": language_name,
            "country": country,
            "address": address,
        }
    )
