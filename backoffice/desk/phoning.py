"""A new enquiry by telephone: taken down while they speak, with the day that may be named to them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.crm import follow_ups
from backoffice.crm.models import Lead
from backoffice.desk import context, forms, item_search, phrases
from backoffice.desk.phrases import gettext as _
from backoffice.desk.sales import find_promise
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, ShopError
from backoffice.public.leads import LeadForm

bp = Blueprint("phoning", __name__, url_prefix="/desk/sales/phone")
FIELDS = ("name", "phone", "email", "company", "language", "message", "sku", "quantity", "needed_by_on", "postcode")


@bp.get("")
def home() -> ResponseReturnValue:
    """Show the empty form."""
    return _page({"language": _usual_language()}, {}, "")


@bp.post("")
def save() -> ResponseReturnValue:
    """Name the day for what is typed so far, or keep the enquiry; with "order" the next page is its order."""
    typed = {name: forms.text(name) for name in FIELDS}
    if forms.text("pick"):
        typed["sku"] = forms.text("pick")
        return _page(typed, {}, "")
    if forms.text("action") not in ("save", "order"):
        return _page(typed, {}, "")
    me, now, kept = context.me(), context.now(), []
    exact = context.read(lambda db: item_search.find_item(db, typed["sku"]))
    form = LeadForm(
        key=forms.text("key") or secrets.token_urlsafe(12),
        kind="phone",
        page="desk",
        source="phone",
        **(typed | {"sku": exact.sku if exact else typed["sku"]}),
    )
    try:
        if typed["sku"].strip() and exact is None:
            raise BadInput("invalid_form", {"sku": "unknown_item"})
        context.write(lambda db: kept.append(follow_ups.phone_in(db, form, staff=me, now=now)))
    except ShopError as error:
        return _page(typed, error.fields if isinstance(error, BadInput) else {}, explain(error), error.status)
    lead: Lead = kept[-1]
    flash(_("Taken down. It is yours."))
    page = "selling.home" if forms.text("action") == "order" else "sales.lead"
    return redirect(url_for(page, lead_id=lead.id), 303)


def _page(typed: Mapping[str, str], wrong: Mapping[str, str], problem: str, status: int = 200) -> ResponseReturnValue:
    sku = typed.get("sku", "").strip()
    item = context.read(lambda db: item_search.find_item(db, sku))
    matches = context.read(lambda db: item_search.find_items(db, sku)) if sku and item is None else ()
    pieces = typed.get("quantity", "").strip()
    promise, no_promise = (None, "")
    if item is not None:
        quantity = int(pieces) if pieces.isdecimal() and 0 < len(pieces) < 7 and int(pieces) else 1
        promise, no_promise = find_promise(item.sku, quantity, typed.get("postcode", "").strip())
    page = render_template(
        "desk/sales/phone.html",
        typed=typed,
        fields=wrong,
        problem_text=problem,
        item=item,
        matches=matches,
        promise=promise,
        no_promise=no_promise,
        asked=request.method == "POST",
        spoken=phrases.languages(),
        today=context.today(),
    )
    return page, status


def _usual_language() -> str:
    return context.services().shop.profile.get().language
