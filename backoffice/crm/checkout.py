"""Checkout: what the customer confirmed, frozen when the payment session opens."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import accounts, address_book, cart_codes, carts, company_prices, coupons, links, parties
from backoffice.crm.models import Cart, Checkout
from backoffice.db import write_row
from backoffice.erp import holds, kits, plan, price_lists, promising, shipping, taxes
from backoffice.erp import models as t
from backoffice.public import addresses
from backoffice.public.addresses import Address
from backoffice.public.checkout import CheckoutForm
from backoffice.public.errors import BadInput, Refused, TooOften

CHECKOUT_MOVES: dict[str, tuple[str, ...]] = {
    "open": ("completed", "abandoned"),
    "completed": (),
    "abandoned": ("open",),
}  # open again: paid after all
MOST_STARTS, STARTS_WITHIN = 10, timedelta(minutes=10)  # payments begun of one cart
LONGEST = {"note": 1_000, "language": 20}
PAGE_ADDED = ("cart_version", "total_minor", "account", "keep_address", "on_account")
TYPED = tuple(field.name for field in fields(CheckoutForm) if field.name not in PAGE_ADDED)


def request_hash(form: CheckoutForm) -> str:
    """Return a fingerprint of what the customer typed; what the page added (cart version, total) may be newer the second time."""
    typed = {name: getattr(form, name) for name in TYPED} | ({"on_account": True} if form.on_account else {})
    return hashlib.sha256(json.dumps(typed, sort_keys=True).encode()).hexdigest()


_OF_FORM = sa.select(Checkout).where(Checkout.key == sa.bindparam("key"))


def find_by_key(session: Session, key: str) -> Checkout | None:
    """Return the checkout that this form already became."""
    return session.scalar(_OF_FORM, {"key": key})


_MINE = (
    sa.select(Cart, sa.exists().where(Checkout.cart_id == Cart.id, Checkout.state == "open"))
    .where(carts.MINE)
    .with_for_update(of=Cart)
    .execution_options(populate_existing=True)
)


def find_mine(session: Session, token: str | None) -> tuple[Cart | None, bool]:
    """Return the open cart of a browser's token, to change it, and whether a payment of it is still possible.

    The second is as of before we waited for the first: a payment begun meanwhile shows in holds that are being paid for,
    and whoever meets those is refused as stale.
    """
    found = session.execute(_MINE, carts.of(token)).first() if token else None
    return (found[0], bool(found[1])) if found else (None, False)


_TENTH = (
    sa.select(Checkout.created_at)
    .where(Checkout.cart_id == Cart.id)
    .order_by(Checkout.created_at.desc())
    .offset(MOST_STARTS - 1)
    .limit(1)
    .correlate(Cart)
    .scalar_subquery()
)
_TO_PAY = _MINE.add_columns(_TENTH)


def find_to_pay(session: Session, token: str) -> tuple[Cart | None, bool, datetime | None]:
    """Return as `find_mine` does, and when the tenth last payment of the cart began: with it, so that it costs no statement."""
    found = session.execute(_TO_PAY, carts.of(token)).first() if token else None
    return (found[0], bool(found[1]), found[2]) if found else (None, False, None)


def require_patience(tenth_at: datetime | None, *, now: datetime) -> None:
    """Refuse an eleventh payment of one cart within ten minutes: each is a page at the provider. Raises TooOften."""
    if tenth_at is not None and tenth_at > now - STARTS_WITHIN:
        raise TooOften("too_many_checkouts", retry_after=(tenth_at + STARTS_WITHIN - now).total_seconds())


_SEEN = sa.select(
    Cart,
    sa.exists().where(Checkout.cart_id == Cart.id).label("tried"),
    *plan.SEEN,
).where(carts.MINE)


def find_as_left(session: Session, token: str, *, minutes: int, now: datetime) -> tuple[Cart, Sequence[carts.Line], bool] | None:
    """Return the open cart of a browser's token with its lines, if it is as its customer left it a moment ago, and whether they
    went to pay before; None: there is something to do first, which takes a transaction (`find_mine`, `carts.renew`).

    So it is mostly: somebody looks at what they have just put in. One whose payment page is open is not: its goods are being
    paid for, no longer held. minutes: how long a hold is kept.
    """
    row = session.execute(_SEEN, carts.of(token)).first()
    if row is None or now - row[0].updated_at > carts.NOTED_EVERY:
        return None
    plan.note(session, row)
    cart: Cart = row[0]
    found, until = carts.find_lines(session, cart), now + timedelta(minutes=minutes) - carts.NOTED_EVERY
    for one in found:
        if one.reservation is None or not holds.stands(session, one.reservation, until=until, now=now):
            return None
    lines, _ = carts.lines_of(session, cart, now=now, found=found)
    return (cart, lines, bool(row.tried)) if all(_is_known(line) for line in lines) else None


def _is_known(line: carts.Line) -> bool:
    """Tell whether its customer was shown a line's price and day before: nothing of them is to be noted."""
    shown, promise = line.row, line.promise
    return shown.shown_price_minor == line.price_minor and promise is not None and shown.shown_on == promise.deliver_on


KEPT = ("email", *addresses.PARTS, "note")
_LAST = (
    sa.select(*(getattr(Checkout, name) for name in KEPT))
    .join(Cart, Cart.id == Checkout.cart_id)
    .where(carts.MINE)
    .order_by(Checkout.id.desc())
    .limit(1)
)


def typed_before(session: Session, token: str) -> Mapping[str, str]:
    """Return what was typed the last time this cart went to pay: whoever comes back need not type it again."""
    last = session.execute(_LAST, carts.of(token)).first()
    return {} if last is None else dict(last._mapping)


def address_of(form: CheckoutForm) -> Address:
    """Return where it goes, as typed."""
    return Address(**{part: getattr(form, part) for part in addresses.PARTS})


def check_form(session: Session, form: CheckoutForm) -> str:
    """Check what was typed, all fields at once, the address as its country has it; return the e-mail address as it is kept.

    Raises BadInput(invalid_form, fields → required | too_long | bad_email | bad_postcode | unknown_postcode | bad_choice |
    bad_character | unknown_country).
    """
    fields = addresses.check(address_of(form), shipping.countries(session))
    place = addresses.tidy(address_of(form))
    if not {"postcode", "country"} & fields.keys() and shipping.find_zone(session, place.country, place.postcode) is None:
        fields["postcode"] = "unknown_postcode"
    email = ""
    if not form.email.strip():
        fields["email"] = "required"
    for name, longest in LONGEST.items():
        if len(getattr(form, name)) > longest:
            fields[name] = "too_long"
    if "email" not in fields:
        try:
            email = parties.normalise_email(form.email)
        except BadInput as error:
            fields["email"] = error.fields.get("email", "bad_email")
    if not 8 <= len(form.key) <= 128:
        raise BadInput("invalid_form", {"key": "required"})
    if fields:
        raise BadInput("invalid_form", fields)
    return email


def open_checkout(
    session: Session, cart: Cart, form: CheckoutForm, *, secret_key: str, base_url: str, minutes: int, now: datetime
) -> Checkout:
    """Freeze the cart and keep its holds while the customer pays.

    Raises BadInput(invalid_form, fields), BadInput(coupon_invalid), Refused(cart_empty | stale | not_available | day_moved |
    price_changed | not_logged_in), the last where a company's prices are shown to somebody who is not logged in any more.
    """
    email = check_form(session, form)
    if cart.version != form.cart_version:
        raise Refused("stale")
    place = addresses.tidy(address_of(form))
    try:
        if (place.postcode, place.country) != (cart.postcode, cart.country):
            carts.set_place(session, cart, place.postcode, country=place.country, now=now)
    except BadInput as error:
        raise BadInput("invalid_form", {"postcode": error.code}) from error
    found = accounts.find_session(session, form.account, now=now)
    own = company_prices.list_of_cart(session, cart, now=now)
    if own is not None and cart.party_id is None and (found is None or found[0].id != cart.account_id):
        raise Refused("not_logged_in")  # what is agreed with a company is for its people alone
    held = carts.renew(session, cart, minutes=minutes, now=now, dead_only=True)
    lines, _ = carts.lines_of(session, cart, now=now, found=held)
    if not lines:
        raise Refused("cart_empty")
    _check_lines(lines)
    subtotal = sum(line.price_minor * line.row.quantity for line in lines)
    delivery = carts.delivery_minor(session, cart)
    discount = cart_codes.discount_minor(session, cart, [(line.item, line.row.quantity) for line in lines], now=now)
    if cart.coupon_code and not discount:
        raise BadInput("coupon_invalid", {"coupon": "coupon_invalid"})
    if form.total_minor != subtotal + delivery - discount:
        raise Refused("price_changed", total_minor=subtotal + delivery - discount)
    for line in sorted(lines, key=lambda line: line.row.item_id):
        assert line.reservation is not None
        holds.start_paying(session, line.reservation.id, now=now)
    nonce = secrets.token_urlsafe(20)
    checkout = Checkout(
        key=form.key,
        request_hash=request_hash(form),
        cart_id=cart.id,
        state="open",
        email=email,
        **addresses.texts_of(replace(place, postcode=cart.postcode or "", country=cart.country)),
        note=form.note.strip(),
        parcels=cart.parcels,
        requested_on=cart.requested_on,
        service=carts.service_of(session, cart),
        account_id=found[0].id if found else None,
        language=form.language,
        currency=lines[0].item.currency,
        shipping_minor=delivery,
        coupon_code=cart.coupon_code,
        discount_minor=discount,
        total_minor=subtotal + delivery - discount,
        price_list_id=own,
        lines=[frozen(session, line) for line in lines],
        link_nonce=nonce,
        token_hash=links.hash_token(links.order_token(secret_key, nonce)),
        base_url=base_url.rstrip("/"),
        created_at=now,
    )
    write_row(session, checkout)
    if checkout.coupon_code:
        coupons.redeem(session, checkout, now=now)
    if found and form.keep_address:
        address_book.keep(session, found[0], place, now=now)
    return checkout


def _check_lines(lines: Sequence[carts.Line]) -> None:
    """Raise Refused unless every line is held and no day is later than the one the customer saw."""
    for line in lines:
        if line.promise is None or line.reservation is None:
            raise Refused("not_available", sku=line.item.sku, most=line.most or 0)
        before = line.row.shown_on
        if before is not None and line.promise.deliver_on > before:
            raise Refused("day_moved", sku=line.item.sku, was_on=before, now_on=line.promise.deliver_on)


_PEGS = (
    sa.select(t.Peg.kind, t.Peg.quantity, t.Peg.available_at, t.Item.name, t.Item.sku)
    .join(t.Item, t.Item.id == t.Peg.item_id)
    .where(t.Peg.reservation_id.in_(sa.bindparam("reservation_ids", expanding=True)))
    .order_by(t.Peg.id)
)


def frozen(session: Session, line: carts.Line) -> dict[str, Any]:
    """Return a line with its price and its promise, as it will stand in the order."""
    assert line.promise is not None
    assert line.reservation is not None
    pegs = session.execute(_PEGS, {"reservation_ids": [one.id for one in kits.goods_of(session, line.reservation)]})
    return {
        "item_id": line.item.id,
        "sku": line.item.sku,
        "name": line.product.name,
        "options": ", ".join(str(value) for value in line.item.options.values()),
        "quantity": line.row.quantity,
        "unit_price_minor": line.price_minor,
        "no_withdrawal": line.item.no_withdrawal,
        "tax_kind": line.product.tax_kind if line.product.tax_kind != taxes.STANDARD else "",
        "reservation_id": line.reservation.id,
        "basis": line.promise.basis,
        "deliver_on": line.promise.deliver_on.isoformat(),
        "ship_on": line.promise.ship_on.isoformat(),
        "promise": {
            "ready_at": line.promise.ready_at.isoformat(),
            "ship_on": line.promise.ship_on.isoformat(),
            "deliver_on": line.promise.deliver_on.isoformat(),
            "earliest_on": line.promise.earliest_on.isoformat() if line.promise.earliest_on else None,
            "plan_version": line.promise.plan_version,
            "steps": promising.steps_to_rows(line.promise.steps),
            "pegs": [
                {"kind": p.kind, "quantity": p.quantity, "at": p.available_at.isoformat(), "item": p.name, "sku": p.sku}
                for p in pegs
            ],
        },
    }


def require_current(session: Session, cart: Cart, form: CheckoutForm, *, now: datetime) -> None:
    """Refuse what `open_checkout` would refuse whatever is held, before an open payment page is closed for it.

    Changes nothing. Raises BadInput(invalid_form, fields), Refused(stale | price_changed).
    """
    check_form(session, form)
    if cart.version != form.cart_version:
        raise Refused("stale")
    rows = {row.item_id: row.quantity for row in carts.rows_of(session, cart)}
    items = session.scalars(sa.select(t.Item).where(t.Item.id.in_(rows))).all()
    own = company_prices.list_of_cart(session, cart, now=now)
    total = sum(price_lists.unit_minor(session, item, rows[item.id], own) * rows[item.id] for item in items)
    total += carts.delivery_minor(session, cart)
    total -= cart_codes.discount_minor(session, cart, [(item, rows[item.id]) for item in items], now=now)
    if form.total_minor != total:
        raise Refused("price_changed", total_minor=total)


def give_up(session: Session, checkout: Checkout, *, keep_minutes: int | None, now: datetime) -> None:
    """Abandon an open checkout after the provider's word. keep_minutes: hold the goods on for the cart; None: release."""
    if checkout.state != "open":
        return
    carts.lock(session, checkout.cart_id)  # before its holds, as whoever changes the cart does
    checkout.state = "abandoned"
    if keep_minutes is None:
        holds.lock_goods(session, [int(line["reservation_id"]) for line in checkout.lines])
    for line in sorted(checkout.lines, key=lambda line: int(line["item_id"])):
        if keep_minutes is not None:
            holds.stop_paying(session, line["reservation_id"], minutes=keep_minutes, now=now)
        else:
            holds.release(session, line["reservation_id"], paying=True, now=now)
    if checkout.coupon_code:
        coupons.release(session, checkout.id, now=now)
    session.flush()


def hold_again(session: Session, checkout: Checkout, *, minutes: int, now: datetime) -> None:
    """Keep the goods of an abandoned checkout once more, because its money came after all.

    Raises Refused(not_available) when one of them can no longer be had; the caller takes everything back then.
    """
    customer_class = session.get_one(Cart, checkout.cart_id).customer_class
    lines = []
    for frozen in sorted(checkout.lines, key=lambda line: int(line["item_id"])):
        item = session.get_one(t.Item, frozen["item_id"])
        held = holds.hold(
            session,
            item,
            frozen["quantity"],
            owner=f"checkout:{checkout.id}",
            customer_class=customer_class,
            minutes=minutes,
            country=checkout.country,
            postcode=checkout.postcode,
            by=checkout.requested_on,
            service=checkout.service,
            now=now,
        )
        holds.start_paying(session, held.id, now=now)
        lines.append({**frozen, "reservation_id": held.id})
    if checkout.coupon_code and not coupons.redeem_again(session, checkout, now=now):
        raise Refused("not_available")
    checkout.lines, checkout.state = lines, "open"
    session.flush()


def open_checkouts(session: Session, cart: Cart) -> list[Checkout]:
    """Return the checkouts of a cart whose payment is still possible."""
    return list(
        session.scalars(sa.select(Checkout).where(Checkout.cart_id == cart.id, Checkout.state == "open").order_by(Checkout.id))
    )
