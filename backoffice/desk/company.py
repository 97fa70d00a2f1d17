"""The company's own data: what stands in the imprint, on labels and in mails."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import get_currency_precision
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.desk import context, forms, phrases
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import company, company_settings
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("company", __name__, url_prefix="/desk/admin/company")
TEXTS = (
    "name",
    "email",
    "phone",
    "vat_number",
    "register_entry",
    "default_postcode",
    "address",
    "returns_days",
    "shipping",
    "choose_days",
    "important",
    "service_level",
    "capture_on_shipment",
    "quotation_percent",
    "quotation_days",
    "campaign_days",
)


@bp.get("")
def home() -> ResponseReturnValue:
    """Show the company's data as a form."""
    return _page({}, {}, "")


@bp.post("")
def save() -> ResponseReturnValue:
    """Change the company's data."""
    me, now = context.me(), context.now()
    typed: dict[str, Any] = {name: forms.text(name)[:2000].replace("\x00", "") for name in TEXTS}
    known = {one.code for one in phrases.languages()}
    typed["languages"] = [code for code in request.form.getlist("languages") if code in known]
    values = typed | {
        "address": typed["address"].splitlines(),
        "returns_days": _whole(typed["returns_days"]),
        "shipping_minor": _minor(typed["shipping"], context.house().currency),
        "choose_days": _whole(typed["choose_days"]),
        "important_minor": _minor(typed["important"], context.house().currency),
        "service_level": _whole(typed["service_level"]),
        "quotation_percent": _whole(typed["quotation_percent"]),
        "quotation_days": _whole(typed["quotation_days"]),
        "campaign_days": _whole(typed["campaign_days"]),
        "capture_on_shipment": typed["capture_on_shipment"] == "yes",
    }
    try:
        context.write(lambda db: company_settings.change(db, values, by=me.email, role=me.role, now=now))
    except ShopError as error:
        return _page(typed, error.fields if isinstance(error, BadInput) else {}, explain(error), error.status)
    flash(_("Saved."))
    return redirect(url_for("company.home"), 303)


def _whole(typed: str) -> int | None:
    return int(typed) if typed.strip().isdecimal() and len(typed.strip()) < 9 else None


def _minor(typed: str, currency: str) -> int | None:
    """Return an amount in minor units; None if it is none, or finer than the currency."""
    try:
        amount = Decimal(typed.strip().replace(",", ".")) * 10 ** get_currency_precision(currency)
    except InvalidOperation:
        return None
    return int(amount) if amount.is_finite() and amount == amount.to_integral_value() and abs(amount) < 10**12 else None


def _page(typed: Mapping[str, Any], fields: Mapping[str, str], problem: str, status: int = 200) -> ResponseReturnValue:
    row = context.read(company.get_company)
    precision = get_currency_precision(row.currency)
    kept = {name: getattr(row, name) for name in TEXTS if name not in ("address", "shipping", "important")}
    kept |= {
        "address": "\n".join(str(line) for line in row.address),
        "shipping": f"{Decimal(row.shipping_minor).scaleb(-precision):f}",
        "important": f"{Decimal(row.important_minor).scaleb(-precision):f}",
        "languages": row.languages,
        "capture_on_shipment": "yes" if row.capture_on_shipment else "",
    }
    return render_template(
        "desk/admin/company.html",
        row=row,
        values={**kept, **typed},
        fields={**fields, **{name: fields[f"{name}_minor"] for name in ("shipping", "important") if f"{name}_minor" in fields}},
        problem_text=problem,
        spoken=phrases.languages(),
    ), status
