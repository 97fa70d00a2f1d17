"""The fake catalogue of the fake door: two categories, three products a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backoffice.public.catalogue import Card, Category, Listing, Picture, ProductPage, Variant
from backoffice.public.errors import NotFound
from backoffice.public.money import Money
from tests.functional.storefront.fake_state import Goods, State


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
