"""Parcels on their way, and saying that they arrived: the customer sees the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from backoffice.crm.models import OrderLine
from backoffice.erp import fulfilment
from backoffice.erp.models import Shipment
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
SENT = "/desk/warehouse/sent"


def send(workshop: Workshop, shipment_id: int, quantity: int) -> None:
    """Pick, pack and ship stools."""
    workshop.do(fulfilment.pick, shipment_id, "STOOL", quantity)
    workshop.do(fulfilment.pack, shipment_id)
    workshop.do(fulfilment.ship, shipment_id, tracking="JD 1")


def test_what_arrived_says_so_everywhere(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    start = workshop.start(workshop.cart(STOOL=2))
    workshop.pay(start)
    send(workshop, 1, 2)
    clock.advance(days=2)
    wim = at_desk("Wim")
    assert "should be there since Wed 25 Nov" in wim.get(SENT)
    assert "1 parcel has arrived." in wim.send(f"{SENT}/arrived", parcel="1", on="2026-11-25")
    assert "Nothing is on its way" in wim.get(SENT)
    assert workshop.rows(Shipment)[0].state == "delivered"
    assert workshop.rows(OrderLine)[0].actual_on == date(2026, 11, 25)
    assert workshop.orders()[0].state == "delivered"
    assert workshop.order(start).state == "delivered"
    assert "0 parcels have arrived." in wim.send(f"{SENT}/arrived", parcel="1", on="2026-11-26")
    assert workshop.rows(OrderLine)[0].actual_on == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"parcel": "1", "on": "2026-11-27"}, "Choose today or earlier."),
        ({"parcel": "1", "on": "2026-11-23"}, "One of them had not left by that day."),
        ({"parcel": "1", "on": "soon"}, "Choose a day, for example 2026-12-08."),
        ({"parcel": "x", "on": "2026-11-24"}, "Choose at least one of the list."),
    ],
)
def test_a_day_that_makes_no_sense_changes_nothing(at_desk: AtDesk, workshop: Workshop, form: dict[str, Any], words: str) -> None:
    workshop.buy(STOOL=1)
    send(workshop, 1, 1)
    assert words in at_desk("Wim").refused(f"{SENT}/arrived", 422, **form)
    assert workshop.rows(Shipment)[0].state == "shipped"
    assert workshop.rows(OrderLine)[0].actual_on is None


def test_many_parcels_come_in_pages(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    send(workshop, 1, 1)

    def copy(session: Any) -> None:
        first = session.get(Shipment, 1)
        for number in range(120):
            session.add(
                Shipment(
                    number=f"SH-X{number}",
                    order_ref=f"SF-X{number}",
                    warehouse_id=1,
                    state="shipped",
                    ship_to=first.ship_to,
                    promised_on=first.promised_on,
                    ship_by_on=first.ship_by_on,
                    expected_on=date(2026, 12, 24),
                    shipped_at=first.shipped_at,
                )
            )

    workshop.db.run(copy)
    wim = at_desk("Wim")
    assert "1 to 50 of 121" in wim.get(SENT)
    assert "101 to 121 of 121" in wim.get(f"{SENT}?page=3")
    assert "1 to 50 of 121" in wim.get(f"{SENT}?page=nonsense")
    workshop.db.run(lambda session: [session.delete(one) for one in session.query(Shipment).filter(Shipment.id > 1)])
