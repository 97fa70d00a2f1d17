"""What the API answers with, value by value; `asked.py` is what goes in."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel


class MoneyShown(BaseModel):
    """Integer minor units (cents) and an ISO 4217 currency."""

    amount_minor: int
    currency: str


class CategoryShown(BaseModel):
    """A node of the catalogue tree."""

    slug: str
    name: str
    products: int


class CardShown(BaseModel):
    """A product in the list: the earliest of its variants, its price and its day."""

    slug: str
    name: str
    sku: str
    price: MoneyShown
    several_prices: bool
    basis: str
    deliver_on: date
    url: str


class ProductsShown(BaseModel):
    """A part of the list. next: the cursor of the part that follows in the same order, null at the end."""

    products: list[CardShown]
    next: str | None


class ContentShown(BaseModel):
    """What is in a set: how many of what; slug: of its own page, null: it has none."""

    quantity: int
    name: str
    slug: str | None


class TierShown(BaseModel):
    """What a piece costs from so many pieces on."""

    from_quantity: int
    price: MoneyShown


class VariantShown(BaseModel):
    """One thing that can be bought. available: a day can be promised for one piece; contents: what is in a set.

    no_withdrawal: why the law lets nobody take it back (made_for_you, perishable, sealed); empty: the buyer may.
    tiers: from so many pieces on each costs less; below the first of them it costs `price`.
    """

    sku: str
    options: dict[str, str]
    price: MoneyShown
    available: bool
    basis: str | None
    contents: list[ContentShown]
    no_withdrawal: str
    tiers: list[TierShown]


class ProductShown(BaseModel):
    """A product with its variants."""

    slug: str
    name: str
    description: str
    language: str | None
    facts: dict[str, str]
    categories: list[CategoryShown]
    variants: list[VariantShown]
    pictures: list[str]
    url: str


class AvailabilityShown(BaseModel):
    """Whether the quantity can be promised, from what, for which day; no counts of what is left."""

    sku: str
    quantity: int
    available: bool
    basis: str | None
    deliver_on: date | None


class AvailabilitiesShown(BaseModel):
    """One entry for each sku, in the order asked."""

    availability: list[AvailabilityShown]


class StepShown(BaseModel):
    """One step on the way to the day; steps follow each other without a gap."""

    kind: str
    starts_at: datetime
    ends_at: datetime
    details: dict[str, str | int]


class PromiseShown(BaseModel):
    """A day, what it stands on, and why. Ask again after valid_until.

    earliest_on: the day if nothing goes wrong, where days are kept in reserve between the two; null: there are none.
    """

    sku: str
    quantity: int
    basis: str
    ready_at: datetime
    ship_on: date
    deliver_on: date
    earliest_on: date | None
    postcode: str | None
    valid_until: datetime
    plan_version: int
    steps: list[StepShown]


class InsteadShown(BaseModel):
    """What may be taken in the place of something else: as many pieces, on this day."""

    sku: str
    name: str
    options: str
    unit_price: MoneyShown
    deliver_on: date


class InsteadsShown(BaseModel):
    """What may stand in for something."""

    instead: list[InsteadShown]


class CartLineShown(BaseModel):
    """A line. deliver_on null: nothing can be promised any more; `most` could still be had, if known.

    most_in_time: of a line that is late for the cart's requested_on, how many pieces would not be. instead: what may be taken
    in the place of a line that is late or cannot be had.
    """

    sku: str
    name: str
    options: str
    quantity: int
    unit_price: MoneyShown
    total: MoneyShown
    deliver_on: date | None
    basis: str | None
    most: int | None
    was_on: date | None
    most_in_time: int | None = None
    instead: list[InsteadShown] = []


class ParcelDayShown(BaseModel):
    """One of the parcels that the cart may come in."""

    deliver_on: date
    skus: list[str]


class ServiceShown(BaseModel):
    """A way to send the cart: its price, and the day for all of it. code and name are empty for the usual way."""

    code: str
    name: str
    price: MoneyShown
    deliver_on: date | None


class CartShown(BaseModel):
    """A cart. token is a secret: whoever has it has the cart. held_until: the goods and minutes are kept until then.

    service: how it is sent, one of `services` (empty: there is nothing to choose). requested_on: by when all of it is asked
    for; in_time: whether all of it arrives by then (true without such a day). coupon: its code; discount: what that takes off.
    """

    token: str
    version: int
    lines: list[CartLineShown]
    subtotal: MoneyShown | None
    shipping: MoneyShown | None
    total: MoneyShown | None
    deliver_on: date | None
    held_until: datetime | None
    country: str
    postcode: str | None
    parcels: str
    dated: list[ParcelDayShown]
    requested_on: date | None = None
    in_time: bool = True
    service: str = ""
    services: list[ServiceShown] = []
    coupon: str = ""
    discount: MoneyShown | None = None


class PaymentShown(BaseModel):
    """Send your customer to pay_url; their order is at order_url. charged: order (when they pay) | shipment (when it leaves)."""

    charged: str
    pay_url: str
    order_token: str
    order_url: str


class CauseLinkShown(BaseModel):
    """One link of how a change came: a receipt, a stop, a shift, a recipe, an order of production, the line itself."""

    kind: str
    ref: str
    name: str
    days: int | None


class CauseShown(BaseModel):
    """Why a day moved: a code with its values, and how it came from where it began to the line."""

    code: str
    values: dict[str, str | int]
    chain: list[CauseLinkShown]


class OrderLineShown(BaseModel):
    """A line with its days: requested (if it was asked for), promised (never changes), expected (moves with the plan), actual.

    cause: why it moved last.

    day_known: false while nobody knows a day; expected_on is the last one there was then.
    """

    sku: str
    name: str
    options: str
    quantity: int
    unit_price: MoneyShown
    total: MoneyShown
    requested_on: date | None = None
    promised_on: date
    expected_on: date
    actual_on: date | None
    day_known: bool
    cause: CauseShown | None


class ParcelShown(BaseModel):
    """A parcel of the order."""

    number: int
    state: str
    expected_on: date
    tracking: str | None
    lines: list[dict[str, str | int]]


class MovedLineShown(BaseModel):
    """A line that comes later than promised, as its customer was told."""

    name: str
    quantity: int
    promised_on: date
    expected_on: date | None
    cause: CauseShown | None


class PartShown(BaseModel):
    """Goods that would arrive together if the order were parted."""

    on: date | None
    goods: list[dict[str, str | int]]


class SubstituteShown(BaseModel):
    """Something else instead of a line. option: what to choose it by; refund: what goes back, null where it costs the same."""

    option: str
    instead_of: str
    sku: str
    name: str
    quantity: int
    price: MoneyShown
    deliver_on: date
    refund: MoneyShown | None
    sooner: bool


class SlipShown(BaseModel):
    """A day that moved. state: open | accepted | parted | substituted | cancelled | replaced (by newer) | over."""

    id: int
    state: str
    number: str
    told_at: datetime
    lines: list[MovedLineShown]
    parts: list[PartShown]
    substitutes: list[SubstituteShown]
    cancel_refund: MoneyShown | None
    chosen_at: datetime | None
    newer: int | None


class OrderShown(BaseModel):
    """An order, or a payment under way (state "opened" | "processing" | "failed" | "expired", and nothing but that).

    charge: later (the money is only set aside until the first parcel leaves), let_go (it never was taken),
    account (owed by a company, invoiced when it leaves), empty (paid).
    """

    state: str
    number: str | None = None
    placed_at: datetime | None = None
    pay_url: str | None = None
    lines: list[OrderLineShown] = []
    parcels: list[ParcelShown] = []
    subtotal: MoneyShown | None = None
    shipping: MoneyShown | None = None
    discount: MoneyShown | None = None
    total: MoneyShown | None = None
    promised_on: date | None = None
    expected_on: date | None = None
    day_known: bool = True
    cancellable: bool = False
    service: str = ""
    slip: int | None = None
    charge: str = ""


class OrderLineListed(BaseModel):
    """A line in the order list."""

    sku: str
    quantity: int
    promised_on: date
    expected_on: date
    cause: CauseShown | None


class OrderListed(BaseModel):
    """An order in the list. Nothing personal."""

    number: str
    state: str
    placed_at: datetime
    promised_on: date
    expected_on: date
    total: MoneyShown
    lines: list[OrderLineListed]


class OrdersShown(BaseModel):
    """A part of the list, the oldest first."""

    orders: list[OrderListed]
    next: str | None


class LeadShown(BaseModel):
    """When the message is answered."""

    answer_by: datetime
    answer_by_on: date


class FieldProblem(BaseModel):
    """One value that was wrong: where (a JSON pointer, or the name of a parameter), which code, in words."""

    pointer: str
    code: str
    detail: str


class Problem(BaseModel):
    """An error as RFC 9457 has it, with the shop's own stable code."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None
    most: int | None = None
    scope: str | None = None
