"""Whose a parcel is: a colleague goes on after the lease or after asking, what was picked stays, two Annas are two people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from backoffice.crm.models import Activity
from backoffice.erp import fulfilment, pickers, splitting, waves
from backoffice.erp.models import Shipment, ShipmentLine, Staff
from backoffice.public.errors import NotFound, Refused
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_waves import released

HALF_AN_HOUR = timedelta(minutes=30)
ANNA, OTHER_ANNA, WIM = ({"actor": name, "staff_id": number} for name, number in (("Anna", 1), ("Anna", 2), ("Wim", 3)))


@pytest.fixture
def parcel(workshop: Workshop) -> int:
    """A parcel of two stools, one of which Anna has picked."""

    def hire(session: Session) -> None:
        for who in (ANNA, OTHER_ANNA, WIM):
            name, number = who["actor"], who["staff_id"]
            row = Staff(
                id=number, email=f"{number}@werk.test", name=name, role="warehouse", password_hash="", created_at=workshop.now
            )
            session.add(row)

    workshop.db.run(hire)
    workshop.buy(STOOL=2)
    workshop.do(fulfilment.pick, 1, "STOOL", 1, **ANNA)
    return 1


def shipment(workshop: Workshop) -> Shipment:
    """Return the parcel as it is."""
    [found] = workshop.rows(Shipment)
    return found


def state(workshop: Workshop) -> tuple[Any, ...]:
    """Return all that a step or a refusal could change."""
    one = shipment(workshop)
    picked = [line.picked for line in workshop.rows(ShipmentLine)]
    return one.state, one.picker, one.picker_id, one.picking_since_at, one.last_step_at, one.version, picked


def test_a_parcel_left_lying_is_anybodys_after_half_an_hour(workshop: Workshop, parcel: int) -> None:
    before, now = state(workshop), workshop.now
    seen = shipment(workshop).version
    with pytest.raises(Refused, match="still_at_it") as refused:
        workshop.do(pickers.take_over, parcel, version=seen, **WIM, now=now + HALF_AN_HOUR - timedelta(seconds=1))
    assert refused.value.details == {"who": "Anna"}
    assert state(workshop) == before == ("picking", "Anna", 1, now, now, seen, [1])

    later = now + HALF_AN_HOUR
    workshop.do(pickers.take_over, parcel, version=seen, **WIM, now=later)
    assert state(workshop) == ("picking", "Wim", 3, later, later, seen + 1, [1])  # what was picked stays picked
    workshop.do(pickers.take_over, parcel, version=seen, **WIM, now=later + HALF_AN_HOUR)  # pressed twice
    assert state(workshop)[3:6] == (later, later, seen + 1)
    [entry] = workshop.rows(Activity, kind="picking_taken_over")
    assert (entry.actor, entry.text, entry.at) == ("Wim", "Anna", later)
    for step in (fulfilment.pick, fulfilment.unpick):  # Anna's scanner works again
        with pytest.raises(Refused, match="taken") as refused:
            workshop.do(step, parcel, "STOOL", 1, **ANNA, now=later)
        assert refused.value.details == {"who": "Wim"}
    with pytest.raises(Refused, match="taken"):
        workshop.do(splitting.short_pick, parcel, "STOOL", 1, **ANNA, now=later)
    assert state(workshop) == ("picking", "Wim", 3, later, later, seen + 1, [1])
    workshop.do(fulfilment.pick, parcel, "STOOL", 1, **WIM, now=later)
    assert state(workshop)[-1] == [2]


def test_each_step_renews_the_lease(workshop: Workshop, parcel: int) -> None:
    soon = workshop.now + timedelta(minutes=20)
    workshop.do(fulfilment.unpick, parcel, "STOOL", 1, **ANNA, now=soon)
    assert state(workshop)[3:5] == (workshop.now, soon)
    with pytest.raises(Refused, match="still_at_it"):
        workshop.do(pickers.take_over, parcel, version=2, **WIM, now=workshop.now + HALF_AN_HOUR)


def test_who_asked_may_go_on_at_once(workshop: Workshop, parcel: int) -> None:
    workshop.do(pickers.take_over, parcel, version=shipment(workshop).version, sure=True, **WIM)
    assert state(workshop)[:3] == ("picking", "Wim", 3)


def test_two_annas_are_two_people(workshop: Workshop, parcel: int) -> None:
    before = state(workshop)
    with pytest.raises(Refused, match="taken"):
        workshop.do(fulfilment.pick, parcel, "STOOL", 1, **OTHER_ANNA)
    with pytest.raises(Refused, match="still_at_it"):
        workshop.do(pickers.take_over, parcel, version=before[5], **OTHER_ANNA)
    assert state(workshop) == before
    workshop.do(pickers.take_over, parcel, version=before[5], sure=True, **OTHER_ANNA)
    assert state(workshop)[1:3] == ("Anna", 2)


def test_only_what_is_being_picked_is_taken_over(workshop: Workshop, parcel: int) -> None:
    with pytest.raises(NotFound, match="unknown_shipment"):
        workshop.do(pickers.take_over, 99, version=1, **WIM)
    workshop.do(fulfilment.pick, parcel, "STOOL", 1, **ANNA)
    workshop.do(fulfilment.pack, parcel)
    before = state(workshop)
    with pytest.raises(Refused, match="wrong_state"):
        workshop.do(pickers.take_over, parcel, version=before[5], sure=True, **WIM)
    assert state(workshop) == before


def test_a_row_of_before_goes_by_its_name_until_its_picker_scans(workshop: Workshop, parcel: int) -> None:
    def as_before(session: Session) -> None:
        row = session.get_one(Shipment, parcel)
        row.picker_id = row.picking_since_at = row.last_step_at = None

    workshop.db.run(as_before)
    with pytest.raises(Refused, match="taken"):
        workshop.do(fulfilment.pick, parcel, "STOOL", 1, **WIM)
    workshop.do(fulfilment.unpick, parcel, "STOOL", 1, **ANNA)
    assert state(workshop)[1:3] == ("Anna", 1)
    workshop.db.run(as_before)
    workshop.do(pickers.take_over, parcel, version=shipment(workshop).version, **WIM)  # nobody knows since when: no lease
    assert state(workshop)[1:3] == ("Wim", 3)


def test_two_annas_do_not_share_a_wave(workshop: Workshop, parcel: int) -> None:
    workshop.buy(STOOL=1)
    wave = released(workshop)
    workshop.do(waves.pick, wave, "STOOL", 1, **ANNA)
    with pytest.raises(Refused, match="taken"):
        workshop.do(waves.unpick, wave, "STOOL", 1, **OTHER_ANNA)
    workshop.do(waves.take_over, wave, **OTHER_ANNA)
    assert [(one.picker_id, one.wave_id) for one in workshop.rows(Shipment)] == [(1, None), (2, wave)]
    with pytest.raises(Refused, match="taken"):
        workshop.do(waves.unpick, wave, "STOOL", 1, **ANNA)
