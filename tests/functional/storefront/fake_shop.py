"""A fake door: a small shop kept in memory, written as plain classes. It stands in for the back office in tests only.

It keeps the rules of the door that the pages depend on: refusals with their codes, days per postcode, holds that end,
a cart that remembers what it showed. Stock is a number per sku; nothing is ever planned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import cast

from backoffice.public import Shop, ShopProfile
from backoffice.public.accounts import AccountDoor, AccountView
from backoffice.public.carts import Cart, CartLine
from backoffice.public.catalogue import Card, Category, Listing, Picture, ProductPage, Variant
from backoffice.public.checkout import CheckoutForm, PaymentStart
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.leads import ConsentView, LeadForm, LeadReceipt
from backoffice.public.money import Money
from backoffice.public.orders import OrderView, PendingOrder
from backoffice.public.promise import Promise, Step

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # Tuesday, 9:00 in Berlin
SHIPPING = Money(490, "EUR")
POSTCODES = {"80331": 0, "10115": 1}  # postcode → days more than usual
ZONE = "Europe/Berlin"


@dataclass
class Goods:
    """One variant of the fake shop."""

    sku: str
    slug: str
    name: str
    options: dict[str, str]
    price: int
    stock: int
    basis: str = "stock"
    days: int = 2  # from now to the door
    currency: str = "EUR"


def goods() -> list[Goods]:
    """Return what the fake shop sells."""
    return [
        Goods("TABLE-OAK", "ash-table", "Long table", {"Wood": "Oak", "Size": "180 cm"}, 129000, 0, "make", 14),
        Goods("TABLE-ASH", "ash-table", "Long table", {"Wood": "Ash", "Size": "180 cm"}, 119000, 3),
        Goods("STOOL", "stool", "Stool", {}, 8900, 2),
        Goods("LAMP", "lamp", "Lamp", {}, 12900, 10, "receipt", 7),
        Goods("CHAIR-RED", "chair", "Chair", {"Colour": "Red"}, 19900, 0),
        Goods("CHAIR-BLUE", "chair", "Chair", {"Colour": "Blue"}, 19900, 5),
        Goods("GONE", "gone", "Old shelf", {}, 30000, 0),
        Goods("USD-BOX", "box", "Box", {}, 2500, 9, currency="USD"),
    ]


@dataclass
class State:
    """Everything the fake shop remembers; tests look at it and change it."""

    goods: list[Goods] = field(default_factory=goods)
    lines: dict[str, dict[str, int]] = field(default_factory=dict)
    postcode: dict[str, str | None] = field(default_factory=dict)
    version: dict[str, int] = field(default_factory=dict)
    held_until: dict[str, datetime] = field(default_factory=dict)
    was_on: dict[str, date] = field(default_factory=dict)
    leads: dict[str, LeadForm] = field(default_factory=dict)
    consents: dict[str, ConsentView] = field(default_factory=dict)
    started: list[CheckoutForm] = field(default_factory=list)
    refuse_start: Exception | None = None
    orders: dict[str, OrderView | PendingOrder] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    broken: bool = False
    versions: int = 0

    def asked_version(self) -> int:
        """Return another number each time."""
        self.versions += 1
        return self.versions

    def get(self, sku: str) -> Goods:
        """Return goods. Raises NotFound(unknown_product)."""
        for thing in self.goods:
            if thing.sku == sku:
                return thing
        raise NotFound("unknown_product")

    def available(self, thing: Goods) -> bool:
        """Tell whether one piece can be promised."""
        return thing.stock > 0 or thing.basis == "make"

    def promise(self, sku: str, quantity: int, postcode: str | None, now: datetime) -> Promise:
        """Return the day. Raises Refused(not_available, most), BadInput(unknown_postcode)."""
        thing = self.get(sku)
        if postcode is not None and postcode not in POSTCODES:
            raise BadInput("unknown_postcode", {"postcode": "unknown_postcode"})
        if thing.basis != "make" and thing.stock < quantity:
            raise Refused("not_available", most=thing.stock)
        ready = now + timedelta(days=thing.days - 2)
        out = ready + timedelta(days=1)
        door = out + timedelta(days=1 + POSTCODES.get(postcode or "", 0))
        steps = [
            *making_steps(thing, now, ready),
            Step("pick_pack", ready, ready, {"zone": ZONE}),
            Step("cutoff", ready, out, {"zone": ZONE, "minute": 840, "missed": True}),
            Step("ship", out, out, {"zone": ZONE}),
            Step("transit", out, door, {"zone": ZONE, "days": (door - out).days}),
            Step("deliver", door, door, {"zone": ZONE}),
        ]
        return Promise(
            sku, quantity, thing.basis, ready, out.date(), door.date(), steps, now + timedelta(minutes=10), 7, postcode
        )


def making_steps(thing: Goods, now: datetime, ready: datetime) -> list[Step]:
    """Return the steps until the goods are there."""
    if thing.basis != "make":
        return [Step(thing.basis, now, ready, {"zone": ZONE, "item": thing.name, "quantity": 1})]
    bought, sawn = now + timedelta(days=7), now + timedelta(days=9)
    return [
        Step("buy", now, bought, {"zone": ZONE, "item": "Oak board", "lead_days": 7}),
        Step("wait", bought, sawn, {"zone": ZONE, "item": thing.name, "work_centre": "Saw", "cause": "busy"}),
        Step("operation", sawn, ready, {"zone": ZONE, "item": thing.name, "work_centre": "Saw", "quantity": 1}),
    ]


class Profile:
    """Who the fake shop is."""

    def __init__(self, state: State) -> None:
        self.state = state

    def get(self) -> ShopProfile:
        if self.state.broken:
            raise RuntimeError("the database is away")
        address = ["Gasse 3", "96450 Coburg"]
        known = (30, "DE123456789", "HRB 77 Coburg")
        return ShopProfile(
            "Hobel & Kante", "DE", "EUR", ZONE, "en", "hello@hobel.test", "+49 9561 1", address, ["DE", "AT"], *known
        )


class Catalogue:
    """The fake catalogue: two categories, three products a page."""

    def __init__(self, state: State) -> None:
        self.state = state

    def _category(self, slug: str) -> Category:
        known = {"tables": Category("tables", "Tables", None, 1), "seats": Category("seats", "Seats", None, 3)}
        if slug not in known:
            raise NotFound("unknown_category")
        return known[slug]

    def list_products(
        self, *, category: str | None, query: str | None, page: int, postcode: str | None, language: str, now: datetime
    ) -> Listing:
        node = self._category(category) if category else None
        cards: dict[str, Card] = {}
        for thing in self.state.goods:
            if not self.state.available(thing) or thing.slug in cards:
                continue
            if query and query.casefold() not in thing.name.casefold():
                continue
            if node and (thing.slug == "ash-table") != (node.slug == "tables"):
                continue
            cards[thing.slug] = self._card(thing, postcode, now)
        found = list(cards.values())
        pages = max(1, -(-len(found) // 3))
        path = [node] if node else []
        words = ["stool"] if query and not found else []
        shown = found[3 * page - 3 : 3 * page]
        return Listing(shown, len(found), page, pages, node, path, [], words)

    def _card(self, thing: Goods, postcode: str | None, now: datetime) -> Card:
        promise = self.state.promise(thing.sku, 1, postcode, now)
        price = Money(thing.price, thing.currency)
        return Card(thing.slug, thing.name, thing.sku, Picture("stool.svg", thing.name), price, False, promise)

    def get_product(self, slug: str, *, language: str, now: datetime) -> ProductPage:
        found = [thing for thing in self.state.goods if thing.slug == slug]
        if not found:
            raise NotFound("unknown_product")
        variants = [Variant(t.sku, t.options, Money(t.price, t.currency), None, self.state.available(t), t.basis) for t in found]
        picture = Picture("stool.svg", found[0].name)
        path = [self._category("tables")]
        return ProductPage(slug, found[0].name, "طاولة طويلة", "ar", [picture], path, variants, {"Width": "90 cm"})

    def find_version(self, *, now: datetime) -> str:
        return str(self.state.asked_version())  # nothing is ever kept

    def find_slugs(self, *, now: datetime) -> Sequence[str]:
        return ["stool", "table"]

    def find_categories(self, *, now: datetime, language: str = "") -> Sequence[Category]:
        return [self._category("tables"), self._category("seats")]


class Promises:
    """The fake quotes."""

    def __init__(self, state: State) -> None:
        self.state = state

    def quote(self, sku: str, quantity: int, *, postcode: str | None, cart: str | None, now: datetime) -> Promise:
        return self.state.promise(sku, quantity, postcode, now)


class Carts:
    """The fake carts: what is put in stays, what is held ends by the clock."""

    def __init__(self, state: State) -> None:
        self.state = state

    def add(self, token: str | None, sku: str, quantity: int, *, postcode: str | None, now: datetime) -> Cart:
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
        self.state.postcode[token] = postcode
        self.state.version[token] += 1
        return self._cart(token, now)

    def find(self, token: str | None, *, now: datetime) -> Cart | None:
        return self._cart(token, now) if token in self.state.lines else None

    def renew(self, token: str, *, now: datetime) -> Cart:
        self.state.held_until[token] = now + timedelta(minutes=15)
        return self._cart(token, now)

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
            "DE",
            postcode,
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

    def find_typed(self, cart: str) -> Mapping[str, str]:
        names = ("email", "name", "phone", "street", "city", "postcode", "country", "note")
        return {name: getattr(self.state.started[-1], name) for name in names} if self.state.started else {}

    def start(self, cart: str, form: CheckoutForm, *, base_url: str, now: datetime) -> PaymentStart:
        if self.state.refuse_start:
            raise self.state.refuse_start
        found = self.carts.find(cart, now=now)
        if found is None:
            raise Refused("cart_empty")
        fields = {name: "required" for name in ("email", "name", "street", "city", "postcode") if not getattr(form, name).strip()}
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
        return PaymentStart("https://pay.test/1", "order-token")


class Orders:
    """The fake orders, put there by tests."""

    def __init__(self, state: State) -> None:
        self.state = state

    def get(self, token: str, *, now: datetime) -> OrderView | PendingOrder:
        if token not in self.state.orders:
            raise NotFound("unknown_order")
        return self.state.orders[token]

    def ask(self, token: str, message: str, *, key: str, now: datetime) -> None:
        self.get(token, now=now)
        if not message.strip():
            raise BadInput("invalid_form", {"message": "missing"})
        if len(message) > 5000:
            raise BadInput("invalid_form", {"message": "too_long"})
        self.state.asked.append((token, message, key))


class Leads:
    """The fake inbox: the same key is the same lead."""

    def __init__(self, state: State) -> None:
        self.state = state

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

    def withdraw_consent(self, token: str, *, now: datetime) -> None:
        self.state.consents[token] = replace(self.find_consent(token), standing=False)


class Accounts:
    """Nobody is logged in."""

    def find(self, token: str | None, *, now: datetime) -> AccountView | None:
        return None


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
    )


def sold(state: State, sku: str) -> None:
    """Let somebody else buy all of `sku`."""
    state.goods = [replace(thing, stock=0) if thing.sku == sku else thing for thing in state.goods]
