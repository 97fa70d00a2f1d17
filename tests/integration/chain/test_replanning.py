"""When the plan moves under placed orders, what they then stand on is really bought, made and sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from backoffice.erp import counting, fulfilment, plan, production, purchasing
from backoffice.erp import models as t
from backoffice.public.errors import Refused
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


def test_a_proposed_order_has_no_day_to_move_before_it_is_ordered(workshop):
    workshop.buy(TABLE=4)
    line = workshop.rows(t.PurchaseOrderLine)[-1]
    with pytest.raises(Refused) as refusal:
        workshop.do(purchasing.move_due, line.id, at(30, 8), version=line.version)
    assert refusal.value.code == "not_ordered_yet"
    assert proposals(workshop) == [("proposed", 4, 4)]


def test_a_dead_hold_does_not_stand_in_the_way_of_planning_anew(workshop):
    workshop.cart(STOOL=2)
    workshop.buy(STOOL=3)
    workshop.now += timedelta(minutes=20)  # the cart's hold is dead, nobody has swept
    count(workshop, "STOOL", 4, "count:1")
    assert workshop.stock("STOOL") == (4, 3, 0)
    assert proposals(workshop) == []


def test_goods_missing_while_they_are_picked_put_the_parcel_back_to_wait(workshop):
    workshop.buy(STOOL=3)
    shipment = workshop.rows(t.Shipment)[0]
    workshop.do(fulfilment.pick, shipment.id, "STOOL", 1)
    count(workshop, "STOOL", 1, "count:1")
    assert [(s.state, s.picker) for s in workshop.rows(t.Shipment)] == [("waiting", "")]
    assert [line.picked for line in workshop.rows(t.ShipmentLine)] == [0]
    for line in workshop.rows(t.PurchaseOrderLine)[1:]:
        workshop.do(purchasing.receive, line.id, line.quantity, ref=f"delivery {line.id}")
    workshop.do(fulfilment.pick, shipment.id, "STOOL", 3)
    workshop.do(fulfilment.pack, shipment.id)
    workshop.do(fulfilment.ship, shipment.id, tracking="JD 1")
    assert workshop.orders()[0].state == "shipped"


def test_a_closed_parcel_keeps_its_goods_whatever_is_counted(workshop):
    workshop.buy(STOOL=3)
    shipment = workshop.rows(t.Shipment)[0]
    workshop.do(fulfilment.pick, shipment.id, "STOOL", 3)
    workshop.do(fulfilment.pack, shipment.id)
    workshop.buy(STOOL=2)
    with pytest.raises(Refused) as refusal:
        count(workshop, "STOOL", 2, "count:1")
    assert refusal.value.code == "not_enough_stock"
    count(workshop, "STOOL", 3, "count:2")  # the newer order waits, the parcel goes
    workshop.do(fulfilment.ship, shipment.id, tracking="JD 1")
    assert [s.state for s in workshop.rows(t.Shipment)] == ["shipped", "waiting"]


def test_who_was_promised_the_surplus_of_anothers_lot_is_planned_anew_with_it(workshop):
    def in_lots(session):
        session.execute(sa.update(t.Item).where(t.Item.sku == "TOP").values(lot_minimum=3))
        plan.bump(session, master=True)

    workshop.db.run(in_lots)
    workshop.buy(TABLE=1)  # 3 tops are made for it
    workshop.buy(TABLE=1)  # and one of them goes into this one
    cart = workshop.cart(TABLE=1)  # and one is kept for this cart
    assert [order.quantity for order in workshop.rows(t.ProductionOrder) if order.quantity > 1] == [3]
    saw = workshop.rows(t.WorkCentre, code="SAW")[0].id
    workshop.do(production.stop, saw, at(24, 9), at(25, 9), reason="broken")
    assert workshop.breaches() == []
    for peg in workshop.rows(t.Peg, kind="make"):
        assert workshop.rows(t.ProductionOrder, id=peg.supply_order_id)[0].state != "cancelled"
    assert workshop.shop.carts.find(cart.token, now=workshop.now).lines[0].promise is not None
    for _ in range(2):
        for order in sorted(workshop.rows(t.ProductionOrder, state="planned"), key=lambda row: -row.item_id):
            workshop.do(production.finish, order.id)
    assert [shipment.state for shipment in workshop.rows(t.Shipment)] == ["to_pick", "to_pick"]
