"""Segments at the desk: conditions chosen one by one, counted while they are typed, kept by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from babel import Locale
from babel.numbers import get_currency_precision
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from backoffice.crm import segment_rules, segments
from backoffice.crm.segment_rules import FIELDS, OPERATORS, Condition
from backoffice.desk import amounts, context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("segments", __name__, url_prefix="/desk/sales/segments")
FIRST_ROWS = 3


@bp.get("")
def home() -> ResponseReturnValue:
    """List the segments, each with how many people fit it now."""
    now = context.now()

    def ask(session: Any) -> list[tuple[Any, int]]:
        return [
            (one, segments.count(session, one.matching, segment_rules.read(one.conditions), now=now))
            for one in segments.every(session)
        ]

    return render_template("desk/sales/segments.html", rows=context.read(ask))


@bp.get("/new")
def new() -> ResponseReturnValue:
    """Show the form, filled with what the address says, with how many people fit that."""
    return _page(None, _typed() if request.args else {"matching": "all", "rows": []})


@bp.get("/<int:segment_id>")
def segment(segment_id: int) -> ResponseReturnValue:
    """Show one as it is kept, or as the address says it should be."""
    kept = context.read(lambda db: segments.get_segment(db, segment_id))
    rows = [{"what": f"{one.field} {one.operator}", "value": _shown(one)} for one in segment_rules.read(kept.conditions)]
    typed = {"name": kept.name, "matching": kept.matching, "rows": rows, "version": kept.version}
    return _page(kept, _typed() if request.args else typed)


@bp.get("/count")
def count() -> ResponseReturnValue:
    """Say how many people fit what is typed: a part of the page."""
    return render_template("desk/sales/segment_count.html", **_count(_typed()))


@bp.post("")
def save() -> ResponseReturnValue:
    """Keep a segment, or the new conditions of one."""
    typed, now = _typed(), context.now()
    number = forms.text("segment_id")
    segment_id = int(number) if number.isdecimal() and len(number) < 16 else None
    try:
        conditions = _conditions(typed)
        context.write(
            lambda db: segments.save(
                db,
                segment_id,
                name=str(typed["name"]),
                matching=str(typed["matching"]),
                conditions=conditions,
                version=forms.version(),
                now=now,
            )
        )
    except ShopError as error:
        return _page(None, typed | {"segment_id": segment_id}, explain(error)), error.status
    flash(_("Saved."))
    return redirect(url_for("segments.home"), 303)


def _typed() -> dict[str, Any]:
    rows = [
        {"what": forms.text(f"what-{number}"), "value": forms.text(f"value-{number}").replace("\x00", "").strip()[:40]}
        for number in range(segment_rules.MOST)
    ]
    return {
        "name": forms.text("name").replace("\x00", "")[:200],
        "matching": forms.text("matching") or "all",
        "rows": [row for row in rows if row["what"]],
        "version": forms.version(),
    }


def _conditions(typed: Mapping[str, Any]) -> Sequence[Condition]:
    """Return what was chosen. Raises BadInput(invalid_form)."""
    return [_condition(f"condition-{number}", row["what"], row["value"]) for number, row in enumerate(typed["rows"])]


def _condition(name: str, what: str, value: str) -> Condition:
    field, _blank, operator = what.partition(" ")
    kind = FIELDS.get(field)
    if kind == "flag":
        return Condition(field, operator)
    if kind == "text":
        return Condition(field, operator, value)
    if kind == "money":
        return Condition(field, operator, amounts.minor(value, context.house().currency, get_locale() or Locale("en")))
    if not (value.isascii() and value.isdecimal() and len(value) < 10):
        raise BadInput("invalid_form", {name: "bad_quantity"})
    return Condition(field, operator, int(value))


def _shown(one: Condition) -> str:
    if FIELDS[one.field] != "money":
        return "" if one.value is None else str(one.value)
    places = get_currency_precision(context.house().currency)
    return f"{int(one.value or 0) / 10**places:.{places}f}"


def _count(typed: Mapping[str, Any]) -> dict[str, Any]:
    if not typed["rows"]:
        return {"people": None, "problem_text": ""}
    try:
        conditions, now = _conditions(typed), context.now()
        people = context.read(lambda db: segments.count(db, str(typed["matching"]), conditions, now=now))
    except ShopError as error:
        return {"people": None, "problem_text": explain(error)}
    return {"people": people, "problem_text": ""}


def _page(kept: Any, typed: Mapping[str, Any], problem: str = "") -> str:
    rows = [*typed["rows"], *({"what": "", "value": ""} for _row in range(segment_rules.MOST))]
    shown = min(max(FIRST_ROWS, len(typed["rows"]) + 1), segment_rules.MOST)
    return render_template(
        "desk/sales/segment.html",
        kept=kept,
        typed=typed,
        rows=rows[:shown],
        choices=_choices(),
        **(_count(typed) | ({"problem_text": problem} if problem else {})),
    )


def _choices() -> Sequence[tuple[str, str]]:
    words, currency = _words(), context.house().currency
    ends = {
        "at_least": _("at least"),
        "at_most": _("at most"),
        "within": _("within the last … days"),
        "longer_ago": _("never, or longer ago than … days"),
        "is": _("is"),
        "is_not": _("is not"),
        "yes": _("yes"),
        "no": _("no"),
    }
    return [
        (f"{field} {operator}", f"{words[field]}{f' ({currency})' if kind == 'money' else ''}: {ends[operator]}")
        for field, kind in FIELDS.items()
        for operator in OPERATORS[kind]
    ]


def _words() -> Mapping[str, str]:
    return {
        "orders": _("Orders"),
        "spent_minor": _("Spent"),
        "last_order_at": _("Last order"),
        "first_order_at": _("First order"),
        "broken_promises": _("Promises that we broke"),
        "last_seen_at": _("Last visit"),
        "visits": _("Visits"),
        "searches": _("Searches"),
        "carts": _("Put into the cart"),
        "known_since": _("Known to us"),
        "newsletter": _("Allows letters"),
        "language": _("Language"),
        "country": _("Country"),
        "customer_class": _("Class"),
    }
