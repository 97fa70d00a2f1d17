"""Accepting a quotation: what was told becomes a checkout, at the prices and by the day told; paying makes the order."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import carts, leads, links, quotations
from backoffice.crm import checkout as checkouts
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.models import Cart, Checkout, Lead, Quotation
from backoffice.db import write_row
from backoffice.erp import holds
from backoffice.public import addresses
from backoffice.public.errors import Refused
from backoffice.public.leads import LeadForm


def accept(
    session: Session, token: str, version: int, total_minor: int, told_on: date, *, secret_key: str, now: datetime
) -> Checkout:
    """Return the checkout of a quotation, the same however many accept it at one moment; completed once it was paid.

    version, total_minor, told_on: as the page showed them. Of the goods nothing moves but what has missed its start.
    Raises NotFound(unknown_record), Refused(quotation_replaced | quotation_expired | quotation_over | stale | day_moved |
    not_available); nothing has changed then.
    """
    found, newer = quotations.find_by_link(session, token)
    if newer and found.version != version:
        raise Refused("quotation_replaced")
    quotation = quotations.lock(session, found.id)
    cart_id = quotation.cart_id
    assert cart_id is not None  # it was sent
    if quotation.state == "accepted":
        paid = sa.select(Checkout).where(Checkout.cart_id == cart_id, Checkout.state == "completed")
        return session.scalars(paid).one()
    cart = session.get_one(Cart, cart_id)
    waiting = checkouts.open_checkouts(session, cart)
    if waiting:
        return waiting[0]
    _require_open(quotation, now)
    if (quotation.version, quotation.total_minor, quotation.told_on) != (version, total_minor, told_on):
        raise Refused("stale")
    assert quotation.valid_until_at is not None
    minutes = quotations.minutes(quotation.valid_until_at, now)
    held = carts.renew(session, cart, minutes=minutes, now=now, dead_only=True)
    lines, _ = carts.lines_of(session, cart, now=now, found=held)
    day = carts.latest_day(lines)
    if day is None:
        raise Refused("not_available", most=0)
    if day > told_on:
        raise Refused("day_moved", was_on=told_on, now_on=day)
    for line in sorted(lines, key=lambda line: line.row.item_id):
        assert line.reservation is not None
        holds.start_paying(session, line.reservation.id, now=now)
    return write_row(session, _checkout(session, quotation, cart, lines, secret_key, now))


def ask_again(session: Session, token: str, message: str, *, now: datetime) -> Lead:
    """Ask for an ended quotation once more: a new enquiry, with whoever drew it up. Asked twice it is one.

    Raises NotFound(unknown_record), BadInput(invalid_form, fields), Refused(wrong_state) while it can be accepted.
    """
    quotation, _ = quotations.find_by_link(session, token)
    if quotation.state == "accepted" or (quotation.state == "sent" and not is_over(quotation, now)):
        raise Refused("wrong_state")
    buyer, first = quotation.buyer, quotation.asked[0]
    form = LeadForm(
        key=f"again:{quotation.number}:{quotation.version}",
        kind="quote_request",
        name=buyer["name"],
        email=buyer["email"],
        phone=buyer["phone"],
        message=clean_text(message, field="message") if message.strip() else quotation.number,
        sku=first["sku"],
        quantity=str(first["quantity"]),
        postcode=buyer["postcode"],
        language=quotation.language,
        page=f"/quotation/{quotation.number}",
        company=buyer["company"],
        country=buyer["country"],
        source="quotation",
    )
    lead = leads.submit(session, form, now=now)
    if lead.owner_id != quotation.staff_id and lead.state == "new":
        lead.owner_id = quotation.staff_id
        session.flush()
    return lead


def is_over(quotation: Quotation, now: datetime) -> bool:
    """Tell whether the time of a quotation is over, also before that was written down."""
    return quotation.valid_until_at is None or quotation.valid_until_at <= now


def on_order_placed(session: Session, happened: events.OrderPlaced) -> None:
    """Note that a quotation became an order; the enquiry behind it is won by that too."""
    checkout = session.get_one(Checkout, happened.checkout_id)
    if checkout.channel != quotations.CHANNEL:
        return
    quotation = session.scalars(sa.select(Quotation).where(Quotation.cart_id == checkout.cart_id)).one()
    quotation.state, quotation.order_ref, quotation.ended_at = "accepted", happened.order_ref, happened.at
    session.flush()
    quotations.note(session, quotation, "quotation_accepted", now=happened.at)


def _require_open(quotation: Quotation, now: datetime) -> None:
    if quotation.state == "expired" or (quotation.state == "sent" and is_over(quotation, now)):
        raise Refused("quotation_expired")
    if quotation.state != "sent":
        raise Refused("quotation_over")


def _checkout(
    session: Session, quotation: Quotation, cart: Cart, lines: Sequence[carts.Line], secret_key: str, now: datetime
) -> Checkout:
    lead, nonce = session.get_one(Lead, quotation.lead_id), secrets.token_urlsafe(20)
    tries = session.scalar(sa.select(sa.func.count()).select_from(Checkout).where(Checkout.cart_id == cart.id)) or 0
    origin = {"source": lead.source, "medium": lead.medium, "campaign": lead.campaign, "landing": lead.landing}
    buyer = quotation.buyer
    return Checkout(
        key=f"{quotations.subject(quotation)}:{tries + 1}",
        request_hash="",
        cart_id=cart.id,
        state="open",
        email=buyer["email"],
        **{part: buyer[part] for part in addresses.PARTS},
        note="",
        parcels=cart.parcels,
        service=carts.service_of(session, cart),
        channel=quotations.CHANNEL,
        source={name: value for name, value in origin.items() if value},
        lead_id=lead.id,
        language=quotation.language,
        currency=quotation.currency,
        shipping_minor=quotation.shipping_minor,
        total_minor=quotation.total_minor,
        lines=quotations.frozen_lines(session, quotation, lines),
        link_nonce=nonce,
        token_hash=links.hash_token(links.order_token(secret_key, nonce)),
        base_url=quotation.base_url,
        created_at=now,
    )
