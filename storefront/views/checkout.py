"""Checkout on one page, as a guest: where, how, pay. A refusal keeps every letter that was typed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request

from backoffice.public.carts import Cart
from backoffice.public.checkout import CheckoutForm
from backoffice.public.errors import BadInput, Refused, ShopError
from storefront import wording
from storefront.cookies import account_token, keep_place
from storefront.front import Front, see
from storefront.inputs import parse_hidden_int
from storefront.phrases import _
from storefront.views.cart import changes_of, minutes_left

NO_VERSION = -1
FIELDS = ("email", "name", "phone", "street", "postcode", "city", "country", "note")


@dataclass(frozen=True, slots=True)
class Views:
    """The checkout's addresses."""

    front: Front

    def checkout(self) -> Response:
        """Show the page. Coming here is activity: what is in the cart is held from now again."""
        now, token = self.front.clock(), self.front.cart_token()
        cart = self.front.shop.carts.find(token, now=now)
        if token and cart and cart.lines:
            cart = self.front.shop.carts.renew(token, now=now)
        before = self.front.shop.checkout.find_typed(token) if token and cart else {}
        place = (cart.postcode if cart else None) or self.front.remembered_place().postcode or ""
        typed = {**before, "postcode": place, **({"country": cart.country} if cart else {})}
        return self._show(cart, typed, now)

    def checkout_start(self) -> Response:
        """Open the payment, or show the page again with what was typed and what has to change."""
        now, token = self.front.clock(), self.front.cart_token()
        typed = {name: request.form.get(name, "") for name in FIELDS}
        cart = self.front.shop.carts.find(token, now=now)
        try:
            # without a cart the form may still be one that was paid a moment ago, sent again: the door knows it by its key
            version = self._settle_place(token, cart, typed, now) if token and cart and cart.lines else 0
            form = self._form(typed, version)
            start = self.front.shop.checkout.start(token or "", form, base_url=self._base_url(), now=now)
        except ShopError as error:
            fresh = self.front.shop.carts.find(token, now=now)
            return self._show(fresh, typed, now, error)
        pay_url = start.pay_url if "//" in start.pay_url else request.script_root + start.pay_url  # paid already: its order page
        return keep_place(see(pay_url), typed["postcode"].strip())

    def _settle_place(self, token: str, cart: Cart, typed: Mapping[str, str], now: datetime) -> int:
        """Move the cart to the typed place before paying; return the version to buy.

        The page showed a day for the cart's place. Where another place means another day or amount, the customer
        looks at it first: Refused(other_day_there | price_changed). A wrong place is named with all other wrong fields.
        """
        shown = parse_hidden_int(request.form.get("cart_version"))
        postcode, country = typed["postcode"].strip(), typed["country"] or cart.country
        if not postcode or (postcode, country) == (cart.postcode, cart.country):
            return shown
        try:
            moved = self.front.shop.carts.set_postcode(token, postcode, country=country, now=now)
        except BadInput as error:
            raise BadInput("invalid_form", _field_codes(error) | self._other_faults(token, typed, now)) from error
        if moved.deliver_on != cart.deliver_on:
            raise Refused("other_day_there")
        if moved.total != cart.total:
            raise Refused("price_changed")
        return moved.version if shown == cart.version else shown

    def _other_faults(self, token: str, typed: Mapping[str, str], now: datetime) -> dict[str, str]:
        """Return the codes of the fields that the door refuses; nothing is paid, as no cart has this version."""
        try:
            self.front.shop.checkout.start(token, self._form(typed, NO_VERSION), base_url=self._base_url(), now=now)
        except BadInput as error:
            return dict(error.fields)
        except ShopError:
            pass
        return {}

    def _form(self, typed: Mapping[str, str], version: int) -> CheckoutForm:
        return CheckoutForm(
            key=request.form.get("key", "") or secrets.token_urlsafe(24),
            cart_version=version,
            total_minor=parse_hidden_int(request.form.get("total_minor")),
            language=self.front.language(),
            account=account_token() or "",
            **typed,
        )

    def _base_url(self) -> str:
        return request.url_root.rstrip("/")

    def _show(self, cart: Cart | None, typed: Mapping[str, str], now: datetime, error: ShopError | None = None) -> Response:
        return self.front.page(
            "storefront/checkout.html",
            now,
            status=error.status if error else 200,
            cart=cart,
            typed=typed,
            # a refused form never became an order, so the next attempt is a new one
            key=secrets.token_urlsafe(24),
            problem=self._words(error) if error else "",
            problems=_field_words(error),
            labels=labels(),
            changes=changes_of(cart) if cart else (),
            minutes=minutes_left(cart, now),
            ready=bool(cart and cart.lines and all(line.promise for line in cart.lines)),
        )

    def _words(self, error: ShopError) -> str:
        return wording.say(BadInput("invalid_form")) if _field_words(error) else wording.say(error)


def labels() -> dict[str, str]:
    """Return the fields' labels, in the order of the page."""
    return {
        "email": _("E-mail"),
        "name": _("Name"),
        "phone": _("Phone"),
        "street": _("Street and number"),
        "postcode": _("Postcode"),
        "city": _("Town"),
        "country": _("Country"),
        "note": _("A word to the driver or to us"),
    }


def _field_words(error: ShopError | None) -> dict[str, str]:
    """Return field → words, in the order of the page; a wrong postcode belongs to its field however it was raised."""
    if not isinstance(error, BadInput):
        return {}
    codes = _field_codes(error)
    ordered = [name for name in FIELDS if name in codes] + [name for name in codes if name not in FIELDS]
    return wording.say_fields({name: codes[name] for name in ordered})


def _field_codes(error: BadInput) -> dict[str, str]:
    codes = dict(error.fields)
    if error.code == "unknown_postcode":
        codes.setdefault("postcode", "unknown_postcode")
    return codes


def register(routes: Blueprint, front: Front) -> None:
    """Add the checkout's addresses."""
    views = Views(front)
    routes.add_url_rule("/checkout", "checkout", views.checkout)
    routes.add_url_rule("/checkout", "checkout_start", views.checkout_start, methods=["POST"])
