"""The warehouse desk: scan, undo, pack, ship, take goods in; pressing twice does it once."""

from __future__ import annotations

import re
from collections.abc import Callable

from backoffice.erp.models import PurchaseOrderLine, Shipment, ShipmentLine, StockMovement
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
PARCEL = "/desk/warehouse/shipments/1"


def picked(workshop: Workshop) -> list[int]:
    """Return how many of each line are in the parcels."""
    return [line.picked for line in workshop.rows(ShipmentLine)]


def test_from_shelf_to_carrier(at_desk: AtDesk, workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(STOOL=2))
    workshop.pay(start)
    wim = at_desk("Wim")
    board = wim.get("/desk/warehouse")
    assert "leaves today" in board  # ordered 09:00, cut-off 14:00
    assert "2 × Stool" in board
    page = wim.get(PARCEL)
    assert re.search(r"<b>A-0</b>.*<b>Stool</b>.*<b>2</b> <span>to pick", page, re.DOTALL)
    assert re.search(r'id="sku"[^>]*autofocus', page)
    page = wim.send(f"{PARCEL}/scan", sku="stool", quantity="1", key="a")
    assert "Right" in page
    assert "1 of 2 in the parcel" in page
    wim.send(f"{PARCEL}/scan", sku="STOOL", quantity="", key="b")
    assert "Everything is in the parcel" in wim.get(PARCEL)
    wim.send(f"{PARCEL}/pack")
    assert "Give it to the carrier" in wim.get(PARCEL)
    assert "Shipped. The customer is told by mail." in wim.send(f"{PARCEL}/ship", tracking=" JD 0146 ")
    order = workshop.order(start)
    assert (order.state, order.tracking) == ("shipped", "JD 0146")
    assert workshop.stock("STOOL") == (3, 0, 0)
    assert "JD 0146" in wim.get(PARCEL)


def test_a_wrong_scan_is_red_and_says_what_to_do(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    page = at_desk("Wim").refused(f"{PARCEL}/scan", 404, sku="LAMP", key="a")
    assert '<div class="signal bad" role="alert" data-sound="wrong">' in page
    assert "Not in this parcel. Put it back." in page
    assert picked(workshop) == [0]


def test_one_too_many_is_refused(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    wim = at_desk("Wim")
    assert "That is more than this parcel needs." in wim.refused(f"{PARCEL}/scan", 409, sku="STOOL", quantity="2", key="a")
    for quantity in ("0", "-1", "1.5", "1" + "0" * 18, "two"):
        wim.refused(f"{PARCEL}/scan", 422, sku="STOOL", quantity=quantity, key="a")
    assert picked(workshop) == [0]


def test_a_scan_posted_twice_counts_once_and_two_scans_count_twice(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=3)
    wim = at_desk("Wim")
    for key in ("a", "a", "b"):
        wim.send(f"{PARCEL}/scan", sku="STOOL", key=key)
    assert picked(workshop) == [2]


def test_undo_takes_the_last_scan_back_once(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=3)
    wim = at_desk("Wim")
    page = wim.send(f"{PARCEL}/scan", sku="STOOL", quantity="2", key="a")
    undo = re.search(r"/undo.*?</form>", page, re.DOTALL)
    assert undo
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', undo[0]))
    assert (form["sku"], form["quantity"]) == ("STOOL", "2")
    for _ in range(2):
        assert "Taken back" in wim.send(f"{PARCEL}/undo", **form)
    assert picked(workshop) == [0]


def test_a_parcel_that_is_not_full_is_not_packed(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    wim = at_desk("Wim")
    assert "Not everything is picked yet." in wim.refused(f"{PARCEL}/pack", 409)
    wim.send(f"{PARCEL}/scan", sku="STOOL", key="a")
    for _ in range(2):
        wim.send(f"{PARCEL}/pack")
    for _ in range(2):
        wim.send(f"{PARCEL}/ship", tracking="X")
    assert len(workshop.rows(StockMovement, cause="shipment")) == 1


def test_somebody_else_s_parcel_stays_theirs(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    at_desk("Wim").send(f"{PARCEL}/scan", sku="STOOL", key="a")
    assert "Wim has this now." in at_desk("Ada").refused(f"{PARCEL}/scan", 409, sku="STOOL", key="b")


def test_what_waits_says_for_what(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    wim = at_desk("Wim")
    assert "Table is being made" in wim.get("/desk/warehouse")
    page = wim.get(PARCEL)
    assert "This parcel waits for" in page
    assert 'name="sku"' not in page
    wim.refused(f"{PARCEL}/scan", 409, sku="TABLE", key="a")


def test_goods_come_in_in_parts(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(LAMP=2)
    wim = at_desk("Wim")
    assert "10 of 10 still to come" in wim.get("/desk/warehouse/receive")
    for key in ("a", "a"):
        assert "Booked: 4 × Lamp." in wim.send("/desk/warehouse/receive/1", quantity="4", key=key) or key == "a"
    assert workshop.stock("LAMP") == (4, 2, 0)
    assert "6 of 10 still to come" in wim.get("/desk/warehouse/receive")
    assert workshop.rows(Shipment)[0].state == "to_pick"
    page = wim.refused("/desk/warehouse/receive/1", 409, quantity="7", key="b")
    assert "No more than 6 is still to come. Nothing was booked." in page
    assert 'value="7"' in page
    wim.send("/desk/warehouse/receive/1", quantity="6", key="c")
    assert "Nothing is on its way" in wim.get("/desk/warehouse/receive")
    assert workshop.rows(PurchaseOrderLine)[0].received == 10
    wim.refused("/desk/warehouse/receive/1", 404, quantity="1", key="d")


def test_a_quantity_that_is_none_keeps_what_was_typed(at_desk: AtDesk, workshop: Workshop) -> None:
    wim = at_desk("Wim")
    for quantity in ("0", "-1", "1.5", "ten", "1" + "0" * 18):
        assert f'value="{quantity}"' in wim.refused("/desk/warehouse/receive/1", 422, quantity=quantity, key="a")
    assert workshop.rows(StockMovement, cause="receipt") == []


def test_the_shop_sees_what_came_in(at_desk: AtDesk, workshop: Workshop) -> None:
    before = workshop.day("LAMP")
    at_desk("Wim").send("/desk/warehouse/receive/1", quantity="10", key="a")
    assert workshop.day("LAMP") < before


def test_a_parcel_goes_on_without_what_is_not_on_the_shelf(at_desk: AtDesk, workshop: Workshop) -> None:
    order = workshop.buy(STOOL=3)
    wim = at_desk("Wim")
    for found in ("3", "-1", "two", ""):
        wim.refused(f"{PARCEL}/short", 422, sku="STOOL", found=found, key="a")
    assert (workshop.stock("STOOL"), len(workshop.rows(Shipment))) == ((5, 3, 0), 1)
    assert "planned anew and follows" in wim.send(f"{PARCEL}/short", sku="STOOL", found="2", key="a")
    wim.send(f"{PARCEL}/short", sku="STOOL", found="2", key="a")  # the same form again
    assert "sent before with something else" in wim.refused(f"{PARCEL}/short", 409, sku="STOOL", found="1", key="a")
    assert [(p.parcel, p.state) for p in workshop.rows(Shipment)] == [(1, "picking"), (2, "to_pick")]
    assert [line.quantity for line in workshop.rows(ShipmentLine)] == [2, 1]
    assert workshop.stock("STOOL") == (4, 3, 0)
    assert order.number in wim.get("/desk/warehouse/shipments/2")


def test_what_is_here_may_leave_before_the_rest(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=1, LAMP=1)
    wim = at_desk("Wim")
    assert "Send what is here" in wim.get(PARCEL)
    assert "The rest follows in a parcel of its own" in wim.send(f"{PARCEL}/part")
    assert [(p.parcel, p.state) for p in workshop.rows(Shipment)] == [(1, "to_pick"), (2, "waiting")]
    assert "Send what is here" not in wim.get("/desk/warehouse/shipments/2")
    wim.refused("/desk/warehouse/shipments/2/part", 409)


def test_a_colleague_goes_on_with_a_parcel_after_asking(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    workshop.buy(STOOL=2)
    wim, ada = at_desk("Wim"), at_desk("Ada")
    assert "Go on in their place" not in wim.send(f"{PARCEL}/scan", sku="STOOL", key="a")
    page = ada.get(PARCEL)
    assert "Wim has been picking this parcel since Tue 24 Nov, 09:00; last scan Tue 24 Nov, 09:00." in page
    assert "I have asked Wim" in page
    assert f'action="{PARCEL}/scan"' not in page
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    assert "Wim is still at it. Ask first" in ada.refused(f"{PARCEL}/take", 409, version=found[1])
    assert workshop.rows(Shipment)[0].picker == "Wim"
    ada.refused(f"{PARCEL}/take", 422, version="x", sure="yes")
    clock.advance(minutes=30)
    assert "I have asked Wim" not in ada.get(PARCEL)
    assert "The parcel is yours now. What is in it stays in it." in ada.send(f"{PARCEL}/take", version=found[1])
    page = wim.refused(f"{PARCEL}/scan", 409, sku="STOOL", key="b")
    assert "Ada has this now." in page
    assert "Ada has been picking this parcel since Tue 24 Nov, 09:30" in page
    assert picked(workshop) == [1]
    ada.send(f"{PARCEL}/scan", sku="STOOL", key="c")
    assert picked(workshop) == [2]
