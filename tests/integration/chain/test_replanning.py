"""When the plan moves under placed orders, what they then stand on is really bought, made and sent."""

from __future__ import annotations

from backoffice.erp import counting, purchasing
from backoffice.erp import models as t
from tests.company import at


def count(workshop, sku: str, counted: int, ref: str) -> None:
    """Count what is on the shelf."""
    workshop.do(counting.count_stock, workshop.rows(t.Item, sku=sku)[0].id, 1, counted, ref=ref)


def proposals(workshop) -> list[tuple[str, int, int]]:
    """Return (state of the order, quantity, pegged) of every line that was ever proposed."""
    orders = {order.id: order.state for order in workshop.rows(t.PurchaseOrder)}
    lines = [line for line in workshop.rows(t.PurchaseOrderLine) if line.purchase_order_id != 1]
    return [(orders[line.purchase_order_id], line.quantity, line.pegged) for line in lines]


def test_an_order_that_lost_its_goods_has_others_proposed_to_the_buyer(workshop):
    workshop.buy(STOOL=3)
    count(workshop, "STOOL", 0, "count:1")
    assert [peg.kind for peg in workshop.rows(t.Peg)] == ["receipt"]
    assert proposals(workshop) == [("proposed", 3, 3)]


def test_planning_anew_keeps_one_proposal_and_drops_what_nobody_needs(workshop):
    workshop.buy(STOOL=3)
    count(workshop, "STOOL", 1, "count:1")
    count(workshop, "STOOL", 0, "count:2")
    workshop.buy(TABLE=4)  # 12 legs are there, 4 are proposed
    count(workshop, "LEG", 10, "count:3")
    assert proposals(workshop) == [("proposed", 3, 3), ("proposed", 6, 6)]
    count(workshop, "LEG", 30, "count:4")
    count(workshop, "BOARD", 7, "count:5")  # planned anew: the legs are all there now, a board is missing
    assert [(order, quantity) for order, quantity, _ in proposals(workshop)] == [("proposed", 3), ("proposed", 1)]
    assert [order.state for order in workshop.rows(t.PurchaseOrder)] == ["ordered", "proposed", "cancelled", "proposed"]


def test_what_comes_in_from_a_proposed_order_was_ordered(workshop):
    workshop.buy(TABLE=4)
    line = workshop.rows(t.PurchaseOrderLine)[-1]
    workshop.do(purchasing.receive, line.id, 1, ref="delivery 1")
    assert [order.state for order in workshop.rows(t.PurchaseOrder)] == ["ordered", "ordered"]
    workshop.do(purchasing.move_due, line.id, at(30, 8), version=line.version + 1)
    assert workshop.rows(t.PurchaseOrderLine, id=line.id)[0].due_at == at(30, 8)
