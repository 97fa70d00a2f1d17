"""Two colleagues, one moment, PostgreSQL: a departure becomes one wave, the last piece counts once, an administrator stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from backoffice import bootstrap, staff
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import fulfilment, pickers, waves
from backoffice.erp.models import Shipment, ShipmentLine, Staff, Wave
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.integration.chain.conftest import Workshop

pytestmark = pytest.mark.postgresql
TODAY = date(2026, 11, 24)


@pytest.fixture
def busy(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Workshop]:
    """Two parcels to pick, on PostgreSQL."""
    postgres_db.run(lambda session: open_company(session, now=now))
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: now)
    shop = Workshop(services, now)
    shop.buy(STOOL=1)
    shop.buy(STOOL=2)
    yield shop
    assert shop.breaches() == []
    services.db.dispose()


def person(shop: Workshop, verb: Any, *args: Any, actor: str) -> Callable[[], object]:
    """Return somebody who does one thing."""
    return lambda: shop.do(verb, *args, actor=actor)


def test_two_release_the_same_wave(busy: Workshop) -> None:
    said = both(*(person(busy, waves.release, 1, "Parcel Post", TODAY, actor=f"P{number}") for number in range(4)))
    assert sorted(said) == ["done", "nothing_to_release", "nothing_to_release", "nothing_to_release"]
    [wave] = busy.rows(Wave)
    assert [one.wave_id for one in busy.rows(Shipment)] == [wave.id, wave.id]


def test_two_scan_the_last_piece(busy: Workshop) -> None:
    wave = busy.do(waves.release, 1, "Parcel Post", TODAY).wave.id
    busy.do(waves.pick, wave, "STOOL", 2, actor="Wim")
    said = both(*(person(busy, waves.pick, wave, "STOOL", 1, actor="Wim") for _ in range(3)))
    assert sorted(said) == ["done", "too_many", "too_many"]
    assert [(line.picked, line.quantity) for line in busy.rows(ShipmentLine)] == [(1, 1), (2, 2)]


def test_two_begin_the_same_wave(busy: Workshop) -> None:
    wave = busy.do(waves.release, 1, "Parcel Post", TODAY).wave.id
    said = both(person(busy, waves.pick, wave, "STOOL", 1, actor="Wim"), person(busy, waves.pick, wave, "STOOL", 1, actor="Ada"))
    assert sorted(said) == ["done", "taken"]
    assert sum(line.picked for line in busy.rows(ShipmentLine)) == 1


def test_two_take_a_parcel_over(busy: Workshop) -> None:
    def hire(session: Session) -> None:
        for number in (1, 2, 3):
            mail = f"{number}@werk.test"
            row = Staff(id=number, email=mail, name="Anna", role="warehouse", password_hash="", created_at=busy.now)
            session.add(row)

    busy.db.run(hire)
    busy.do(fulfilment.pick, 2, "STOOL", 1, actor="Anna", staff_id=1)
    later, version = busy.now + pickers.LEASE, busy.rows(Shipment)[1].version

    def colleague(number: int) -> Callable[[], object]:
        seen = {"version": version, "sure": True, "actor": "Anna", "staff_id": number, "now": later}
        return lambda: busy.do(pickers.take_over, 2, **seen)

    assert sorted(both(colleague(2), colleague(3))) == ["done", "taken"]
    parcel = busy.rows(Shipment)[1]
    assert (parcel.picker_id in (2, 3), parcel.version, parcel.last_step_at) == (True, version + 1, later)
    assert [line.picked for line in busy.rows(ShipmentLine)] == [0, 1]


def test_two_administrators_take_the_role_from_each_other(busy: Workshop) -> None:
    def add(session: Session) -> None:
        for name in ("Ada", "Eve"):
            row = Staff(email=f"{name}@werk.test", name=name, role="admin", password_hash="", created_at=busy.now)
            session.add(row)

    busy.db.run(add)
    first, second = (one.id for one in busy.rows(Staff))

    def demote(victim: int) -> Callable[[], object]:
        by = staff.Admin("somebody@werk.test")
        return lambda: busy.db.run(
            lambda session: staff.change(session, victim, name="X", role="sales", active=True, by=by, now=busy.now)
        )

    assert sorted(both(demote(first), demote(second))) == ["done", "last_admin"]
    assert sorted(one.role for one in busy.rows(Staff)) == ["admin", "sales"]
