"""What the API is asked, strictly: no unknown fields, no number that is a word, prices never from outside."""

from __future__ import annotations

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


IsoDay = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", json_schema_extra={"format": "date"}, examples=["2026-12-08"])]
ARRIVES_BY = (
    "Only what arrives on this day at the latest, one piece, at `country` and `postcode` (without them: at the shop's usual "
    "place). A day that is over, more than two years away or none at all is 422."
)
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
    country: Country | None = None
    postcode: Postcode | None = None
    arrives_by: Annotated[IsoDay, Field(description=ARRIVES_BY)] | None = None


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


class DayGiven(Given):
    """By when all of it is asked for; null: no day any more."""

    requested_on: IsoDay | None


class ServiceGiven(Given):
    """How it is sent: the code of one of the cart's `services`, empty for the usual way."""

    service: Annotated[str, StringConstraints(max_length=30)]


class CouponGiven(Given):
    """A code that takes something off; empty: none any more."""

    code: Annotated[str, StringConstraints(max_length=60)]


class InsteadGiven(Given):
    """What to take in the line's place: one of its `instead`."""

    sku: Sku


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

    kind: Literal["contact", "question", "tell_me", "quote_request", "refused_day"] = "contact"
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    phone: Annotated[str, StringConstraints(max_length=40)] = ""
    message: Annotated[str, StringConstraints(max_length=5_000)] = ""
    sku: Annotated[str, StringConstraints(max_length=100)] = ""
    quantity: Pieces | None = None
    needed_by_on: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    postcode: Annotated[str, StringConstraints(max_length=16)] = ""
    language: Language | None = None
    company: Annotated[str, StringConstraints(max_length=200)] = ""
    source: Annotated[str, StringConstraints(max_length=200), Field(description="What brought them: utm_source.")] = ""
    medium: Annotated[str, StringConstraints(max_length=200), Field(description="utm_medium")] = ""
    campaign: Annotated[str, StringConstraints(max_length=200), Field(description="utm_campaign")] = ""
    landing: Annotated[str, StringConstraints(max_length=200), Field(description="The first page they saw.")] = ""


class NothingGiven(Given):
    """An empty object."""


class ChoiceGiven(Given):
    """What the customer chose after a day had moved. option: of a substitute, as the slip named it."""

    choice: Literal["accept", "part", "substitute", "cancel"]
    option: Annotated[str, StringConstraints(max_length=200)] = ""
