"""Waves: what leaves by which cut-off, one walk for several parcels, wrong scans, what comes back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from backoffice.erp import fulfilment, splitting, waves
from backoffice.erp.models import Shipment, ShipmentLine, Wave
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import at
from tests.integration.chain.conftest import Workshop

TODAY = date(2026, 11, 24)


def departures(workshop: Workshop, now: Any = None) -> Any:
    """Return what waits for a wave."""
    with workshop.db.read() as session:
        return waves.departures(session, now=now or workshop.now)


def released(workshop: Workshop) -> int:
    """Release today's parcels; return the wave's id."""
    return int(workshop.do(waves.release, 1, "Parcel Post", TODAY).wave.id)


def picked(workshop: Workshop) -> list[tuple[int, int]]:
    """Return (picked, quantity) of each line."""
    return [(line.picked, line.quantity) for line in workshop.rows(ShipmentLine)]


def test_a_departure_holds_what_leaves_with_one_cut_off(workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    workshop.buy(STOOL=1)
    workshop.buy(TABLE=1)  # is to be made: nothing to pick
    [one] = departures(workshop)
    assert (one.carrier, one.leaves_on, one.late) == ("Parcel Post", TODAY, 0)
    assert one.cut_off_at == at(24, 14)
    assert [parcel.id for parcel in one.parcels] == [1, 2]


def test_late_parcels_leave_with_todays_cut_off(workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    [one] = departures(workshop, workshop.now + timedelta(days=2))
    assert (one.leaves_on, one.late, one.cut_off_at) == (date(2026, 11, 26), 1, at(26, 14))


def test_a_wave_takes_the_parcels_once(workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    wave = workshop.do(waves.release, 1, "Parcel Post", TODAY)
    assert (wave.wave.number, wave.parcels, wave.wave.cut_off_at) == ("W-0001", 1, at(24, 14))
    assert departures(workshop) == []
    with pytest.raises(Refused, match="nothing_to_release"):
        workshop.do(waves.release, 1, "Parcel Post", TODAY)
    with pytest.raises(NotFound, match="unknown_warehouse"):
        workshop.do(waves.release, 9, "Parcel Post", TODAY)
    assert len(workshop.rows(Wave)) == 1


def test_a_scan_fills_the_most_urgent_parcel_first(workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    workshop.buy(STOOL=1)
    wave = released(workshop)
    assert workshop.do(waves.pick, wave, "stool", 1) == 2
    assert picked(workshop) == [(1, 2), (0, 1)]
    assert workshop.do(waves.pick, wave, "STOOL", 2) == 0
    assert picked(workshop) == [(2, 2), (1, 1)]
    workshop.do(waves.unpick, wave, "STOOL", 1)
    assert picked(workshop) == [(2, 2), (0, 1)]


def test_wrong_scans_change_nothing(workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    wave = released(workshop)
    for sku, quantity, error, code in [
        ("LAMP", 1, NotFound, "not_in_wave"),
        ("STOOL", 3, Refused, "too_many"),
        ("STOOL", 0, BadInput, "bad_quantity"),
    ]:
        with pytest.raises(error, match=code):
            workshop.do(waves.pick, wave, sku, quantity)
    with pytest.raises(Refused, match="too_many"):
        workshop.do(waves.unpick, wave, "STOOL", 1)
    with pytest.raises(NotFound, match="unknown_wave"):
        workshop.do(waves.pick, 99, "STOOL", 1)
    assert picked(workshop) == [(0, 2)]
    assert workshop.rows(Shipment)[0].state == "to_pick"


def test_a_wave_is_one_pickers_until_it_is_taken_over(workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    wave = released(workshop)
    workshop.do(waves.pick, wave, "STOOL", 1)
    with pytest.raises(Refused, match="taken"):
        workshop.do(waves.pick, wave, "STOOL", 1, actor="Wim")
    assert picked(workshop) == [(1, 2)]
    workshop.do(waves.take_over, wave, actor="Wim")
    workshop.do(waves.pick, wave, "STOOL", 1, actor="Wim")
    assert picked(workshop) == [(2, 2)]
    assert workshop.rows(Shipment)[0].picker == "Wim"


def test_full_parcels_are_packed_and_the_last_one_ends_the_wave(workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    workshop.buy(STOOL=1)
    wave = released(workshop)
    workshop.do(waves.pick, wave, "STOOL", 2)
    assert workshop.do(waves.pack_full, wave) == 1
    assert [one.state for one in workshop.rows(Shipment)] == ["packed", "to_pick"]
    assert workshop.rows(Wave)[0].state == "open"
    workshop.do(waves.pick, wave, "STOOL", 1)
    assert workshop.do(waves.pack_full, wave) == 1
    assert workshop.rows(Wave)[0].state == "done"
    with pytest.raises(Refused, match="wrong_state"):
        workshop.do(waves.pick, wave, "STOOL", 1)


def test_what_nobody_began_is_free_when_a_wave_ends(workshop: Workshop) -> None:
    workshop.buy(STOOL=2)
    workshop.buy(STOOL=1)
    wave = released(workshop)
    workshop.do(waves.pick, wave, "STOOL", 1)
    assert workshop.db.run(lambda session: waves.close(session, wave)) == 1
    assert workshop.db.run(lambda session: waves.close(session, wave)) == 0
    [one] = departures(workshop)
    assert [parcel.id for parcel in one.parcels] == [2]  # the begun one stays with its picker


def test_a_short_pick_in_a_wave_leaves_the_rest_out(workshop: Workshop) -> None:
    workshop.buy(STOOL=3)
    wave = released(workshop)
    workshop.do(waves.pick, wave, "STOOL", 2)
    workshop.do(splitting.short_pick, 1, "STOOL", 2)
    assert picked(workshop)[0] == (2, 2)
    assert workshop.do(waves.pack_full, wave) == 1
    assert [(one.parcel, one.state, one.wave_id) for one in workshop.rows(Shipment)] == [
        (1, "packed", wave),
        (2, "to_pick", None),
    ]
    workshop.do(fulfilment.ship, 1, tracking="")
