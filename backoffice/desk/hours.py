"""Working calendars at the planning desk: the week, the holidays, and the days that differ from both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast, get_args

import sqlalchemy as sa
from babel.dates import get_day_names
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy.orm import Session

from backoffice.desk import context, formats, forms, moved
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import working_days
from backoffice.erp.models import (
    Calendar,
    CalendarException,
    CalendarShift,
    Company,
    Supplier,
    Warehouse,
    WorkCentre,
    WorkCentreException,
)
from backoffice.erp.public_holidays import holiday_names
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("hours", __name__, url_prefix="/desk/planning/calendars")
AHEAD = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Other:
    """A day that differs. centre: the only one that it is for; None: all that share the calendar. holiday: its name."""

    on_day: date
    intervals: Sequence[tuple[int, int]]
    reason: str = ""
    centre: WorkCentre | None = None
    holiday: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A calendar with its week ("Mon–Fri", hours), its work centres, whoever else works by it, and the days ahead."""

    calendar: Calendar
    week: Sequence[tuple[str, str]]
    centres: Sequence[WorkCentre]
    others: Sequence[str]
    days: Sequence[Other]


@bp.get("")
def home() -> ResponseReturnValue:
    """List the calendars."""
    return render_template("desk/planning/calendars.html", found=context.read(_all))


@bp.get("/<int:calendar_id>")
def calendar(calendar_id: int) -> ResponseReturnValue:
    """Show a calendar and the days on which it differs."""
    return _page(calendar_id)


@bp.post("/<int:calendar_id>")
def change(calendar_id: int) -> ResponseReturnValue:
    """Let a calendar or one of its work centres work other hours on a day; what it moves is shown before it is saved."""
    me, now, watch = context.me(), context.now(), moved.Watch(forms.text("seen"))
    by = {"by": me.email, "role": me.role, "reason": forms.text("reason").replace("\x00", " ")}
    try:
        centre_id, on_day, wanted = _whose(), forms.day("on_day", earliest=context.today()), _change()
        fresh = context.write(
            watch.over(lambda db: working_days.set_day(db, calendar_id, on_day, wanted, centre_id=centre_id, now=now, **by)),
            scope=f"hours:{calendar_id}",
        )
    except moved.Unseen as unseen:
        return _ask(unseen, calendar_id, centre_id, on_day, _said(wanted))
    except ShopError as error:
        return _page(calendar_id, error, request.form)
    if fresh:
        flash(_("Saved. %(moved)s", moved=watch.words()))
    return redirect(url_for("hours.calendar", calendar_id=calendar_id), 303)


@bp.post("/<int:calendar_id>/take-back")
def take_back(calendar_id: int) -> ResponseReturnValue:
    """Let the usual hours count on a day again; what it moves is shown before it is saved."""
    me, now, watch = context.me(), context.now(), moved.Watch(forms.text("seen"))
    by = {"by": me.email, "role": me.role}
    try:
        centre_id, on_day = _whose(), forms.past_day("on_day")
        context.write(watch.over(lambda db: working_days.take_back(db, calendar_id, on_day, centre_id=centre_id, **by, now=now)))
    except moved.Unseen as unseen:
        return _ask(unseen, calendar_id, centre_id, on_day, _("the usual hours"))
    except ShopError as error:
        return _page(calendar_id, error)
    flash(_("Taken back. %(moved)s", moved=watch.words()))
    return redirect(url_for("hours.calendar", calendar_id=calendar_id), 303)


def _whose() -> int | None:
    return forms.number("whose", wrong="bad_choice") if forms.text("whose") else None


def _change() -> working_days.Change:
    kind = forms.text("kind")
    if kind not in get_args(working_days.Kind):
        raise BadInput("invalid_form", {"kind": "bad_choice"})
    if kind == "closed":
        return working_days.Change("closed")
    starts, ends = forms.clock("starts"), forms.clock("ends")
    return working_days.Change(cast(working_days.Kind, kind), starts, ends or 1440)  # 00:00 ends a day at midnight


def _said(wanted: working_days.Change) -> str:
    span = formats.hours([(wanted.starts_minute, wanted.ends_minute)])
    words = {"closed": _("closed"), "extra": _("open also %(hours)s", hours=span), "fewer": _("not open %(hours)s", hours=span)}
    return words[wanted.kind]


def _ask(unseen: moved.Unseen, calendar_id: int, centre_id: int | None, on_day: date, hours: str) -> ResponseReturnValue:
    shown = context.read(lambda db: _shown(db, _get(db, calendar_id), context.today()))
    name = next((one.name for one in shown.centres if one.id == centre_id), shown.calendar.name)
    what = _("%(name)s, %(day)s: %(hours)s", name=name, day=formats.day(on_day), hours=hours)
    return moved.ask_page(unseen, what=what, back="hours.calendar", tab="hours.home", calendar_id=calendar_id)


def _page(calendar_id: int, error: ShopError | None = None, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    shown = context.read(lambda db: _shown(db, _get(db, calendar_id), context.today()))
    page = render_template(
        "desk/planning/calendar.html",
        shown=shown,
        first_day=context.today(),
        typed=typed or {},
        fields=dict(error.fields) if isinstance(error, BadInput) else {},
        problem_text=explain(error) if error else "",
    )
    return page, error.status if error else 200


def _get(session: Session, calendar_id: int) -> Calendar:
    found = session.get(Calendar, calendar_id)
    if found is None:
        raise NotFound("unknown_record")
    return found


def _all(session: Session) -> Sequence[Shown]:
    rows = session.scalars(sa.select(Calendar).order_by(Calendar.name, Calendar.id)).all()
    return [_shown(session, one, context.today()) for one in rows]


def _shown(session: Session, one: Calendar, today: date) -> Shown:
    centres = session.scalars(sa.select(WorkCentre).where(WorkCentre.calendar_id == one.id).order_by(WorkCentre.name)).all()
    return Shown(one, _week(session, one), centres, _others(session, one), _days(session, one, centres, today))


def _week(session: Session, one: Calendar) -> list[tuple[str, str]]:
    """Return the week in words; neighbouring days of the same hours stand together."""
    by_day: dict[int, list[tuple[int, int]]] = {weekday: [] for weekday in range(7)}
    shifts = sa.select(CalendarShift).where(CalendarShift.calendar_id == one.id).order_by(CalendarShift.starts_minute)
    for shift in session.scalars(shifts):
        by_day[shift.weekday].append((shift.starts_minute, shift.ends_minute))
    groups: list[tuple[int, int]] = []
    for weekday in range(7):
        if groups and by_day[groups[-1][0]] == by_day[weekday]:
            groups[-1] = (groups[-1][0], weekday)
        else:
            groups.append((weekday, weekday))
    names = get_day_names("abbreviated", locale=get_locale() or "en")
    return [
        (names[first] if first == last else f"{names[first]}–{names[last]}", formats.hours(by_day[first]))
        for first, last in groups
    ]


def _others(session: Session, one: Calendar) -> list[str]:
    """Return who works by a calendar beside work centres, in words."""
    rows = session.execute(sa.select(Warehouse.name, Warehouse.carrier, Warehouse.calendar_id, Warehouse.carrier_calendar_id))
    found: list[str] = []
    for name, carrier, own_id, carrier_id in rows:
        if own_id == one.id:
            found.append(_("Warehouse %(name)s", name=name))
        if carrier_id == one.id:
            found.append(_("Carrier %(name)s", name=carrier) if carrier else _("Carrier of %(name)s", name=name))
    suppliers = sa.select(Supplier.name).where(Supplier.calendar_id == one.id, Supplier.active).order_by(Supplier.name)
    found += [_("Supplier %(name)s", name=name) for name in session.scalars(suppliers)]
    if session.scalar(sa.select(Company.id).where(Company.office_calendar_id == one.id)):
        found.append(_("Office"))
    return found


def _days(session: Session, one: Calendar, centres: Sequence[WorkCentre], today: date) -> list[Other]:
    """Return the days to come that differ, holidays of the next year among them, in their order."""
    own = session.scalars(
        sa.select(CalendarException).where(CalendarException.calendar_id == one.id, CalendarException.on_day >= today)
    ).all()
    by_id = {centre.id: centre for centre in centres}
    alone = session.scalars(
        sa.select(WorkCentreException).where(
            WorkCentreException.work_centre_id.in_(sorted(by_id)), WorkCentreException.on_day >= today
        )
    )
    until = today + AHEAD
    taken = {row.on_day for row in own}
    holidays: Mapping[date, str] = holiday_names(one.holidays, today.year, until.year)
    found = [Other(row.on_day, row.intervals, row.reason) for row in own]
    found += [Other(row.on_day, row.intervals, row.reason, by_id[row.work_centre_id]) for row in alone]
    found += [Other(on, (), holiday=name) for on, name in holidays.items() if today <= on <= until and on not in taken]
    return sorted(found, key=lambda other: (other.on_day, other.centre.name if other.centre else ""))
