"""The code on a cart: put there, taken off, and what it takes off now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from backoffice.crm import carts, company_prices, coupons
from backoffice.crm.models import Cart
from backoffice.erp import models as t
from backoffice.erp import price_lists
from backoffice.public.errors import BadInput


def discount_minor(session: Session, cart: Cart, lines: Sequence[tuple[t.Item, int]], *, now: datetime) -> int:
    """Return what a cart's code takes off its lines (item, pieces); without a code nothing is asked."""
    if not cart.coupon_code or not lines:
        return 0
    own = company_prices.list_of_cart(session, cart, now=now)
    priced = [(price_lists.unit_minor(session, item, pieces, own), pieces) for item, pieces in lines]
    delivery, currency = carts.delivery_minor(session, cart), lines[0][0].currency
    return coupons.find_discount(session, cart.coupon_code, priced, delivery, currency=currency, now=now)


def set_coupon(session: Session, cart: Cart, typed: str, *, now: datetime) -> None:
    """Put a code on a cart ("": none any more). Raises BadInput(coupon_invalid) for one that takes nothing off."""
    code, before = coupons.clean(typed), cart.coupon_code
    cart.coupon_code = code
    lines = [(one.item, one.row.quantity) for one in carts.find_lines(session, cart)]
    if typed.strip() and (not code or not discount_minor(session, cart, lines, now=now)):
        raise BadInput("coupon_invalid", {"coupon": "coupon_invalid"})
    if code != before:
        carts.note_change(cart, now)
    session.flush()
