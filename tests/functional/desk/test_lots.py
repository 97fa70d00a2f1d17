"""Lots at the desks: an item becomes one that expires, comes in, is picked by lot, counted, and taken off when it is too old."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from backoffice.erp import waves
from backoffice.erp.models import Item, PurchaseOrderLine, Shipment, StockLot, StockMovement
from tests.company import at
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
LAMP, RECEIVE = "/desk/planning/items/3", "/desk/warehouse/receive"


def lying(workshop: Workshop) -> dict[str, tuple[int, int]]:
    return {one.number: (one.on_hand, one.pegged) for one in workshop.rows(StockLot)}


def test_from_the_supplier_to_the_carrier_and_off_the_shelf(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    petra, wim = at_desk("Petra"), at_desk("Wim")
    assert "Does it expire?" in petra.get(LAMP)
    petra.send(f"{LAMP}/lots", days_left="5")
    assert re.search(r'name="days_left" [^>]*value="5"', petra.get(LAMP))
    [line] = workshop.rows(PurchaseOrderLine)
    assert 'name="best_before_on" type="date" required' in wim.get(RECEIVE)
    came = {"quantity": "2", "lot": "L 7", "best_before_on": "2026-12-01"}
    wim.send(f"{RECEIVE}/{line.id}", **came, key="a")
    wim.send(f"{RECEIVE}/{line.id}", quantity="3", lot="L 9", best_before_on="2026-12-24", key="b")
    assert lying(workshop) == {"L 7": (2, 0), "L 9": (3, 0)}
    page = petra.refused(f"{LAMP}/lots", 409, days_left="")
    assert re.search(r'name="days_left" [^>]*value=""', page)  # what was typed stands there again: nothing

    workshop.buy(LAMP=3)
    page = wim.get("/desk/warehouse/shipments/1")
    assert re.search(r"2 from lot\s*<b>L 7</b>.*1 from lot\s*<b>L 9</b>", page, re.DOTALL)
    page = wim.send("/desk/warehouse/shipments/1/scan", sku="l 9", quantity="1", key="c")
    assert "1 × Lamp" in page
    page = wim.send("/desk/warehouse/shipments/1/short", sku="LAMP", lot="L 7", found="1", key="d")
    assert lying(workshop) == {"L 7": (1, 1), "L 9": (3, 2)}
    wim.send("/desk/warehouse/shipments/1/scan", sku="LAMP", quantity="1", key="e")
    wim.send("/desk/warehouse/shipments/1/pack")
    wim.send("/desk/warehouse/shipments/1/ship", tracking="")
    assert lying(workshop) == {"L 7": (0, 0), "L 9": (2, 1)}

    lot = workshop.rows(StockLot)[1].id
    assert re.search(r"Lot L 9, best before .*: how many are there\?", wim.get("/desk/warehouse/stock?q=LAMP"))
    wim.send("/desk/warehouse/stock/3/count?q=LAMP", counted="4", lot=str(lot), key="f")
    assert lying(workshop)["L 9"] == (4, 1)
    page = wim.get("/desk/warehouse/lots")
    assert "L 9" in page
    assert "Write off" not in page
    clock.at = workshop.now = at(20, 9, month=12)
    wim = at_desk("Wim")  # who was away for weeks logs in again
    assert "Write off" in wim.get("/desk/warehouse/lots")
    assert "Taken off the shelf." in wim.send(f"/desk/warehouse/lots/{lot}/write-off", key="g")
    assert lying(workshop)["L 9"] == (0, 0)
    assert [one.delta for one in workshop.rows(StockMovement, cause="expired")] == [-4]
    assert "Nothing expires soon" in wim.get("/desk/warehouse/lots")


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_booked(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, wim = at_desk("Petra"), at_desk("Wim")
    assert "Some of it lies on a shelf" in petra.refused("/desk/planning/items/1/lots", 409, days_left="5")
    assert "What is made here is not kept in lots" in petra.refused("/desk/planning/items/4/lots", 409, days_left="5")
    assert 'id="lots-days_left-wrong"' in petra.refused(f"{LAMP}/lots", 422, days_left="-1")
    petra.send(f"{LAMP}/lots", days_left="5")
    [line] = workshop.rows(PurchaseOrderLine)
    for lot, day, wrong in (("", "2026-12-01", "lot"), ("A", "2026-11-01", "best-before"), ("A", "soon", "best-before")):
        page = wim.refused(f"{RECEIVE}/{line.id}", 422, quantity="2", lot=lot, best_before_on=day, key="a")
        assert f'id="{wrong}-{line.id}-wrong"' in page
    assert (lying(workshop), workshop.rows(PurchaseOrderLine)[0].received) == ({}, 0)
    assert [one.days_left for one in workshop.rows(Item) if one.days_left is not None] == [5]
    wim.refused("/desk/warehouse/lots/99/write-off", 404, key="a")
    wim.send(f"{RECEIVE}/{line.id}", quantity="2", lot="A", best_before_on="2026-12-24", key="b")
    page = wim.refused("/desk/warehouse/lots/1/write-off", 409, key="a")
    assert "This lot can still be sent." in page
    assert workshop.rows(StockLot)[0].best_before_on == date(2026, 12, 24)


def test_in_a_wave_too_the_lot_that_is_short_is_named(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, wim = at_desk("Petra"), at_desk("Wim")
    petra.send(f"{LAMP}/lots", days_left="5")
    [line] = workshop.rows(PurchaseOrderLine)
    wim.send(f"{RECEIVE}/{line.id}", quantity="2", lot="L 7", best_before_on="2026-12-01", key="a")
    wim.send(f"{RECEIVE}/{line.id}", quantity="3", lot="L 9", best_before_on="2026-12-24", key="b")
    workshop.buy(LAMP=3)
    leaves_on = workshop.rows(Shipment)[0].ship_by_on
    wave = workshop.do(waves.release, 1, "Parcel Post", leaves_on).wave.id
    page = wim.get(f"/desk/warehouse/waves/{wave}")
    assert re.findall(r'<option value="(L \d)">', page) == ["L 7", "L 9"]
    wim.send("/desk/warehouse/shipments/1/short", sku="LAMP", lot="L 7", found="1", wave=str(wave), key="c")
    assert lying(workshop)["L 7"] == (1, 1)
