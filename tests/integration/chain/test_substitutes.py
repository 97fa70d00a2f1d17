"""Which variants stand in for each other: those that differ in looks alone, the nearest in price first."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from backoffice.erp import models as t
from backoffice.erp import substitutes, substituting


def test_variants_that_differ_in_looks_alone_stand_in_for_each_other(workshop):
    def work(session):
        page = session.scalars(sa.select(t.Product.id).where(t.Product.slug == "table")).one()
        for sku, wood, size, price in (
            ("A", "Oak", "160", 500_00),
            ("B", "Ash", "160", 450_00),
            ("C", "Walnut", "160", 700_00),
            ("D", "Oak", "200", 600_00),
        ):
            options = {"Size": size, "Wood": wood}
            session.add(t.Item(sku=sku, name=sku, product_id=page, on_sale=sku != "C", options=options, price_minor=price))
        session.add(
            t.Item(sku="E", name="E", product_id=page, on_sale=True, options={"Size": "160", "Wood": "Elm"}, price_minor=480_00)
        )
        session.flush()
        return [(item.sku, other.sku, priority) for item, other, priority in substitutes.of_one_page(session)]

    found = workshop.db.run(work)
    assert found == [("A", "E", 1), ("A", "B", 2), ("B", "E", 1), ("B", "A", 2), ("E", "A", 1), ("E", "B", 2)]


@pytest.mark.parametrize(
    ("on", "by", "cheaper", "suits"),
    [
        (4, 5, False, True),
        (5, 5, False, False),  # the same price on the same day gains nothing
        (5, 5, True, True),
        (6, 5, True, False),  # cheaper, but later still
        (6, None, False, True),  # any day is sooner than none
    ],
)
def test_it_must_come_sooner_or_cost_less_and_never_come_later(on: int, by: int | None, cheaper: bool, suits: bool) -> None:
    day = date(2026, 12, by) if by else None
    assert substituting.suits(date(2026, 12, on), day, cheaper=cheaper) is suits
