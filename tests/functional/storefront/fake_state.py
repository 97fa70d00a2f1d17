"""What the fake door remembers: goods as numbers, carts, messages, orders. Tests look at it and change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from backoffice.public.checkout import CheckoutForm
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.leads import ConsentView, LeadForm, ReminderForm
from backoffice.public.money import Money
from backoffice.public.orders import OrderView, PendingOrder
from backoffice.public.promise import Promise, Step
from backoffice.public.slips import SlipView

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # Tuesday, 9:00 in Berlin
SHIPPING = Money(490, "EUR")
POSTCODES = {"80331": 0, "10115": 1, "1010": 2, "": 0, "00144": 3, "10001": 5}  # postcode → days more than usual
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
    country: dict[str, str] = field(default_factory=dict)
    version: dict[str, int] = field(default_factory=dict)
    held_until: dict[str, datetime] = field(default_factory=dict)
    was_on: dict[str, date] = field(default_factory=dict)
    asked_day: date | None = None
    stand_ins: dict[str, list[str]] = field(default_factory=dict)
    leads: dict[str, LeadForm] = field(default_factory=dict)
    reminders: dict[str, ReminderForm] = field(default_factory=dict)
    consents: dict[str, ConsentView] = field(default_factory=dict)
    started: list[CheckoutForm] = field(default_factory=list)
    refuse_start: Exception | None = None
    orders: dict[str, OrderView | PendingOrder] = field(default_factory=dict)
    slips: dict[tuple[str, int], SlipView] = field(default_factory=dict)
    chosen: list[tuple[str, str]] = field(default_factory=list)
    asked: list[tuple[str, str, str, str]] = field(default_factory=list)
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
