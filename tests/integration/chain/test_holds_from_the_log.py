"""A hold plans on what is kept of the plan's log: with what its own transaction decided, and never against the rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import table_of
from backoffice.erp import holds, offers, plan, snapshot
from backoffice.erp import models as t
from tests.company import item_id
from tests.statements import sent


def hold(session: Session, owner: str, now: datetime) -> t.Reservation:
    return holds.hold(session, session.get_one(t.Item, item_id(session, "TABLE")), 1, owner=owner, minutes=15, now=now)


def minutes(workshop: Any, owner: str) -> list[tuple[int, datetime]]:
    """Return work centre and start of what is held for somebody."""
    with workshop.db.read() as session:
        order, of, slot = t.ProductionOrder, t.Reservation, t.OperationSlot
        rows = session.execute(
            sa.select(slot.work_centre_id, slot.starts_at)
            .join(order, order.id == slot.production_order_id)
            .join(of, of.id == order.reservation_id)
            .where(of.owner_ref == owner, of.state == "held")
            .order_by(slot.starts_at)
        )
        return [(row.work_centre_id, row.starts_at) for row in rows]


@pytest.fixture
def no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail whoever reads all booked minutes from the rows."""
    monkeypatch.setattr(snapshot, "_bookings", lambda *_args, **_named: pytest.fail("the rows were read"))


@pytest.mark.usefixtures("no_rows")
def test_what_this_transaction_let_go_and_took_counts_in_it(workshop: Any) -> None:
    now = workshop.now
    workshop.db.run(lambda session: hold(session, "first", now))
    first = minutes(workshop, "first")
    assert first

    def change(session: Session) -> None:
        old = session.scalars(sa.select(t.Reservation.id).where(t.Reservation.owner_ref == "first")).one()
        assert holds.release(session, old, now=now)
        hold(session, "second", now)
        hold(session, "third", now)

    workshop.db.run(change)
    assert minutes(workshop, "second") == first
    third = minutes(workshop, "third")
    assert len(third) == len(first)
    assert all(late > early for (_, late), (_, early) in zip(third, first, strict=True))
    workshop.db.run(lambda session: hold(session, "fourth", now))  # the next transaction knows it from the log
    assert not {*minutes(workshop, "fourth")} & {*first, *third}


@pytest.mark.usefixtures("no_rows")
def test_minutes_of_a_hold_that_died_are_free_at_once(workshop: Any) -> None:
    workshop.db.run(lambda session: hold(session, "first", workshop.now))
    first = minutes(workshop, "first")
    later = workshop.now + timedelta(minutes=20)
    workshop.db.run(lambda session: hold(session, "second", later))
    centre, _ = first[0]
    assert minutes(workshop, "second")[0] == (centre, later)  # it was busy until half an hour after `now`


def test_minutes_that_only_the_rows_know_of_are_not_given_away(workshop: Any) -> None:
    """Written past the program: a question may not know, a commit must."""
    now = workshop.now
    workshop.db.run(lambda session: hold(session, "first", now))
    with workshop.db.read() as session:
        slot = session.scalars(sa.select(t.OperationSlot).order_by(t.OperationSlot.id.desc())).first()
        order = session.get_one(t.ProductionOrder, slot.production_order_id)
    until = slot.ends_at + timedelta(minutes=30)
    written = {
        "number": "past", "item_id": order.item_id, "quantity": 1, "pegged": 1, "state": "planned", "learns": "",
        "starts_at": slot.ends_at, "ready_at": until,
    }  # fmt: skip

    def write(session: Session) -> None:
        made = session.execute(
            sa.insert(table_of(t.ProductionOrder)).values(written).returning(t.ProductionOrder.id)
        ).scalar_one()
        session.execute(
            sa.insert(table_of(t.OperationSlot)).values(
                production_order_id=made, work_centre_id=slot.work_centre_id, position=0, lane=slot.lane,
                starts_at=slot.ends_at, ends_at=until,
            )
        )  # fmt: skip

    workshop.db.run(write)
    workshop.db.run(lambda session: hold(session, "second", now))
    assert all(
        centre != slot.work_centre_id or starts_at >= until
        for centre, starts_at in minutes(workshop, "second")
        if starts_at >= slot.starts_at
    )
    workshop.db.run(forget)


def forget(session: Session) -> None:
    """Take what was written past the program out again: what is looked at after each test would find it."""
    slots, orders = table_of(t.OperationSlot), table_of(t.ProductionOrder)
    past = sa.select(orders.c.id).where(orders.c.number == "past")
    session.execute(sa.delete(slots).where(slots.c.production_order_id.in_(past)))
    session.execute(sa.delete(orders).where(orders.c.number == "past"))


def test_a_hold_reads_nothing_that_grows_with_the_plan(workshop: Any) -> None:
    for number in range(3):
        workshop.db.run(lambda session, n=number: hold(session, f"buyer {n}", workshop.now))
    with sent(workshop.db) as seen:
        workshop.db.run(lambda session: hold(session, "next", workshop.now))
    slots = [one for one in seen if one.startswith("SELECT") and "FROM operation_slot" in one]
    assert len(slots) == 1
    assert "LIMIT" in slots[0]


def test_a_hold_touches_the_offers_that_wait_for_its_work_centres(workshop: Any) -> None:
    """A crate is sawn as a table's top is, a box is made where no table comes by, a crate on wheels of a crate."""

    def make_more(session: Session) -> None:
        table = session.scalars(sa.select(t.Item).where(t.Item.sku == "TABLE")).one()
        saw = session.scalars(sa.select(t.WorkCentre).where(t.WorkCentre.code == "SAW")).one()
        press = t.WorkCentre(code="PRESS", name="Press", calendar_id=saw.calendar_id)
        items = {
            sku: t.Item(sku=sku, name=sku, product_id=table.product_id, on_sale=True, source="make", sell_from="production")
            for sku in ("BOX", "CRATE", "WHEELED")
        }
        session.add_all([press, *items.values()])
        session.flush()
        places = {"BOX": press, "CRATE": saw, "WHEELED": press}
        session.add_all(
            t.RoutingOperation(item_id=items[sku].id, position=0, work_centre_id=centre.id, run_seconds=60)
            for sku, centre in places.items()
        )
        session.add(t.BomLine(parent_id=items["WHEELED"].id, component_id=items["CRATE"].id, quantity=1))
        plan.bump(session, master=True)
        offers.refresh(session, None, now=workshop.now)

    workshop.db.run(make_more)
    before = generations(workshop)
    workshop.db.run(lambda session: hold(session, "first", workshop.now))
    raised = {sku: number - before[sku] for sku, number in generations(workshop).items()}
    assert raised == {"STOOL": 0, "VASE": 0, "LAMP": 0, "TABLE": 1, "BOX": 0, "CRATE": 1, "WHEELED": 1}


def generations(workshop: Any) -> dict[str, int]:
    with workshop.db.read() as session:
        rows = session.execute(sa.select(t.Item.sku, t.Offer.generation).join(t.Offer, t.Offer.item_id == t.Item.id))
        return {sku: generation for sku, generation in rows}  # noqa: C416 - rows are no pairs to mypy
