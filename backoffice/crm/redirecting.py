"""Where an order goes, changed for a customer who asked us to: until it is packed, in the same country, on the same day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import orders, timeline
from backoffice.crm.customers import Editor
from backoffice.crm.models import Checkout, Order
from backoffice.erp import redirecting
from backoffice.public import addresses
from backoffice.public.errors import BadInput, Refused

FIELDS = ("name", "company", "street", "city", "region", "postcode", "phone")


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
    clean = _clean(typed, checkout.country)
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
    events.publish(session, events.OrderRedirected(number, now))
    place = f"{clean['name']}, {clean['street']}, {clean['postcode']} {clean['city']}"
    timeline.record(session, order.party_id, "redirected", text=place, order_ref=number, actor=by.name, now=now)
    details = {"before": before, "after": clean}
    audit.record(session, "order.redirect", f"order:{number}", actor=by.email, role=by.role, details=details, now=now)


def _clean(typed: Mapping[str, str], country: str) -> dict[str, str]:
    """Return the parts as they are kept, in the form of the country."""
    place = addresses.of({name: " ".join(typed[name].split()) for name in FIELDS} | {"country": country})
    if wrong := addresses.check(place, [country]):
        raise BadInput("invalid_form", {part: "shorten" if code == "too_long" else code for part, code in wrong.items()})
    kept = addresses.tidy(place)
    return {name: getattr(kept, name) for name in FIELDS}
