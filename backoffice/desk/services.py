"""Ways to send beside the usual one: what each costs, how long it takes, by when it has to be packed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import get_currency_precision
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from backoffice.desk import amounts, context, forms
from backoffice.desk.formats import clock_time
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import services
from backoffice.erp.company import premises
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("services", __name__, url_prefix="/desk/admin/services")
TEXTS = ("code", "name", "position", "price", "transit_days", "cutoff", "countries", "active")


@bp.get("")
def home() -> ResponseReturnValue:
    """List the services; `?edit=` fills the form with one."""
    edit = request.args.get("edit", "")
    return _page("", {}, _kept(edit) if edit else {"active": "yes"})


@bp.post("")
def save() -> ResponseReturnValue:
    """Write a service, a new one where there is none of its code."""
    me, now = context.me(), context.now()
    typed = {name: forms.text(name).replace("\x00", "").strip()[:200] for name in TEXTS}
    try:
        values = _values(typed)
        context.write(lambda db: services.save(db, values, by=me.email, role=me.role, now=now))
    except ShopError as error:
        return _page(explain(error), _fields(error), typed, error.status)
    flash(_("Saved."))
    return redirect(url_for("services.home"), 303)


def _fields(error: ShopError) -> Mapping[str, str]:
    """Return what is wrong by the names that the form has."""
    named = {"price_minor": "price", "cutoff_minute": "cutoff"}
    return {named.get(name, name): code for name, code in error.fields.items()} if isinstance(error, BadInput) else {}


def _values(typed: Mapping[str, str]) -> dict[str, Any]:
    return {
        "code": typed["code"].lower(),
        "name": typed["name"],
        "position": _whole(typed["position"]),
        "price_minor": amounts.minor(typed["price"], context.house().currency, get_locale() or Locale("en")),
        "transit_days": _whole(typed["transit_days"]),
        "cutoff_minute": forms.clock("cutoff") if typed["cutoff"] else None,
        "countries": sorted(set(typed["countries"].upper().replace(",", " ").split())),
        "active": typed["active"] == "yes",
    }


def _whole(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else None


def _kept(code: str) -> dict[str, Any]:
    row = context.read(lambda db: premises(db).services.get(code))
    if row is None:
        raise NotFound("unknown_record")
    precision = get_currency_precision(context.house().currency)
    return {
        "code": row.code,
        "name": row.name,
        "position": row.position,
        "price": f"{Decimal(row.price_minor).scaleb(-precision):f}",
        "transit_days": row.transit_days,
        "cutoff": "" if row.cutoff_minute is None else clock_time(row.cutoff_minute),
        "countries": " ".join(row.countries),
        "active": "yes" if row.active else "no",
    }


def _page(problem: str, fields: Mapping[str, str], typed: Mapping[str, Any], status: int = 200) -> ResponseReturnValue:
    rows = context.read(lambda db: sorted(premises(db).services.values(), key=lambda one: (one.position, one.code)))
    return render_template(
        "desk/admin/services.html",
        rows=rows,
        currency=context.house().currency,
        problem_text=problem,
        fields=fields,
        typed=typed,
    ), status
