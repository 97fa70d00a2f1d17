"""What goes in and comes out, strictly: no unknown fields, no number that is a word, prices never from outside."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

MOST = 9_999  # pieces in one line

Sku = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Pieces = Annotated[int, Field(ge=1, le=MOST, description="Pieces.")]
Postcode = Annotated[str, StringConstraints(min_length=1, max_length=16)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(description="ISO 3166 code.", examples=["DE"])]
BY_COUNTRY = "Required where the country's addresses need it."
REGION = "State, province, county …: its ISO 3166-2 code or its name. Required where the country's addresses need it."
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$"), Field(description="Of texts, BCP 47.")]


def _digits(value: Any) -> Any:
    """Take a number of an address by its digits alone: "309.0" and "1e3" are no numbers of pieces."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 9:
        return int(value)
    return value if isinstance(value, int) else object()


class Given(BaseModel):
    """What a caller sends: nothing that we do not know, every value of its own type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Asked(BaseModel):
    """What stands behind the question mark."""

    model_config = ConfigDict(extra="forbid")


Digits = BeforeValidator(_digits, json_schema_input_type=int)


FacetPair = Annotated[str, StringConstraints(pattern=r"^[^:]+:.+$", max_length=200)]
FACET = (
    "`Name:value` of a fact or an option, in the shop's own words. May be repeated, up to 20: several values of one name are "
    "either of them, several names are all of them, met by one variant. What nothing has finds nothing."
)


class ProductsAsked(Asked):
    """Filters of the product list."""

    limit: Annotated[int, Digits, Field(ge=1, le=100, description="How many at most.")] = 24
    cursor: Annotated[str, Field(max_length=100, description="`next` of the part before.")] | None = None
    category: Annotated[str, Field(min_length=1, max_length=100, description="A category's slug.")] | None = None
    q: Annotated[str, Field(max_length=200, description="Words that all stand in name or description.")] | None = None
    facet: Annotated[list[FacetPair], Field(max_length=20, description=FACET, examples=[["Wood:Oak", "Wood:Ash"]])] = []
    price_from_minor: Annotated[int, Digits, Field(ge=0, description="In the shop's currency.")] | None = None
    price_to_minor: Annotated[int, Digits, Field(ge=0, description="In the shop's currency.")] | None = None
    sort: Annotated[Literal["cheapest", "dearest", "newest"], Field(description="Without it, the oldest first.")] | None = None
    lang: Language | None = None
    postcode: Postcode | None = None


class TextAsked(Asked):
    """In which language."""

    lang: Language | None = None


class AvailabilityAsked(Asked):
    """Of what, and how many."""

    sku: Annotated[list[Sku], Field(min_length=1, max_length=20, description="May be repeated, up to 20.")]
    quantity: Annotated[int, Digits, Field(ge=1, le=MOST)] = 1
    country: Country | None = None
    postcode: Postcode | None = None


class PromiseAsked(Asked):
    """For how many, and where to."""

    sku: Sku
    quantity: Annotated[int, Digits, Field(ge=1, le=MOST)] = 1
    country: Country | None = None
    postcode: Postcode | None = None
    cart: Annotated[str, Field(max_length=100, description="A cart's token: its own holds do not compete.")] | None = None


class OrdersAsked(Asked):
    """Filters of the order list."""

    limit: Annotated[int, Digits, Field(ge=1, le=100)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None
    state: Literal["placed", "confirmed", "picking", "shipped", "delivered", "cancelled"] | None = None


class CartGiven(Given):
    """The first line of a new cart."""

    sku: Sku
    quantity: Pieces = 1
    postcode: Postcode | None = None


class LineGiven(Given):
    """How many of it; the line is made if there is none."""

    quantity: Pieces


class PlaceGiven(Given):
    """Where it goes."""

    postcode: Annotated[str, StringConstraints(max_length=16), Field(description="Empty where the country needs none.")]
    country: Country | None = None


class ParcelsGiven(Given):
    """All on one day, or each parcel on its own."""

    parcels: Literal["one", "dated"]


class CheckoutGiven(Given):
    """Who buys. cart_version and expected_total_minor are what you have shown your customer: if they no longer hold, 409."""

    cart_version: Annotated[int, Field(ge=1, le=10**9)]
    expected_total_minor: Annotated[int, Field(ge=0, le=10**12)]
    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    street: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    company: Annotated[str, StringConstraints(max_length=200)] = ""
    city: Annotated[str, StringConstraints(max_length=100), Field(description=BY_COUNTRY)] = ""
    region: Annotated[str, StringConstraints(max_length=100), Field(description=REGION, examples=["RM"])] = ""
    postcode: Annotated[str, StringConstraints(max_length=12), Field(description=BY_COUNTRY)] = ""
    country: Country
    phone: Annotated[str, StringConstraints(max_length=40)] = ""
    note: Annotated[str, StringConstraints(max_length=1_000)] = ""
    language: Language | None = None


class LeadGiven(Given):
    """A message to the shop."""

    kind: Literal["contact", "question", "tell_me"] = "contact"
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    phone: Annotated[str, StringConstraints(max_length=40)] = ""
    message: Annotated[str, StringConstraints(max_length=5_000)] = ""
    sku: Annotated[str, StringConstraints(max_length=100)] = ""
    quantity: Pieces | None = None
    needed_by_on: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    postcode: Annotated[str, StringConstraints(max_length=16)] = ""
    language: Language | None = None


class NothingGiven(Given):
    """An empty object."""


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


class VariantShown(BaseModel):
    """One thing that can be bought. available: a day can be promised for one piece."""

    sku: str
    options: dict[str, str]
    price: MoneyShown
    available: bool
    basis: str | None


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
    """A day, what it stands on, and why. Ask again after valid_until."""

    sku: str
    quantity: int
    basis: str
    ready_at: datetime
    ship_on: date
    deliver_on: date
    postcode: str | None
    valid_until: datetime
    plan_version: int
    steps: list[StepShown]


class CartLineShown(BaseModel):
    """A line. deliver_on null: nothing can be promised any more; `most` could still be had, if known."""

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


class ParcelDayShown(BaseModel):
    """One of the parcels that the cart may come in."""

    deliver_on: date
    skus: list[str]


class CartShown(BaseModel):
    """A cart. token is a secret: whoever has it has the cart. held_until: the goods and minutes are kept until then."""

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


class PaymentShown(BaseModel):
    """Send your customer to pay_url; their order is at order_url once it is paid."""

    pay_url: str
    order_token: str
    order_url: str


class OrderLineShown(BaseModel):
    """A line with its days: promised (never changes), expected (moves with the plan), actual."""

    sku: str
    name: str
    options: str
    quantity: int
    unit_price: MoneyShown
    total: MoneyShown
    promised_on: date
    expected_on: date
    actual_on: date | None


class ParcelShown(BaseModel):
    """A parcel of the order."""

    number: int
    state: str
    expected_on: date
    tracking: str | None
    lines: list[dict[str, str | int]]


class OrderShown(BaseModel):
    """An order, or a payment under way (state "opened" | "processing" | "failed" | "expired", and nothing but that)."""

    state: str
    number: str | None = None
    placed_at: datetime | None = None
    pay_url: str | None = None
    lines: list[OrderLineShown] = []
    parcels: list[ParcelShown] = []
    subtotal: MoneyShown | None = None
    shipping: MoneyShown | None = None
    total: MoneyShown | None = None
    promised_on: date | None = None
    expected_on: date | None = None
    cancellable: bool = False


class OrderLineListed(BaseModel):
    """A line in the order list."""

    sku: str
    quantity: int
    promised_on: date
    expected_on: date


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
    errors: list[FieldProblem] | None = None
    most: int | None = None
    scope: str | None = None
