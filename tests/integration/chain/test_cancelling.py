"""A cancelled order keeps nothing: goods, receipts and minutes are free again, and only once."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.erp import cancelling, fulfilment, plan
from backoffice.erp import models as t
from backoffice.public.errors import Refused
from tests.integration.chain.conftest import Workshop


def cancel(workshop: Workshop, number: str) -> Any:
    return workshop.db.run(lambda session: cancelling.cancel(session, number, now=workshop.now))


def parcel(workshop: Workshop, number: str) -> Any:
    [shipment] = workshop.rows(t.Shipment, order_ref=number)
    return shipment


def test_stock_goes_back_on_the_shelf_once(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=2)
    assert workshop.stock("STOOL") == (5, 2, 0)
    assert cancel(workshop, order.number) is True
    assert workshop.stock("STOOL") == (5, 0, 0)
    assert parcel(workshop, order.number).state == "cancelled"
    assert cancel(workshop, order.number) is False
    assert workshop.stock("STOOL") == (5, 0, 0)


def test_minutes_components_and_proposals_are_free_again(workshop: Workshop) -> None:
    before = workshop.day("TABLE", 2)
    order = workshop.buy(TABLE=6)  # 24 legs are needed, 12 are there: legs are proposed
    assert workshop.rows(t.PurchaseOrder, state="proposed")
    assert workshop.day("TABLE", 2) > before
    cancel(workshop, order.number)
    assert workshop.rows(t.PurchaseOrder, state="proposed") == []
    assert workshop.rows(t.ProductionOrder, state="planned") == []
    assert (workshop.stock("LEG"), workshop.stock("BOARD")) == ((12, 0, 0), (20, 0, 0))
    assert workshop.day("TABLE", 2) == before


def test_a_receipt_may_be_promised_to_others_again(workshop: Workshop) -> None:
    order = workshop.buy(LAMP=10)
    with pytest.raises(Refused) as refused:
        workshop.day("LAMP")
    assert refused.value.code == "not_available"
    cancel(workshop, order.number)
    assert workshop.day("LAMP", 10) == order.promised_on


def test_a_picked_parcel_is_put_back(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=2)
    shipment = parcel(workshop, order.number)
    workshop.do(fulfilment.pick, shipment.id, "STOOL", 1)
    cancel(workshop, order.number)
    [line] = workshop.rows(t.ShipmentLine, shipment_id=shipment.id)
    assert (parcel(workshop, order.number).state, line.picked) == ("cancelled", 0)


def test_a_closed_parcel_is_too_late_and_nothing_changes(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=2)
    shipment = parcel(workshop, order.number)
    workshop.do(fulfilment.pick, shipment.id, "STOOL", 2)
    workshop.do(fulfilment.pack, shipment.id)
    with pytest.raises(Refused) as refused:
        cancel(workshop, order.number)
    assert refused.value.code == "too_late_to_cancel"
    assert workshop.stock("STOOL") == (5, 2, 0)
    assert parcel(workshop, order.number).state == "packed"
    [reservation] = workshop.rows(t.Reservation, order_ref=order.number)
    assert reservation.state == "converted"


def test_who_was_promised_its_surplus_finds_another_supply(workshop: Workshop) -> None:
    def tops_come_in_fours(session: Any, **_: Any) -> None:
        session.execute(sa.update(t.Item).where(t.Item.sku == "TOP").values(lot_minimum=4))
        plan.bump(session, master=True)

    workshop.do(tops_come_in_fours)
    first, second = workshop.buy(TABLE=1), workshop.buy(TABLE=1)
    tops = [one for one in workshop.rows(t.ProductionOrder, state="planned") if one.quantity == 4]
    assert [(one.quantity, one.pegged) for one in tops] == [(4, 2)]  # one top for each of the two
    cancel(workshop, first.number)
    [made_anew] = [one for one in workshop.rows(t.ProductionOrder, state="planned") if one.quantity == 4]
    [its] = workshop.rows(t.Reservation, order_ref=second.number)
    assert (made_anew.reservation_id, made_anew.pegged, its.state) == (its.id, 1, "converted")
