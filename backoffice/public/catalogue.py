"""What a shop window may ask about the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from backoffice.public.money import Money
from backoffice.public.promise import Promise


@dataclass(frozen=True, slots=True)
class Category:
    """A node of the catalogue tree; `count` = listed products in it and below."""

    slug: str
    name: str
    parent: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a product. `file` is a name below /media/."""

    file: str
    alt: str


@dataclass(frozen=True, slots=True)
class Card:
    """One product in a list. `promise` is the earliest of its variants, for `sku`, one piece; `price` is that of `sku`.

    `several_prices` = another variant that may be promised costs something else.
    """

    slug: str
    name: str
    sku: str
    picture: Picture | None
    price: Money
    several_prices: bool
    promise: Promise


SORTS = ("shop", "earliest", "cheapest", "dearest", "name", "newest")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a list is narrowed by, and its order: one and the same variant meets all of it.

    facets: name → values, any of which will do, in the shop's own words (`Material` → `Oak`); all names must be met. Unknown
    ones find nothing. A price bound counts for what is sold in its currency. arrives_by: one piece arrives on that day at the
    latest, at the place that days are named for. sort: one of SORTS; `shop` is the shop's own.
    """

    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    price_from: Money | None = None
    price_to: Money | None = None
    arrives_by: date | None = None
    sort: str = "shop"

    @property
    def narrows(self) -> bool:
        """Tell whether anything is left out of the list."""
        return bool(self.facets or self.price_from or self.price_to or self.arrives_by)


ALL = Wish()


@dataclass(frozen=True, slots=True)
class FacetValue:
    """A value to narrow by. value: in the shop's own words, for addresses; label: for the reader.

    count: the products that are left with it, under everything else that is wished for.
    """

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    """A property to narrow by, with the values that something listed has."""

    name: str
    label: str
    values: Sequence[FacetValue]


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a catalogue list. `page` counts from 1. prices: the lowest and the highest, were no price wished for.

    earliest_on: where nothing arrives by the day that is wished for, the first day on which something does.
    """

    cards: Sequence[Card]
    total: int
    page: int
    pages: int
    category: Category | None
    path: Sequence[Category]  # from the root to `category`
    categories: Sequence[Category]  # children to choose from
    nearest_words: Sequence[str] = ()  # on an empty search: words that do find something
    facets: Sequence[Facet] = ()
    prices: tuple[Money, Money] | None = None
    earliest_on: date | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a set: how many of what. `slug`: of its own page, None: it has none."""

    quantity: int
    name: str
    slug: str | None


@dataclass(frozen=True, slots=True)
class Variant:
    """One thing that can be bought. `available` = something may be promised for one piece now; `contents`: what is in a set.

    no_withdrawal: "" | made_for_you | perishable | sealed: why the law lets nobody take it back.
    tiers: from so many pieces on each costs that, the fewest pieces first.
    """

    sku: str
    options: Mapping[str, str]  # {"Size": "M", "Colour": "Oak"}
    price: Money
    picture: Picture | None
    available: bool
    basis: str | None  # stock | receipt | make | buy | mixed
    contents: Sequence[Content] = ()
    no_withdrawal: str = ""
    tiers: Sequence[tuple[int, Money]] = ()
    everybodys: Money | None = None  # what others pay, where the price is one of who is logged in


@dataclass(frozen=True, slots=True)
class ProductPage:
    """All that a product page shows except the day, which depends on sku, quantity and postcode."""

    slug: str
    name: str
    description: str
    language: str | None  # of the description, where known
    pictures: Sequence[Picture]
    path: Sequence[Category]
    variants: Sequence[Variant]
    facts: Mapping[str, str] = field(default_factory=dict)


class CatalogueDoor(Protocol):
    """Read the catalogue. Nothing here changes anything."""

    def list_products(
        self,
        *,
        category: str | None,
        query: str | None,
        page: int,
        postcode: str | None,
        language: str,
        now: datetime,
        wish: Wish = ALL,
        country: str | None = None,
    ) -> Listing:
        """Return one page of products of which something may be promised. Raises NotFound(unknown_category).

        country: where the days are named for; None: the shop's own.

        With a category or a query the listing names what it can be narrowed by.
        """
        ...

    def get_product(self, slug: str, *, language: str, now: datetime, account: str | None = None) -> ProductPage:
        """Return a product, also when nothing can be promised. Raises NotFound(unknown_product).

        account: of who is logged in: what their company pays is shown to them, and may be kept for nobody else.
        """
        ...

    def find_version(self, *, now: datetime) -> str:
        """Return a name for the present state of all that this door shows: another one after each change. Cheap."""
        ...

    def find_slugs(self, *, now: datetime) -> Sequence[str]:
        """Return the slugs of all products of which something may be promised, at most 45,000, in their order."""
        ...

    def find_categories(self, *, language: str = "") -> Sequence[Category]:
        """Return the top of the tree, only where something is listed; named in `language` where there are words in it."""
        ...
