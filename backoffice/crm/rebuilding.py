"""An order written down for whoever is paid for it, and written back from there after our own books were lost.

Small and flat: what a parcel and a promise need. What the plan said of it (steps, pegs) is not kept; it is planned anew.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import links
from backoffice.crm.models import Cart, Checkout
from backoffice.erp import models as t
from backoffice.erp.company import get_company
from backoffice.public.money import Money

FORM = 1
PLACE = ("name", "phone", "street", "city", "postcode", "country", "company", "region")
ASKED = ("note", "parcels", "service", "channel", "language", "base_url", "link_nonce", "key", "request_hash")
LINE = ("sku", "quantity", "unit_price_minor", "basis", "deliver_on", "ship_on")
TOLD = ("no_withdrawal", "tax_kind")  # of each line, where it says anything


class CannotRebuildError(Exception):
    """What was kept of an order does not make one here; its text says why, for whoever runs the shop."""


def written(session: Session, checkout: Checkout) -> str:
    """Return what an order needs to be written again, as JSON without spaces."""
    kept = {name: value for name in ("email", *PLACE, *ASKED) if (value := getattr(checkout, name))}
    kept |= {"form": FORM, "class": session.get_one(Cart, checkout.cart_id).customer_class, "shipping": checkout.shipping_minor}
    if checkout.discount_minor:
        kept |= {"off": checkout.discount_minor, "code": checkout.coupon_code}
    if any(line.get(name) for line in checkout.lines for name in TOLD):
        kept["told"] = [[line.get(name, "") for name in TOLD] for line in checkout.lines]
    if checkout.requested_on:
        kept["by"] = checkout.requested_on.isoformat()
    kept["lines"] = [
        [*(line[name] for name in LINE), line["promise"]["ready_at"], line["promise"].get("earliest_on")]
        for line in checkout.lines
    ]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def write_checkout(session: Session, kept: str, paid: Money, *, secret_key: str, created_at: datetime, now: datetime) -> Checkout:
    """Write the checkout of what `written` returned, as one whose payment page is over: settling holds its goods again.

    Raises CannotRebuildError when a thing is unknown here, or it does not come to what was paid.
    """
    try:
        known = json.loads(kept)
        if known["form"] != FORM:
            raise CannotRebuildError("written by another version")
        lines = [_line(session, line) for line in known["lines"]]
        for line, told in zip(lines, known.get("told", ()), strict=False):
            line |= dict(zip(TOLD, told, strict=True))
        values = {name: known.get(name, "") for name in ("email", *PLACE, *ASKED)}
        shipping, off = int(known["shipping"]), int(known.get("off", 0))
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise CannotRebuildError("it is not whole") from error
    total = shipping - off + sum(line["unit_price_minor"] * line["quantity"] for line in lines)
    if not lines or Money(total, get_company(session).currency) != paid:
        raise CannotRebuildError("its lines do not make what was paid")
    by = known.get("by")
    values |= {"requested_on": date.fromisoformat(by) if by else None, "shipping_minor": shipping}
    values |= {"discount_minor": off, "coupon_code": known.get("code", "")}
    return _write(session, values, paid, lines, known["class"], secret_key, created_at, now)


def write_unknown(session: Session, email: str, paid: Money, *, secret_key: str, created_at: datetime, now: datetime) -> Checkout:
    """Write a checkout of which nothing is known but who paid what, so that the money can go back to them."""
    values: dict[str, Any] = dict.fromkeys((*PLACE, *ASKED), "") | {"email": email, "parcels": "one", "channel": "web"}
    values |= {"country": get_company(session).country, "shipping_minor": paid.amount_minor, "requested_on": None}
    return _write(session, values, paid, [], "retail", secret_key, created_at, now)


def _write(
    session: Session,
    values: Mapping[str, Any],
    paid: Money,
    lines: list[dict[str, Any]],
    customer_class: str,
    secret_key: str,
    created_at: datetime,
    now: datetime,
) -> Checkout:
    cart = Cart(
        token_hash=links.hash_token(links.new_token()),  # nobody has it: their browser's cart is another by now
        country=values["country"],
        postcode=values.get("postcode") or None,
        customer_class=customer_class,
        created_at=created_at,
        updated_at=now,
        version=1,
        state="ordered",
    )
    session.add(cart)
    session.flush()
    nonce = values["link_nonce"] or secrets.token_urlsafe(20)
    new = {"key": values["key"] or f"rebuilt:{nonce}", "link_nonce": nonce}
    checkout = Checkout(
        **{**values, **new},
        cart_id=cart.id,
        state="abandoned",
        currency=paid.currency,
        total_minor=paid.amount_minor,
        lines=lines,
        token_hash=links.hash_token(links.order_token(secret_key, nonce)),
        created_at=created_at,
    )
    session.add(checkout)
    session.flush()
    return checkout


def _line(session: Session, kept: list[Any]) -> dict[str, Any]:
    given = dict(zip((*LINE, "ready_at", "earliest_on"), kept, strict=True))
    found = session.execute(
        sa.select(t.Item, t.Product.name).join(t.Product, t.Product.id == t.Item.product_id).where(t.Item.sku == given["sku"])
    ).first()
    if found is None:
        raise CannotRebuildError(f"{given['sku']} is unknown here")
    item, name = found
    days = {day: given[day] for day in ("deliver_on", "ship_on")}
    promise = {"ready_at": given["ready_at"], "earliest_on": given["earliest_on"], "plan_version": 0, "steps": [], "pegs": []}
    return {
        "item_id": item.id,
        "sku": item.sku,
        "name": name,
        "options": ", ".join(str(value) for value in item.options.values()),
        "quantity": int(given["quantity"]),
        "unit_price_minor": int(given["unit_price_minor"]),
        "reservation_id": 0,  # held again when it is settled
        "basis": given["basis"],
        **days,
        "promise": {**promise, **days},
    }
