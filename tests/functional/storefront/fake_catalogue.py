"""The fake catalogue of the fake door: two categories, three products a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backoffice.public.catalogue import ALL, Card, Category, Facet, FacetValue, Listing, Picture, ProductPage, Variant, Wish
from backoffice.public.errors import NotFound
from backoffice.public.money import Money
from tests.functional.storefront.fake_state import Goods, State


def _meets(thing: Goods, wish: Wish) -> bool:
    if wish.price_from and thing.price < wish.price_from.amount_minor:
        return False
    if wish.price_to and thing.price > wish.price_to.amount_minor:
        return False
    return all(thing.options.get(name) in values for name, values in wish.facets.items())


def _facets(there: Sequence[Goods], wish: Wish) -> list[Facet]:
    """Return the options of what is there, in words that are not those of the address."""
    names = sorted({name for thing in there for name in thing.options})
    found = []
    for name in names:
        chosen = wish.facets.get(name, ())
        values = sorted({thing.options[name] for thing in there if name in thing.options})
        counts = {value: len({one.slug for one in there if one.options.get(name) == value}) for value in values}
        found.append(Facet(name, f"{name}*", [FacetValue(v, f"{v}*", n, v in chosen) for v, n in counts.items()]))
    return found


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
        node = self._category(category) if category else None
        there = [thing for thing in self.state.goods if self._is_inside(thing, node, query)]
        cards: dict[str, Card] = {}
        for thing in there:
            if thing.slug not in cards and _meets(thing, wish):
                cards[thing.slug] = self._card(thing, postcode, now)
        found = list(cards.values())
        days = [card.promise.deliver_on for card in found]
        if wish.arrives_by:
            found = [card for card in found if card.promise.deliver_on <= wish.arrives_by]
        earliest_on = min(days, default=None) if wish.arrives_by and not found else None
        if wish.sort == "cheapest":
            found.sort(key=lambda card: card.price.amount_minor)
        pages = max(1, -(-len(found) // 3))
        path = [node] if node else []
        words = ["stool"] if query and not there else []
        shown = found[3 * page - 3 : 3 * page]
        narrowing = (_facets(there, wish), (Money(2500, "EUR"), Money(129000, "EUR"))) if node or query else ((), None)
        return Listing(shown, len(found), page, pages, node, path, [], words, *narrowing, earliest_on)

    def _is_inside(self, thing: Goods, node: Category | None, query: str | None) -> bool:
        if not self.state.available(thing) or (query and query.casefold() not in thing.name.casefold()):
            return False
        return node is None or (thing.slug == "ash-table") == (node.slug == "tables")

    def _card(self, thing: Goods, postcode: str | None, now: datetime) -> Card:
        promise = self.state.promise(thing.sku, 1, postcode, now)
        price = Money(thing.price, thing.currency)
        return Card(thing.slug, thing.name, thing.sku, Picture("stool.svg", thing.name), price, False, promise)

    def get_product(self, slug: str, *, language: str, now: datetime, account: str | None = None) -> ProductPage:
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

    def find_categories(self, *, language: str = "") -> Sequence[Category]:
        return [self._category("tables"), self._category("seats")]
