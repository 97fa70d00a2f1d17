"""Where an order goes, changed for a customer who asked us to: until it is packed, in the same country, on the same day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.crm import company_names, orders, timeline
from backoffice.crm.checkout import LONGEST
from backoffice.crm.customers import Editor
from backoffice.crm.models import Checkout, Order
from backoffice.erp import redirecting
from backoffice.erp.shipping import normalise_postcode
from backoffice.public.errors import BadInput, Refused

FIELDS = ("name", "company", "street", "city", "region", "postcode", "phone")
REQUIRED = ("name", "street", "city", "postcode")


def redirect(session: Session, number: str, typed: Mapping[str, str], *, version: int, by: Editor, now: datetime) -> None:
    """Send an order to another address of the same country; the same address again changes nothing.

    typed: every one of FIELDS. Raises NotFound(unknown_order), BadInput(invalid_form, fields), Refused(stale |
    too_late_to_redirect | later_there, on); nothing has changed then.
    """
    orders.get_by_number(session, number)
    order = session.scalars(
        sa.select(Order).where(Order.number == number).with_for_update().execution_options(populate_existing=True)
    ).one()
    checkout = session.get_one(Checkout, order.checkout_id, populate_existing=True)
    clean = _clean(typed)
    before = {name: getattr(checkout, name) for name in FIELDS}
    if clean == before:
        return
    if order.version != version:
        raise Refused("stale")
    ship_to = {name: getattr(checkout, name) for name in orders.SHIP_TO} | clean
    try:
        redirecting.redirect(session, number, ship_to, now=now)
    except BadInput as error:
        raise BadInput("invalid_form", {"postcode": error.code}) from error
    for name, value in clean.items():
        setattr(checkout, name, value)
    order.version += 1
    session.flush()
    place = f"{clean['name']}, {clean['street']}, {clean['postcode']} {clean['city']}"
    timeline.record(session, order.party_id, "redirected", text=place, order_ref=number, actor=by.name, now=now)
    details = {"before": before, "after": clean}
    audit.record(session, "order.redirect", f"order:{number}", actor=by.email, role=by.role, details=details, now=now)


def _clean(typed: Mapping[str, str]) -> dict[str, str]:
    clean = {name: " ".join(typed[name].split()) for name in FIELDS}
    clean["postcode"] = normalise_postcode(clean["postcode"])
    wrong = {name: "required" for name in REQUIRED if not clean[name]}
    for name, value in clean.items():
        if not company_names.is_storable(value):
            wrong[name] = "bad_character"
        elif len(value) > LONGEST[name]:
            wrong[name] = "shorten"
    if wrong:
        raise BadInput("invalid_form", wrong)
    return clean
