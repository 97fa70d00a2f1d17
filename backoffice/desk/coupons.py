"""Codes that take something off: what there are, how often each was used, writing one down, switching one off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from babel import Locale
from babel.numbers import get_currency_precision
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from backoffice.crm import coupon_rules
from backoffice.crm.models import Coupon
from backoffice.desk import amounts, context, forms
from backoffice.desk.formats import local
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("coupons", __name__, url_prefix="/desk/admin/coupons")
TEXTS = ("code", "kind", "value", "from_quantity", "minimum", "starts_on", "ends_on", "use_limit", "per_customer", "active")
PLAIN = {"kind": "percent", "from_quantity": "1", "minimum": "0", "per_customer": "1", "active": "yes"}


@bp.get("")
def home() -> ResponseReturnValue:
    """List the codes; `?edit=` fills the form with one."""
    edit = request.args.get("edit", "")
    return _page("", {}, _kept(edit) if edit else PLAIN)


@bp.post("")
def save() -> ResponseReturnValue:
    """Write a code down, or change the limits of the one there is."""
    me, now = context.me(), context.now()
    typed = {name: forms.text(name).replace("\x00", "").strip()[:60] for name in TEXTS}
    try:
        values = _values(typed)
        context.write(lambda db: coupon_rules.save(db, values, by=me.email, role=me.role, now=now))
    except ShopError as error:
        return _page(explain(error), _fields(error), typed, error.status)
    flash(_("Saved."))
    return redirect(url_for("coupons.home"), 303)


def _fields(error: ShopError) -> Mapping[str, str]:
    """Return what is wrong by the names that the form has."""
    named = {"minimum_minor": "minimum", "starts_at": "starts_on", "ends_at": "ends_on"}
    return {named.get(name, name): code for name, code in error.fields.items()} if isinstance(error, BadInput) else {}


def _values(typed: Mapping[str, str]) -> dict[str, Any]:
    money = {
        name: amounts.minor(typed[name], context.house().currency, get_locale() or Locale("en")) for name in ("value", "minimum")
    }
    ends = _midnight("ends_on") if typed["ends_on"] else None
    return {
        "code": typed["code"],
        "kind": typed["kind"],
        "value": money["value"] if typed["kind"] == "amount" else _whole(typed["value"]),
        "from_quantity": _whole(typed["from_quantity"]),
        "minimum_minor": money["minimum"],
        "starts_at": _midnight("starts_on") if typed["starts_on"] else None,
        "ends_at": ends + timedelta(days=1) if ends else None,  # the whole of the last day
        "use_limit": _limit(typed["use_limit"]),
        "per_customer": _limit(typed["per_customer"]),
        "active": typed["active"] == "yes",
    }


def _midnight(name: str) -> datetime:
    return datetime.combine(forms.past_day(name), time(0), tzinfo=context.house().zone)


def _whole(typed: str) -> int | None:
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 9 else None


def _limit(typed: str) -> int | None:
    """Return a limit, None for no limit; 0, which none may be, for what was no number."""
    return None if not typed else _whole(typed) or 0


def _kept(code: str) -> dict[str, Any]:
    row = next((one for one in _every() if one.code == code), None)
    if row is None:
        raise NotFound("unknown_record")
    scale = -get_currency_precision(row.currency)
    return {
        "code": row.code,
        "kind": row.kind,
        "value": f"{Decimal(row.value).scaleb(scale):f}" if row.kind == "amount" else row.value,
        "from_quantity": row.from_quantity,
        "minimum": f"{Decimal(row.minimum_minor).scaleb(scale):f}",
        "starts_on": local(row.starts_at).date().isoformat() if row.starts_at else "",
        "ends_on": (local(row.ends_at) - timedelta(days=1)).date().isoformat() if row.ends_at else "",
        "use_limit": row.use_limit or "",
        "per_customer": row.per_customer or "",
        "active": "yes" if row.active else "no",
    }


def _every() -> Sequence[Coupon]:
    return context.read(coupon_rules.every)


def _page(problem: str, fields: Mapping[str, str], typed: Mapping[str, Any], status: int = 200) -> ResponseReturnValue:
    return render_template(
        "desk/admin/coupons.html",
        rows=_every(),
        currency=context.house().currency,
        problem_text=problem,
        fields=fields,
        typed=typed,
    ), status
