"""What a list is narrowed by, as it stands in the address: read strictly, shown as chips, and led out of.

`?f=Material:Oak&f=Material:Ash&from=50&to=200&arrives_by=2026-12-08&sort=cheapest`: names and values are the shop's own
words, so an address means the same in every language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Protocol

from babel.numbers import get_currency_precision

from backoffice.public.catalogue import SORTS, Listing, Wish
from backoffice.public.days import read_day
from backoffice.public.errors import BadInput
from backoffice.public.money import Money
from storefront import wording
from storefront.formats import Formats
from storefront.phrases import N_, _

DAY = "arrives_by"
MOST_CHOSEN = 40
LONGEST = 200  # of a name with its value
LONGEST_AMOUNT = 12
ORDERS: Mapping[str, str] = {
    "shop": N_("Our own order"),
    "earliest": N_("Earliest day first"),
    "cheapest": N_("Lowest price first"),
    "dearest": N_("Highest price first"),
    "name": N_("By name"),
    "newest": N_("Newest first"),
}
Pairs = list[tuple[str, str]]


class Arguments(Protocol):
    """The part of a query that is read here."""

    def get(self, key: str, /) -> str | None:
        """Return the first value of a parameter."""
        ...

    def getlist(self, key: str, /) -> list[str]:
        """Return all values of a parameter."""
        ...


@dataclass(frozen=True, slots=True)
class Chip:
    """One wish in words, and the address of the list without it."""

    text: str
    without: str


@dataclass(frozen=True, slots=True)
class Narrowing:
    """The wish that an address holds. typed: prices and the day as they were typed.

    problems: price | arrives_by → why what was typed is not taken.
    """

    wish: Wish = field(default_factory=Wish)
    typed: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def pairs(self) -> Pairs:
        """Return the wish as the parameters of an address, always in the same order."""
        found = [("f", f"{name}:{value}") for name, values in self.wish.facets.items() for value in values]
        found += [(name, text) for name, text in self.typed.items() if text]
        return found + ([("sort", self.wish.sort)] if self.wish.sort != "shop" else [])

    @property
    def changes(self) -> bool:
        """Tell whether the list is not the plain one: narrowed, or in another order."""
        return bool(self.pairs)


def read(args: Arguments, currency: str, today: date) -> Narrowing:
    """Return what an address wishes for. What is no wish of ours is left out; a price or day that is none is said, not taken."""
    facets: dict[str, list[str]] = {}
    for pair in args.getlist("f")[:MOST_CHOSEN]:
        name, _colon, value = pair.partition(":")
        if name and value and len(pair) <= LONGEST and pair.isprintable() and value not in facets.get(name, ()):
            facets.setdefault(name, []).append(value)
    typed = {name: (args.get(name) or "").strip()[:LONGEST] for name in ("from", "to", DAY)}
    amounts = {name: _amount(typed[name], currency) for name in ("from", "to")}
    problems, day = {}, None
    if any(typed[name] and amount is None for name, amount in amounts.items()):
        problems["price"] = wording.say_field("bad_price")
    try:
        day = read_day(typed[DAY], today=today, field=DAY) if typed[DAY] else None
    except BadInput as error:
        problems[DAY] = wording.say_field(error.fields[DAY])
    sort = args.get("sort") or "shop"
    wish = Wish(facets, amounts["from"], amounts["to"], day, sort if sort in SORTS else "shop")
    return Narrowing(wish, typed, problems)


def _amount(text: str, currency: str) -> Money | None:
    """Return an amount as people type it: 1290, 12.50 or 12,50; None for nothing, and for what is no amount."""
    digits = text.replace(",", ".")
    if not text or len(text) > LONGEST_AMOUNT or not digits.isascii() or not digits.replace(".", "", 1).isdigit():
        return None
    try:
        return Money(int(Decimal(digits).scaleb(get_currency_precision(currency))), currency)
    except InvalidOperation:
        return None


def chips(narrowing: Narrowing, listing: Listing, formats: Formats, address: Callable[[Pairs], str]) -> Sequence[Chip]:
    """Return each wish in the reader's words, with the way back. `address`: makes one of the parameters that stay."""
    labels = {(facet.name, one.value): (facet.label, one.label) for facet in listing.facets for one in facet.values}
    names = {facet.name: facet.label for facet in listing.facets}
    found = []
    for name, values in narrowing.wish.facets.items():
        for value in values:
            label, word = labels.get((name, value), (names.get(name, name), value))
            rest = [pair for pair in narrowing.pairs if pair != ("f", f"{name}:{value}")]
            found.append(Chip(f"{label}: {word}", address(rest)))
    for key, amount in (("from", narrowing.wish.price_from), ("to", narrowing.wish.price_to)):
        if amount is not None:
            shown = formats.money(amount)
            words = _("from %(price)s", price=shown) if key == "from" else _("up to %(price)s", price=shown)
            found.append(Chip(words, address([pair for pair in narrowing.pairs if pair[0] != key])))
    if narrowing.wish.arrives_by is not None:
        words = _("arrives by %(day)s", day=formats.day(narrowing.wish.arrives_by))
        found.append(Chip(words, address(without_day(narrowing))))
    return found


def without_day(narrowing: Narrowing) -> Pairs:
    """Return the parameters of the list without a day."""
    return [pair for pair in narrowing.pairs if pair[0] != DAY]


def without_wishes(narrowing: Narrowing) -> Pairs:
    """Return the parameters of the whole list in the same order."""
    return replace(narrowing, wish=Wish(sort=narrowing.wish.sort), typed={}).pairs


def orders() -> list[tuple[str, str]]:
    """Return the orders that one can choose, with their words."""
    return [(sort, _(ORDERS[sort])) for sort in SORTS]
