"""Checkout on one page, as a guest: where, how, pay. A refusal keeps every letter that was typed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request

from backoffice.public import ShopProfile
from backoffice.public.accounts import SavedAddress
from backoffice.public.addresses import PARTS
from backoffice.public.carts import Cart
from backoffice.public.checkout import CheckoutForm, OnAccount, is_charged_later
from backoffice.public.errors import BadInput, Refused, ShopError, TooOften
from backoffice.public.leads import ReminderForm
from backoffice.public.money import Money
from storefront import addresses, wording
from storefront.cookies import account_token, keep_order, keep_place
from storefront.front import Front, see
from storefront.inputs import parse_hidden_int
from storefront.phrases import _
from storefront.views.cart import changes_of, minutes_left

NO_VERSION = -1
EMPTIED = frozenset(PARTS) - {"name", "country", "phone"}  # of "another address"
FIELDS = ("email", "name", "company", "street", "postcode", "city", "region", "country", "phone", "note")


@dataclass(frozen=True, slots=True)
class Views:
    """The checkout's addresses."""

    front: Front

    def checkout(self) -> Response:
        """Show the page. Coming here is activity: what is in the cart is held from now again."""
        now, token = self.front.clock(), self.front.cart_token()
        nothing: tuple[Cart | None, Mapping[str, str]] = (None, {})
        cart, before = self.front.shop.carts.visit(token, now=now) if token else nothing
        typed = self._first_typed(cart, before, now)
        if cart and cart.lines and not cart.postcode and not before and "street" in typed:  # of the address book
            cart = self._move(cart, typed, now)
        return self._show(cart, typed, now)

    def _move(self, cart: Cart, typed: Mapping[str, str], now: datetime) -> Cart:
        """Name the days for an address that was picked; where it is none any more, the cart stays as it is."""
        try:
            return self.front.shop.carts.set_postcode(cart.token, typed["postcode"], country=typed["country"], now=now)
        except (KeyError, ShopError):
            return cart

    def _first_typed(self, cart: Cart | None, before: Mapping[str, str], now: datetime) -> dict[str, str]:
        """Return what the page begins with: what this cart typed before, else the preferred address; the cart's own place."""
        book = self._book(now)
        typed = self._known(now) | dict(before)
        if not before and book and not (cart and cart.postcode):
            return typed | asdict(book[0].address)
        known = self.front.remembered_place()
        place = (cart.postcode if cart else None) or known.postcode or known.abroad
        here = {"postcode": place} | ({"country": cart.country} if cart else {})
        same = next((asdict(one.address) for one in book if here.items() <= asdict(one.address).items()), {})
        return typed | ({} if before else same) | here

    def _known(self, now: datetime) -> dict[str, str]:
        who = self.front.shop.accounts.find(account_token(), now=now)
        return {"email": who.email, "name": who.name} if who else {}

    def _book(self, now: datetime) -> Sequence[SavedAddress]:
        token = account_token()
        if token is None or self.front.shop.accounts.find(token, now=now) is None:
            return ()
        return self.front.shop.accounts.find_addresses(token, now=now)

    def checkout_start(self) -> Response:
        """Open the payment, or show the page again with what was typed and what has to change."""
        now, token = self.front.clock(), self.front.cart_token()
        typed = {name: request.form.get(name, "") for name in FIELDS}
        if request.form.get("action") == "country":
            return self._show(self.front.shop.carts.find(token, now=now), typed, now)
        wrong = self._remind(token, typed, now)
        if request.form.get("action") == "remind":
            return self._show(self.front.shop.carts.find(token, now=now), typed, now, wrong)
        if request.form.get("action") == "address":
            return self._use_address(self.front.shop.carts.find(token, now=now), typed, now)
        try:
            # without a cart the form may still be one that was paid a moment ago, sent again: the door knows it by its key
            version = self._settle_place(token, typed, now) if token else 0
            form = self._form(typed, version)
            start = self.front.shop.checkout.start(token or "", form, base_url=self._base_url(), now=now)
        except ShopError as error:
            said = self._let_code_go(token, error, now)
            fresh = self.front.shop.carts.find(token, now=now)
            return self._show(fresh, typed, now, said)
        paid = start.pay_url == f"/o/{start.order_token}"  # already: its order page, in the reader's language
        pay_url = request.script_root + start.pay_url if paid else start.pay_url
        elsewhere = typed["country"] if typed["country"] != self.front.profile().country else ""
        return keep_order(keep_place(see(pay_url), typed["postcode"].strip(), elsewhere), start.order_proof)

    def _let_code_go(self, token: str | None, error: ShopError, now: datetime) -> ShopError:
        """Take a code that no longer holds off the cart: no field of this page could, and its total is shown without it."""
        if error.code != "coupon_invalid" or token is None:
            return error
        try:
            self.front.shop.carts.set_coupon(token, "", tried_by="", now=now)
        except ShopError:  # the cart is another one by now: the page shows it
            return error
        return Refused("code_ended")

    def _remind(self, token: str | None, typed: Mapping[str, str], now: datetime) -> BadInput | None:
        """Keep that they want to be reminded of the cart if they say so; return what is wrong with that."""
        if request.form.get("remind") != "yes":
            return BadInput("invalid_form", {"remind": "required"})
        form = ReminderForm(
            email=typed["email"],
            name=typed["name"][:200],
            phone=typed["phone"][:40],
            words=reminder_words(),
            language=self.front.language(),
            page=request.path,
            who_asks=request.remote_addr or "",
        )
        try:
            self.front.shop.leads.remind(token, form, now=now)
        except BadInput as error:
            return error
        return None

    def _use_address(self, cart: Cart | None, typed: Mapping[str, str], now: datetime) -> Response:
        """Show the page with an address of the book, and its days; with empty fields for "another address"."""
        picked = request.form.get("address", "")
        found = next((one for one in self._book(now) if str(one.id) == picked), None)
        if found is None:
            return self._show(cart, {**typed, **dict.fromkeys(EMPTIED, "")}, now)
        filled = {**typed, **asdict(found.address)}
        return self._show(self._move(cart, filled, now) if cart and cart.lines else cart, filled, now)

    def _settle_place(self, token: str, typed: Mapping[str, str], now: datetime) -> int:
        """Move the cart to the typed place before paying; return the version to buy, 0 where there is nothing to buy.

        The page showed a day for the cart's place. Where another place means another day or amount, the customer
        looks at it first: Refused(other_day_there | price_changed). A form with faults moves nothing: BadInput.
        """
        shown = parse_hidden_int(request.form.get("cart_version"))
        named = request.form.get("shown_postcode", ""), request.form.get("shown_country", "")
        if (typed["postcode"].strip(), typed["country"]) == named:
            return shown  # the place whose day the page named; has the cart moved since, its version has too
        known = self.front.shop.carts.find_place(token)
        if known is None or known.empty:
            return 0
        postcode, country = typed["postcode"].strip(), typed["country"] or known.country
        if (postcode, country) == (known.postcode or "", known.country):
            return shown
        cart = self.front.shop.carts.find(token, now=now)
        if cart is None:  # another window of theirs has just ordered it
            return 0
        if faults := self._faults(token, typed, now):
            raise BadInput("invalid_form", faults)
        moved = self.front.shop.carts.set_postcode(token, postcode, country=country, now=now)
        if moved.deliver_on != cart.deliver_on:
            raise Refused("other_day_there")
        if moved.total != cart.total:
            raise Refused("price_changed")
        return moved.version if shown == cart.version else shown

    def _faults(self, token: str, typed: Mapping[str, str], now: datetime) -> dict[str, str]:
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
            keep_address=request.form.get("keep_address") == "yes",
            on_account=request.form.get("action") == "account",
            **typed,
        )

    def _base_url(self) -> str:
        return request.url_root.rstrip("/")

    def _show(self, cart: Cart | None, typed: Mapping[str, str], now: datetime, error: ShopError | None = None) -> Response:
        profile = self.front.profile()
        country = typed.get("country") or (cart.country if cart else profile.country)
        book = self._book(now)
        account = self._on_account(cart, now)
        if account and request.method == "GET":
            typed = {"company": account.company, **typed}
        form = addresses.form_of(country, profile.country, self.front.language())
        response = self.front.page(
            "storefront/checkout.html",
            now,
            status=error.status if error else 200,
            cart=cart,
            typed={**typed, "country": country},
            form=form,
            countries=addresses.countries(profile.countries or [profile.country], self.front.formats(profile, now)),
            book=book,
            picked=next((one.id for one in book if _is_typed(one, typed)), 0),
            logged_in=self.front.shop.accounts.find(account_token(), now=now) is not None,
            keep_address=request.method == "GET" or request.form.get("keep_address") == "yes",
            # a refused form never became an order, so the next attempt is a new one
            key=secrets.token_urlsafe(24),
            reminder=reminder_words(),
            remind=request.form.get("remind") == "yes",
            reminded=error is None and request.form.get("action") == "remind",
            problem=self._words(error) if error else "",
            problems=_field_words(error),
            labels={**form.labels, "email": _("E-mail"), "note": _("A word to the driver or to us"), "remind": _("Remind me")},
            changes=changes_of(cart) if cart else (),
            minutes=minutes_left(cart, now),
            charged=self._charged(cart, profile, now),
            account=account,
            ready=bool(cart and cart.lines and all(line.promise for line in cart.lines)),
        )
        if isinstance(error, TooOften):
            response.headers["Retry-After"] = str(error.retry_after)
        return response

    def _charged(self, cart: Cart | None, profile: ShopProfile, now: datetime) -> str:
        """Return when the customer is charged where the shop does it as late as it can: later | now; else nothing."""
        days = [line.promise.deliver_on for line in cart.lines if line.promise] if cart else []
        if not profile.capture_on_shipment or not days:
            return ""
        today = now.astimezone(ZoneInfo(profile.timezone)).date()
        return "later" if is_charged_later(max(days), today) else "now"

    def _on_account(self, cart: Cart | None, now: datetime) -> OnAccount | None:
        token = account_token()
        if token is None or cart is None or cart.total is None:
            return None
        return self.front.shop.checkout.find_on_account(token, cart.total, now=now)

    def _words(self, error: ShopError) -> str:
        left = error.details.get("left")
        if error.code == "over_limit" and isinstance(left, Money):
            amount = self.front.formats(self.front.profile(), self.front.clock()).money(left)
            return _(
                "%(amount)s is left on your company's account. Nothing was ordered: you can pay this order now.", amount=amount
            )
        return wording.say(BadInput("invalid_form")) if _field_words(error) else wording.say(error)


def reminder_words() -> str:
    """Return what somebody agrees to who wants to be reminded of their cart; kept with their consent, word for word."""
    return _("If I do not finish this order, you may write to me about this cart. I can stop this at any time.")


def _is_typed(one: SavedAddress, typed: Mapping[str, str]) -> bool:
    return all(text == typed.get(part, "") for part, text in asdict(one.address).items() if part != "phone")


def _field_words(error: ShopError | None) -> dict[str, str]:
    """Return field → words, in the order of the page; a wrong postcode belongs to its field however it was raised."""
    if not isinstance(error, BadInput):
        return {}
    codes = dict(error.fields)
    if error.code == "unknown_postcode":
        codes.setdefault("postcode", "unknown_postcode")
    ordered = [name for name in FIELDS if name in codes] + [name for name in codes if name not in FIELDS]
    return wording.say_fields({name: codes[name] for name in ordered})


def register(routes: Blueprint, front: Front) -> None:
    """Add the checkout's addresses."""
    views = Views(front)
    routes.add_url_rule("/checkout", "checkout", views.checkout)
    routes.add_url_rule("/checkout", "checkout_start", views.checkout_start, methods=["POST"])
