"""A fake door: a small shop kept in memory, written as plain classes. It stands in for the back office in tests only.

It keeps the rules of the door that the pages depend on: refusals with their codes, days per postcode, holds that end,
a cart that remembers what it showed. Stock is a number per sku; nothing is ever planned.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

from backoffice.public import Shop, ShopProfile, addresses
from backoffice.public.accounts import AccountDoor, AccountView
from backoffice.public.carts import Cart, CartLine, CartPlace
from backoffice.public.cases import CaseDoor
from backoffice.public.catalogue import Picture
from backoffice.public.checkout import CheckoutForm, PaymentStart
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.leads import ConsentView, LeadForm, LeadReceipt, ReminderForm
from backoffice.public.money import Money
from backoffice.public.orders import NOBODY_KNOWN, OrderView, PendingOrder, Reader
from backoffice.public.promise import Instead, Promise
from backoffice.public.quotations import QuotationView
from backoffice.public.slips import SlipView
from backoffice.public.visits import Look
from backoffice.public.withdrawals import WithdrawalView
from tests.functional.storefront.fake_cases import Cases
from tests.functional.storefront.fake_catalogue import Catalogue
from tests.functional.storefront.fake_state import POSTCODES, SHIPPING, ZONE, State

COUNTRIES = ["DE", "AT", "IE", "IT", "US"]


class Profile:
    """Who the fake shop is."""

    def __init__(self, state: State) -> None:
        self.state = state

    def get(self) -> ShopProfile:
        if self.state.broken:
            raise RuntimeError("the database is away")
        address = ["Gasse 3", "96450 Coburg"]
        known = (30, "DE123456789", "HRB 77 Coburg")
        return ShopProfile("Hobel & Kante", "DE", "EUR", ZONE, "en", "hello@hobel.test", "+49 9561 1", address, COUNTRIES, *known)


class Promises:
    """The fake quotes."""

    def __init__(self, state: State) -> None:
        self.state = state

    def quote(
        self,
        sku: str,
        quantity: int,
        *,
        postcode: str | None,
        cart: str | None,
        now: datetime,
        country: str | None = None,
        customer_class: str | None = None,
    ) -> Promise:
        return self.state.promise(sku, quantity, postcode, now)

    def find_instead(
        self,
        sku: str,
        quantity: int,
        *,
        postcode: str | None,
        cart: str | None,
        now: datetime,
        country: str | None = None,
        customer_class: str | None = None,
    ) -> list[Instead]:
        found = []
        for other in self.state.stand_ins.get(sku, ()):
            thing = self.state.get(other)
            on = self.state.promise(other, quantity, postcode, now).deliver_on
            found.append(Instead(other, thing.slug, thing.name, "", Money(thing.price, thing.currency), on))
        return found


class Carts:
    """The fake carts: what is put in stays, what is held ends by the clock."""

    def __init__(self, state: State) -> None:
        self.state = state

    def add(
        self, token: str | None, sku: str, quantity: int, *, postcode: str | None, now: datetime, country: str | None = None,
        account: str | None = None, customer_class: str | None = None,
    ) -> Cart:  # fmt: skip
        thing = self.state.get(sku)
        token = token if token in self.state.lines else f"cart-{len(self.state.lines) + 1}"
        lines = self.state.lines.get(token, {})
        if any(self.state.get(other).currency != thing.currency for other in lines):
            raise Refused("currency_mismatch")
        self.state.promise(sku, lines.get(sku, 0) + quantity, postcode, now)
        self.state.lines[token] = {**lines, sku: lines.get(sku, 0) + quantity}
        self.state.postcode[token] = self.state.postcode.get(token) or postcode
        return self._touch(token, now)

    def _touch(self, token: str, now: datetime) -> Cart:
        self.state.version[token] = self.state.version.get(token, 0) + 1
        self.state.held_until[token] = now + timedelta(minutes=15)
        return self._cart(token, now)

    def set_quantity(self, token: str, sku: str, quantity: int, *, now: datetime) -> Cart:
        if quantity == 0:
            self.state.lines[token].pop(sku, None)
        else:
            self.state.promise(sku, quantity, self.state.postcode[token], now)
            self.state.lines[token][sku] = quantity
        return self._touch(token, now)

    def set_postcode(self, token: str, postcode: str, *, now: datetime, country: str | None = None) -> Cart:
        if postcode not in POSTCODES:
            raise BadInput("unknown_postcode", {"postcode": "unknown_postcode"})
        self.state.postcode[token], self.state.country[token] = postcode, country or self.state.country.get(token, "DE")
        self.state.version[token] += 1
        return self._cart(token, now)

    def ask_for_day(self, token: str, day: date | None, *, now: datetime) -> Cart:
        self.state.asked_day = day
        return self._touch(token, now)

    def set_service(self, token: str, service: str, *, now: datetime) -> Cart:
        if service:
            raise BadInput("invalid_form", {"service": "bad_choice"})
        return self._touch(token, now)

    def set_coupon(self, token: str, code: str, *, tried_by: str, now: datetime) -> Cart:
        if code:
            raise BadInput("coupon_invalid", {"coupon": "coupon_invalid"})
        return self._touch(token, now)

    def take_instead(self, token: str, sku: str, other: str, *, now: datetime) -> Cart:
        self.set_quantity(token, other, self.state.lines[token].pop(sku), now=now)
        return self._touch(token, now)

    def find(self, token: str | None, *, now: datetime) -> Cart | None:
        return self._cart(token, now) if token in self.state.lines else None

    def renew(self, token: str, *, now: datetime) -> Cart:
        if token not in self.state.lines:
            raise NotFound("unknown_cart")
        self.state.held_until[token] = now + timedelta(minutes=15)
        return self._cart(token, now)

    def put_in(self, token: str | None, sku: str, quantity: int, *, postcode: str | None, now: datetime,
               country: str | None = None, account: str | None = None) -> str:  # fmt: skip
        return self.add(token, sku, quantity, postcode=postcode, now=now, country=country).token

    def visit(self, token: str, *, now: datetime) -> tuple[Cart | None, Mapping[str, str]]:
        if token not in self.state.lines:
            return None, {}
        names, last = ("email", *addresses.PARTS, "note"), self.state.started[-1:]
        return self.renew(token, now=now), {name: getattr(last[0], name) for name in names} if last else {}

    def find_place(self, token: str | None) -> CartPlace | None:
        if token not in self.state.lines:
            return None
        state, country = self.state, self.state.country.get(token, "DE")
        return CartPlace(state.version[token], not state.lines[token], country, state.postcode[token])

    def count(self, token: str | None) -> int:
        return sum(self.state.lines.get(token or "", {}).values())

    def _cart(self, token: str | None, now: datetime) -> Cart:
        assert token is not None
        postcode = self.state.postcode[token]
        lines = [self._line(sku, quantity, postcode, now) for sku, quantity in self.state.lines[token].items()]
        days = [line.promise.deliver_on for line in lines if line.promise]
        goods_sum = Money(sum(line.total.amount_minor for line in lines), "EUR") if lines else None
        held = self.state.held_until[token]
        return Cart(
            token,
            self.state.version[token],
            lines,
            goods_sum,
            SHIPPING if lines else None,
            goods_sum + SHIPPING if goods_sum else None,
            max(days) if days and len(days) == len(lines) else None,
            held if held > now else None,
            self.state.country.get(token, "DE"),
            postcode,
            requested_on=self.state.asked_day,
        )

    def _line(self, sku: str, quantity: int, postcode: str | None, now: datetime) -> CartLine:
        thing = self.state.get(sku)
        price = Money(thing.price, thing.currency)
        promise, most = None, None
        try:
            promise = self.state.promise(sku, quantity, postcode, now)
        except Refused as error:
            most = int(str(error.details["most"])) or None
        options = ", ".join(thing.options.values())
        picture = Picture("stool.svg", thing.name)
        return CartLine(
            sku, thing.slug, thing.name, options, picture, quantity, price, price * quantity, promise, most,
            self.state.was_on.get(sku),
        )  # fmt: skip


class Checkouts:
    """The fake checkout: takes the form, or refuses as told."""

    def __init__(self, state: State, carts: Carts) -> None:
        self.state, self.carts = state, carts

    def find_on_account(self, account: str | None, total: Money, *, now: datetime) -> None:
        """Say that nobody may order on account."""

    def start(self, cart: str, form: CheckoutForm, *, base_url: str, now: datetime) -> PaymentStart:
        if self.state.refuse_start:
            raise self.state.refuse_start
        found = self.carts.find(cart, now=now)
        if found is None:
            raise Refused("cart_empty")
        fields = {} if form.email.strip() else {"email": "required"}
        fields |= addresses.check(addresses.of(asdict(form)), COUNTRIES)
        if "postcode" not in fields and form.country in ("DE", "AT") and form.postcode not in POSTCODES:
            fields["postcode"] = "unknown_postcode"
        if fields:
            raise BadInput("invalid_form", fields)
        if form.cart_version != found.version:
            raise Refused("stale")
        assert found.total is not None
        if form.total_minor != found.total.amount_minor:
            raise Refused("price_changed")
        if form.key not in {started.key for started in self.state.started}:
            self.state.started.append(form)
        self.state.orders["order-token"] = PendingOrder("opened", "https://pay.test/1")
        return PaymentStart("https://pay.test/1", "order-token", "proof")


class Orders:
    """The fake orders, put there by tests."""

    def __init__(self, state: State) -> None:
        self.state = state

    def get(self, token: str, *, reader: Reader = NOBODY_KNOWN, now: datetime) -> OrderView | PendingOrder:
        if token not in self.state.orders:
            raise NotFound("unknown_order")
        return self.state.orders[token]


class Withdrawals:
    """Nothing can be withdrawn from here: the real ones are tried over the whole site."""

    def get(self, token: str, *, reader: Reader = NOBODY_KNOWN, now: datetime) -> WithdrawalView:
        raise NotFound("unknown_order")

    def withdraw(self, token: str, lines: Mapping[int, int], *, key: str, now: datetime) -> None:
        raise NotFound("unknown_order")


class Quotations:
    """There are none here: the real ones are tried over the whole site."""

    def get(self, token: str, *, now: datetime) -> QuotationView:
        raise NotFound("unknown_record")

    def paper(self, token: str, *, now: datetime) -> tuple[str, bytes]:
        raise NotFound("unknown_record")

    def accept(self, token: str, version: int, total_minor: int, told_on: date, *, now: datetime) -> PaymentStart:
        raise NotFound("unknown_record")

    def ask_again(self, token: str, message: str, *, now: datetime) -> date:
        raise NotFound("unknown_record")


class Slips:
    """The fake slips, put there by tests: what is chosen is written down, nothing else happens."""

    def __init__(self, state: State) -> None:
        self.state = state

    def get(self, token: str, slip_id: int, *, now: datetime) -> SlipView:
        if (token, slip_id) not in self.state.slips:
            raise NotFound("unknown_slip")
        return self.state.slips[token, slip_id]

    def choose(self, token: str, slip_id: int, choice: str, option: str, *, now: datetime) -> None:
        slip = self.get(token, slip_id, now=now)
        if choice not in ("accept", "part", "substitute", "cancel"):
            raise BadInput("invalid_form", {"choice": "bad_choice"})
        if slip.state != "open":
            raise Refused("already_chosen")
        self.state.chosen.append((choice, option))
        self.state.slips[token, slip_id] = replace(slip, state="accepted", chosen_at=now)


class Leads:
    """The fake inbox: the same key is the same lead."""

    def __init__(self, state: State) -> None:
        self.state = state

    def open_form(self, *, now: datetime) -> str:
        return secrets.token_urlsafe(24)

    def submit(self, form: LeadForm, *, now: datetime) -> LeadReceipt:
        fields = {}
        if "@" not in form.email:
            fields["email"] = "bad_email" if form.email else "missing"
        if form.kind != "tell_me" and not form.message.strip():
            fields["message"] = "missing"
        if len(form.message) > 5000:
            fields["message"] = "too_long"
        if fields:
            raise BadInput("invalid_form", fields)
        self.state.leads[form.key] = form
        by = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
        return LeadReceipt(by, by.date())

    def find_consent(self, token: str) -> ConsentView:
        if token not in self.state.consents:
            raise NotFound("unknown_record")
        return self.state.consents[token]

    def confirm_consent(self, token: str, *, now: datetime) -> None:
        self.state.consents[token] = replace(self.find_consent(token), confirmed=True)

    def remind(self, cart: str | None, form: ReminderForm, *, now: datetime) -> bool:
        if "@" not in form.email:
            raise BadInput("invalid_form", {"email": "bad_email" if form.email else "required"})
        self.state.reminders[form.email] = form
        return True

    def withdraw_consent(self, token: str, *, now: datetime) -> None:
        self.state.consents[token] = replace(self.find_consent(token), standing=False)


class Accounts:
    """Nobody is logged in."""

    def find(self, token: str | None, *, now: datetime) -> AccountView | None:
        return None


class Visits:
    """Nobody allowed anything."""

    def note(self, look: Look) -> None:
        """Forget it."""

    def allow(self, *, wording: str, language: str, now: datetime) -> str:
        return "token"

    def take_back(self, token: str) -> bool:
        return False


def make_shop(state: State) -> Shop:
    """Return the fake door over `state`."""
    carts = Carts(state)
    return Shop(
        Profile(state),
        Catalogue(state),
        Promises(state),
        carts,
        Checkouts(state, carts),
        Orders(state),
        Leads(state),
        cast(AccountDoor, Accounts()),
        Slips(state),
        Withdrawals(),
        Quotations(),
        Visits(),
        cast(CaseDoor, Cases(state)),
    )


def sold(state: State, sku: str) -> None:
    """Let somebody else buy all of `sku`."""
    state.goods = [replace(thing, stock=0) if thing.sku == sku else thing for thing in state.goods]
