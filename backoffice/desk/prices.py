"""What an item costs by quantity, and what kind of goods it is for its tax: forms on its page at the planning desk."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import get_locale

from backoffice.desk import amounts, context, forms, items
from backoffice.erp import pricing
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("prices", __name__, url_prefix="/desk/planning/items")


@bp.post("/<int:item_id>/tiers")
def tiers(item_id: int) -> ResponseReturnValue:
    """Let an item cost less from so many pieces on."""
    me, now = context.me(), context.now()
    typed = forms.text("tiers").replace("\x00", "")
    currency = context.read(lambda db: items.get_item(db, item_id)).currency
    try:
        wanted = read(typed, currency)
    except ShopError as error:
        return items.item_page(item_id, error, {"tiers": typed})
    return items.saved(
        item_id,
        lambda db: pricing.set_tiers(db, item_id, wanted, by=me.email, role=me.role, now=now),
        typed={"tiers": typed},
    )


@bp.post("/<int:item_id>/tax")
def tax(item_id: int) -> ResponseReturnValue:
    """Say what kind of goods it is, for its tax."""
    me, now, kind = context.me(), context.now(), forms.name("tax_kind")
    return items.saved(item_id, lambda db: pricing.set_tax_kind(db, item_id, kind, by=me.email, role=me.role, now=now))


def read(typed: str, currency: str) -> dict[int, int]:
    """Return what was typed, a line for each: `5 44.00`. Raises BadInput(invalid_form, tiers → bad_tiers)."""
    found: dict[int, int] = {}
    for line in filter(None, map(str.strip, typed.splitlines())):
        least, _space, price = line.partition(" ")
        amount = amounts.minor(price, currency, get_locale())
        if not (least.isascii() and least.isdecimal()) or len(least) > 9 or amount is None or int(least) in found:
            raise BadInput("invalid_form", {"tiers": "bad_tiers"})
        found[int(least)] = amount
    return found
