"""Prices by quantity and the kind of goods: the forms on an item's page, and what a customer sees of them."""

from __future__ import annotations

from collections.abc import Callable

from backoffice.audit import AuditEntry
from backoffice.erp.models import Item, PriceTier, Product
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]


def test_tiers_are_typed_line_by_line(at_desk: AtDesk, visitor: Callable[[], Colleague], workshop: Workshop) -> None:
    [stool] = workshop.rows(Item, sku="STOOL")
    page, petra = f"/desk/planning/items/{stool.id}", at_desk("Petra")
    assert "3 45.00\n5 40.00\n" in petra.send(f"{page}/tiers", tiers="5 40\r\n\r\n3 45.00")
    assert [(one.from_quantity, one.price_minor) for one in workshop.rows(PriceTier)] == [(3, 4_500), (5, 4_000)]
    seen = visitor().get("/p/stool")
    for words in ("Several cost less", "from 3 pieces", "€45.00 each", "from 5 pieces", "€40.00 each"):
        assert words in seen, words
    for wrong in ("3 50", "3", "x 4", "3 4\n3 4", "1 40", "3 -4"):
        answer = petra.post(f"{page}/tiers", tiers=wrong)
        assert answer.status_code == 422, wrong
        assert "each below the one before" in answer.text
        assert wrong in answer.text
    assert len(workshop.rows(PriceTier)) == 2
    assert at_desk("Wim").post(f"{page}/tiers", tiers="").status_code == 403
    petra.send(f"{page}/tiers", tiers="")
    assert workshop.rows(PriceTier) == []
    assert "Several cost less" not in visitor().get("/p/stool")


def test_the_kind_of_goods_is_chosen(at_desk: AtDesk, workshop: Workshop) -> None:
    [stool] = workshop.rows(Item, sku="STOOL")
    page, petra = f"/desk/planning/items/{stool.id}", at_desk("Petra")
    assert '<option value="books" selected' in petra.send(f"{page}/tax", tax_kind="books")
    assert petra.post(f"{page}/tax", tax_kind="gold").status_code == 422
    assert workshop.rows(Product, slug="stool")[0].tax_kind == "books"
    assert [one.action for one in workshop.rows(AuditEntry)] == ["product.tax_kind"]
