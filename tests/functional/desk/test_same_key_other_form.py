"""A form sent, gone back to, changed and sent again: what was done stands, and nobody is told that the second was done."""

from __future__ import annotations

import re
from collections.abc import Callable

from backoffice.erp import models as t
from backoffice.payments.models import RefundRequest
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
SAYS = "This form was sent before with something else in it, and that stands."
RECEIVE = "/desk/warehouse/receive/1"


def fresh_key(page: str, action: str) -> str:
    """Return the key of the form that goes to `action`."""
    found = re.search(rf'action="[^"]*{re.escape(action)}[^"]*".*?name="key" value="([^"]+)"', page, re.DOTALL)
    assert found, page
    return found[1]


def test_other_pieces_under_the_same_key_are_not_booked_nor_said_to_be(at_desk: AtDesk, workshop: Workshop) -> None:
    wim = at_desk("Wim")

    def received() -> tuple[int, tuple[int, int, int]]:
        return workshop.rows(t.PurchaseOrderLine)[0].received, workshop.stock("LAMP")

    for _ in range(2):
        assert "Booked: 1 × Lamp." in wim.send(RECEIVE, quantity="1", key="a")
    before = received()
    assert before[0] == 1
    page = wim.refused(RECEIVE, 409, quantity="3", key="a")
    assert SAYS in page
    assert "Booked" not in page
    assert 'value="3"' in page
    assert received() == before
    key = fresh_key(page, RECEIVE)
    assert key != "a"
    assert "Booked: 3 × Lamp." in wim.send(RECEIVE, quantity="3", key=key)
    assert received()[0] == 4


def test_a_count_under_the_same_key_keeps_what_was_typed(at_desk: AtDesk, workshop: Workshop) -> None:
    wim, item = at_desk("Wim"), next(one.id for one in workshop.rows(t.Item) if one.sku == "STOOL")
    path, form = f"/desk/warehouse/stock/{item}/count", {"counted": "4", "key": "a"}
    for _ in range(2):
        wim.send(path, **form)
    before = len(workshop.rows(t.StockMovement)), workshop.stock("STOOL")
    page = wim.refused(path, 409, **form | {"counted": "3"})
    assert SAYS in page
    assert 'value="3"' in page
    assert (len(workshop.rows(t.StockMovement)), workshop.stock("STOOL")) == before


def test_another_refund_under_the_same_key_is_not_asked_for(at_desk: AtDesk, workshop: Workshop) -> None:
    bea, number = at_desk("Bea"), workshop.buy(STOOL=1).number
    path = f"/desk/sales/orders/{number}/refund"
    for _ in range(2):
        bea.send(path, key="a", amount="1", reason="A scratch")
    page = bea.refused(path, 409, key="a", amount="2", reason="A scratch")
    assert SAYS in page
    assert [one.amount_minor for one in workshop.rows(RefundRequest)] == [100]
    bea.send(path, key=fresh_key(page, path), amount="2", reason="A scratch")
    assert [one.amount_minor for one in workshop.rows(RefundRequest)] == [100, 200]
