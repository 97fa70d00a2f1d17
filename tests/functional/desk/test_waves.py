"""Waves at the desk: start one, scan, undo, say what is missing, pack, end it. No script is needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from backoffice.erp.models import Shipment, ShipmentLine, Wave
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
WAVES = "/desk/warehouse/waves"
TODAY = {"warehouse": "1", "carrier": "Parcel Post", "leaves_on": "2026-11-24"}


def picked(workshop: Workshop) -> list[int]:
    """Return how many of each line are in the parcels."""
    return [line.picked for line in workshop.rows(ShipmentLine)]


def test_from_the_cut_off_to_packed_parcels(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    workshop.buy(STOOL=1)
    wim = at_desk("Wim")
    page = wim.get(WAVES)
    assert "2 parcels" in page
    assert "cut-off Tue 24 Nov, 14:00" in page
    page = wim.send(f"{WAVES}/release", **TODAY)
    assert "The wave holds 2 parcels." in page
    assert "2 → SH-" in page
    assert "<b>3</b> <span>to pick" in page
    page = wim.send(f"{WAVES}/1/scan", sku="stool", quantity="3", key="a")
    assert "3 × Stool · 3 of 3 picked" in page
    assert "2 parcels are packed." in wim.send(f"{WAVES}/1/pack")
    assert [one.state for one in workshop.rows(Shipment)] == ["packed", "packed"]
    assert workshop.rows(Wave)[0].state == "done"
    assert "Nothing waits for a wave" in wim.get(WAVES)


def test_a_wrong_scan_says_so_calmly_and_changes_nothing(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    wim = at_desk("Wim")
    wim.send(f"{WAVES}/release", **TODAY)
    assert "Not in this wave. Put it back." in wim.refused(f"{WAVES}/1/scan", 404, sku="LAMP", key="a")
    assert "That is more than this wave needs." in wim.refused(f"{WAVES}/1/scan", 409, sku="STOOL", quantity="3", key="b")
    for quantity in ("0", "-1", "1.5", "1" + "0" * 18, "two"):
        wim.refused(f"{WAVES}/1/scan", 422, sku="STOOL", quantity=quantity, key="c")
    assert picked(workshop) == [0]


def test_a_scan_sent_twice_counts_once_and_can_be_undone(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    wim = at_desk("Wim")
    wim.send(f"{WAVES}/release", **TODAY)
    for key in ("a", "a", "b"):
        wim.send(f"{WAVES}/1/scan", sku="STOOL", key=key)
    assert picked(workshop) == [2]
    assert "Taken back" in wim.send(f"{WAVES}/1/undo", sku="STOOL", quantity="1", key="c")
    assert picked(workshop) == [1]


def test_a_colleague_takes_the_wave_over(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    wim, ada = at_desk("Wim"), at_desk("Ada")
    wim.send(f"{WAVES}/release", **TODAY)
    wim.send(f"{WAVES}/1/scan", sku="STOOL", key="a")
    assert "Wim has this now." in ada.refused(f"{WAVES}/1/scan", 409, sku="STOOL", key="b")
    assert "Wim is picking this wave." in ada.get(f"{WAVES}/1")
    assert "The wave is yours now." in ada.send(f"{WAVES}/1/take")
    ada.send(f"{WAVES}/1/scan", sku="STOOL", key="c")
    assert picked(workshop) == [2]


def test_a_short_pick_comes_back_to_the_wave(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=3)
    wim = at_desk("Wim")
    wim.send(f"{WAVES}/release", **TODAY)
    page = wim.send("/desk/warehouse/shipments/1/short", sku="STOOL", found="2", wave="1", key="a")
    assert "<h1>W-0001</h1>" in page
    assert "Noted. What is missing is planned anew" in page
    assert "<b>2</b> <span>to pick" in page


def test_the_minutes_left_and_a_missed_cut_off_are_said(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    workshop.buy(STOOL=1)
    wim = at_desk("Wim")
    clock.advance(hours=4, minutes=20)
    assert "cut-off in 40 minutes" in wim.get(WAVES)
    clock.advance(hours=1)
    assert "20 minutes late" in wim.get(WAVES)
    clock.at += timedelta(hours=18)
    assert "1 is late" in at_desk("Wim").get(WAVES)


def test_forms_that_make_no_sense_are_refused(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    wim = at_desk("Wim")
    wim.refused(f"{WAVES}/release", 422, **(TODAY | {"leaves_on": "soon"}))
    wim.refused(f"{WAVES}/release", 422, **(TODAY | {"warehouse": "x"}))
    wim.refused(f"{WAVES}/release", 404, **(TODAY | {"warehouse": "9"}))
    wim.refused(f"{WAVES}/release", 409, **(TODAY | {"carrier": "Nobody"}))
    assert "There is no such wave." in wim.get(f"{WAVES}/9", 404)
    assert workshop.rows(Wave) == []
