"""A card in a list: its price and its day are those of one and the same variant."""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.erp import plan
from tests.company import item_id


def _sell_together(session: Session, first: str, second: str, *, price_minor: int) -> None:
    """Make `second` another variant of the product of `first`, which costs `price_minor` from now on."""
    product = session.scalar(sa.select(t.Item.product_id).where(t.Item.sku == first))
    session.execute(sa.update(t.Item).where(t.Item.sku == second).values(product_id=product))
    session.execute(sa.update(t.Item).where(t.Item.id == item_id(session, first)).values(price_minor=price_minor))


def _card(workshop: Any, sku: str) -> Any:
    listing = workshop.shop.catalogue.list_products(
        category=None, query=None, page=1, postcode=None, language="en", now=workshop.now
    )
    return next(card for card in listing.cards if card.sku == sku)


def test_the_price_is_that_of_the_variant_whose_day_is_named(workshop: Any) -> None:
    workshop.db.run(lambda session: _sell_together(session, "STOOL", "LAMP", price_minor=9_900))
    card = _card(workshop, "STOOL")
    assert card.promise.deliver_on == workshop.day("STOOL") < workshop.day("LAMP")
    assert card.price.amount_minor == 9_900  # the lamp costs 7,900, but comes later
    assert card.several_prices


def test_a_variant_that_cannot_be_had_is_no_other_price(workshop: Any) -> None:
    workshop.db.run(lambda session: _sell_together(session, "STOOL", "VASE", price_minor=4_900))
    assert not _card(workshop, "STOOL").several_prices


def test_pictures_that_are_kept_follow_the_master_data(workshop: Any) -> None:
    def hang_up(session: Session, file: str) -> None:
        product = session.scalar(sa.select(t.Item.product_id).where(t.Item.sku == "STOOL"))
        session.execute(sa.delete(t.Picture).where(t.Picture.product_id == product))
        session.add(t.Picture(product_id=product, item_id=None, file=file, alt="A stool", position=0))
        session.flush()
        plan.bump(session, master=True)

    assert _card(workshop, "STOOL").picture is None
    for file in ("first.svg", "second.svg"):
        workshop.db.run(partial(hang_up, file=file))
        assert _card(workshop, "STOOL").picture.file == file
        assert _card(workshop, "STOOL").picture.file == file  # now from what is kept
