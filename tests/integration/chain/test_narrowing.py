"""What a list can be narrowed by, counted by hand.

Furniture: the stool is Oak 45 cm (49.00) or Ash 45 cm (59.00), the table Oak (499.00), the lamp Brass (79.00); the vase is
Oak too, and of it there is none. The stool in Walnut is on sale, and of it there is none either.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import facets, offers, plan, stock
from backoffice.erp import models as t
from backoffice.erp.company import get_warehouse
from backoffice.public.catalogue import Listing, Wish
from backoffice.public.errors import Unreadable
from backoffice.public.money import Money
from storefront.api.operations import cursor_for, cursor_of
from tests.company import item_id


def furnish(session: Session, now: datetime) -> None:
    """Give the workshop's goods facts and options."""
    products = {row.slug: row for row in session.scalars(sa.select(t.Product))}
    products["stool"].facts = {"Height": "45 cm", "Note": "a: b"}
    products["lamp"].facts = {"Material": "Brass", "Height": "110 cm"}
    products["table"].facts = {"Height": "75 cm", "Ratio: of what": "1"}
    works = get_warehouse(session).id
    for position, (wood, price, pieces) in enumerate([("Ash", 5_900, 3), ("Walnut", 6_900, 0)], start=1):
        item = t.Item(
            sku=f"STOOL-{wood.upper()}",
            name="Stool",
            product_id=products["stool"].id,
            on_sale=True,
            options={"Material": wood},
            position=position,
            price_minor=price,
        )
        session.add(item)
        session.flush()
        if pieces:
            stock.move(session, item.id, works, pieces, cause="opening", ref=f"o:{wood}", actor="t", now=now)
    for sku in ("STOOL", "TABLE", "VASE"):
        session.get_one(t.Item, item_id(session, sku)).options = {"Material": "Oak"}
    text = t.ProductText(
        product_id=products["lamp"].id,
        language="de",
        name="Zeltlampe",
        description="",
        facts={"Werkstoff": "Messing", "Höhe": "110 cm"},
    )
    session.add(text)
    facets.refresh(session)
    offers.refresh(session, None, now=now)


@pytest.fixture
def shop(workshop: Any) -> Any:
    workshop.db.run(lambda session: furnish(session, workshop.now))
    return workshop


def ask(shop: Any, language: str = "en", page: int = 1, **wish: Any) -> Listing:
    found: Listing = shop.shop.catalogue.list_products(
        category="furniture", query=None, page=page, postcode=None, language=language, now=shop.now, wish=Wish(**wish)
    )
    return found


def slugs(listing: Listing) -> list[str]:
    return [card.slug for card in listing.cards]


def counts(listing: Listing) -> dict[str, list[tuple[str, int]]]:
    return {facet.name: [(one.value, one.count) for one in facet.values] for facet in listing.facets}


def euros(amount: int) -> Money:
    return Money(amount * 100, "EUR")


def test_what_is_listed_is_counted_and_nothing_else(shop: Any) -> None:
    found = ask(shop)
    # no Walnut and no vase; Note has one value, so there is nothing to choose; a name with a colon is no facet
    assert counts(found) == {
        "Material": [("Ash", 1), ("Brass", 1), ("Oak", 2)],
        "Height": [("45 cm", 1), ("75 cm", 1), ("110 cm", 1)],
    }
    assert found.prices == (euros(49), euros(499))
    assert found.total == 3


def test_values_of_one_facet_are_either_and_several_facets_are_all(shop: Any) -> None:
    either = ask(shop, facets={"Material": ["Oak", "Brass"]})
    assert sorted(slugs(either)) == ["lamp", "stool", "table"]
    both = ask(shop, facets={"Material": ["Oak", "Brass"], "Height": ["45 cm", "75 cm"]})
    assert sorted(slugs(both)) == ["stool", "table"]
    # each facet is counted under the other: with those heights no brass is left, with those materials all heights are
    assert counts(both) == {
        "Material": [("Ash", 1), ("Brass", 0), ("Oak", 2)],
        "Height": [("45 cm", 1), ("75 cm", 1), ("110 cm", 1)],
    }
    assert [one.value for facet in both.facets for one in facet.values if one.chosen] == ["45 cm", "75 cm", "Brass", "Oak"]


def test_one_and_the_same_variant_meets_the_whole_wish(shop: Any) -> None:
    ash = ask(shop, facets={"Material": ["Ash"]})
    assert [(card.sku, card.price) for card in ash.cards] == [("STOOL-ASH", euros(59))]  # not the oak one, which is cheaper
    assert slugs(ask(shop, facets={"Material": ["Ash"]}, price_to=euros(50))) == []
    assert slugs(ask(shop, facets={"Material": ["Walnut"]})) == []


def test_a_price_range_counts_its_ends_and_its_currency(shop: Any) -> None:
    assert slugs(ask(shop, price_from=euros(79), price_to=euros(79))) == ["lamp"]
    narrowed = ask(shop, price_from=euros(55), price_to=euros(80))
    assert sorted((card.sku, card.price) for card in narrowed.cards) == [("LAMP", euros(79)), ("STOOL-ASH", euros(59))]
    assert narrowed.prices == (euros(49), euros(499))  # what one could ask for
    assert counts(narrowed)["Material"] == [("Ash", 1), ("Brass", 1)]
    assert slugs(ask(shop, price_from=Money(1, "USD"))) == []


@pytest.mark.parametrize("facet", [{"Material": ["Unobtainium"]}, {"Shoe": ["Oak"]}, {"'; --": ["%"]}])
def test_what_nothing_has_finds_nothing(shop: Any, facet: dict[str, list[str]]) -> None:
    found = ask(shop, facets=facet)
    assert (found.total, found.cards, found.pages) == (0, [], 1)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("shop", ["stool", "lamp", "table"]),
        ("cheapest", ["stool", "lamp", "table"]),
        ("dearest", ["table", "lamp", "stool"]),
        ("name", ["lamp", "stool", "table"]),
        ("newest", ["table", "lamp", "stool"]),
        ("earliest", ["stool", "table", "lamp"]),
    ],
)
def test_each_order(shop: Any, sort: str, expected: list[str]) -> None:
    found = ask(shop, sort=sort)
    assert slugs(found) == expected
    if sort == "earliest":
        days = [card.promise.deliver_on for card in found.cards]
        assert days == sorted(days)
    if sort == "dearest":
        assert found.cards[-1].sku == "STOOL-ASH"  # the end of the product that it stands there for


def test_names_are_sorted_as_the_reader_reads_them(shop: Any) -> None:
    assert slugs(ask(shop, "de", sort="name")) == ["stool", "table", "lamp"]  # Zeltlampe


def test_facets_are_named_in_the_readers_language_and_asked_for_in_the_shops(shop: Any) -> None:
    found = {facet.name: facet for facet in ask(shop, "de-AT").facets}
    assert found["Material"].label == "Werkstoff"
    assert [(one.value, one.label) for one in found["Material"].values] == [("Ash", "Ash"), ("Brass", "Messing"), ("Oak", "Oak")]
    assert found["Height"].label == "Höhe"


def test_written_again_they_are_the_same_and_follow_the_facts(shop: Any) -> None:
    def change(session: Session) -> None:
        facets.refresh(session)
        facets.refresh(session, [])

    before = counts(ask(shop))
    shop.db.run(change)
    assert counts(ask(shop)) == before

    def repaint(session: Session) -> None:
        lamp = session.scalars(sa.select(t.Product).where(t.Product.slug == "lamp")).one()
        lamp.facts = {"Material": "Steel"}
        facets.refresh(session, [lamp.id])
        plan.bump(session, master=True)  # as every writer does: pages and what they are narrowed by are kept by it

    shop.db.run(repaint)
    assert counts(ask(shop))["Material"] == [("Ash", 1), ("Oak", 2), ("Steel", 1)]


@pytest.mark.parametrize("sort", ["shop", "cheapest", "dearest", "newest"])
def test_part_by_part_each_comes_once_also_when_others_come_and_go(shop: Any, sort: str) -> None:
    feed = shop.services.partners.feed

    def part(after: Any) -> Any:
        return feed.products(
            after=after,
            limit=1,
            category=None,
            query=None,
            language="en",
            postcode=None,
            now=shop.now,
            wish=Wish({"Material": ["Oak", "Ash", "Brass"]}, sort=sort),
        )

    whole, after = [], None
    while True:
        found = part(after)
        whole += slugs_of(found)
        if found.next_after is None:
            break
        by_price = sort in {"cheapest", "dearest"}
        assert cursor_of(cursor_for(found.next_after), by_price=by_price) == found.next_after
        with pytest.raises(Unreadable):
            cursor_of(cursor_for(found.next_after), by_price=not by_price)
        after = found.next_after
    assert sorted(whole) == ["lamp", "stool", "table"]
    first = part(None)
    # the row that the cursor stands on is gone: what follows is the same
    gone = sa.select(t.Item.id).join(t.Product, t.Product.id == t.Item.product_id).where(t.Product.slug == first.rows[0].slug)
    shop.db.run(lambda session: session.execute(sa.update(t.Offer).where(t.Offer.item_id.in_(gone)).values(listed=False)))
    assert slugs_of(part(first.next_after)) == whole[1:2]


def slugs_of(found: Any) -> list[str]:
    return [card.slug for card in found.rows]
