"""Alternates of parts and work centres, scrap, pace and frozen days in the shop; and recipes that make no sense."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from backoffice.erp import factory, plan, production, recipe_lines, recipes
from backoffice.erp import models as t
from backoffice.erp.recipe_lines import Part, Work
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import at, item_id
from tests.functional.desk.conftest import every_row
from tests.integration.chain.conftest import Workshop

BY = {"by": "petra@werk.test", "role": "planner"}
TOP_LINE, LEG_LINE, BOARD_LINE = 1, 2, 3  # of the workshop's bills
ASSEMBLING, SAWING = 1, 2
PARTS = {TOP_LINE: ("TABLE", "TOP", 1), LEG_LINE: ("TABLE", "LEG", 4), BOARD_LINE: ("TOP", "BOARD", 2)}
OPERATIONS = {ASSEMBLING: ("TABLE", Work("ASSEMBLY", 1, 1800, 0, 3600)), SAWING: ("TOP", Work("SAW", 1, 600, 0, 1200))}


def set_part(workshop: Workshop, line: int, *skus: str, scrap: int = 0) -> None:
    """Set what may stand in for a component of the workshop's bills, and how much of it is lost."""
    item, component, quantity = PARTS.get(line, ("TABLE", "TOP", 1))

    def work(session):
        part = Part(component, quantity, 1, scrap, skus)
        return recipe_lines.set_part(session, item_id(session, item), line, part, **BY, now=workshop.now)

    workshop.db.run(work)


def set_work(workshop: Workshop, operation: int, *codes: str) -> None:
    """Set which work centres may do an operation of the workshop's instead."""
    item, work = OPERATIONS[operation]

    def write(session):
        return recipe_lines.set_work(
            session, item_id(session, item), operation, replace(work, alternates=codes), **BY, now=workshop.now
        )

    workshop.db.run(write)


def set_pace(workshop: Workshop, centre: int, efficiency: int = 100, frozen: int = 0) -> None:
    workshop.db.run(lambda session: recipes.set_pace(session, centre, efficiency, frozen, **BY, now=workshop.now))


def change(workshop: Workshop, statement: sa.Update | sa.Delete) -> None:
    """Change master data past every check, as a broken import might."""

    def work(session):
        session.execute(statement)
        plan.bump(session, master=True)

    workshop.db.run(work)


def slots(workshop: Workshop) -> list[tuple[str, object, object]]:
    """Return (work centre, start, end) of what is planned."""
    with workshop.db.read() as session:
        rows = session.execute(
            sa.select(t.WorkCentre.code, t.OperationSlot.starts_at, t.OperationSlot.ends_at)
            .join(t.WorkCentre, t.WorkCentre.id == t.OperationSlot.work_centre_id)
            .order_by(t.OperationSlot.starts_at)
        )
        return [tuple(row) for row in rows]


def pegged(workshop: Workshop) -> dict[str, int]:
    """Return what promises stand on, by item."""
    with workshop.db.read() as session:
        rows = session.execute(
            sa.select(t.Item.sku, sa.func.sum(t.Peg.quantity)).join(t.Item, t.Item.id == t.Peg.item_id).group_by(t.Item.sku)
        )
        return {sku: int(quantity) for sku, quantity in rows}


def test_what_stands_in_is_taken_for_the_whole_need_and_used_up(workshop: Workshop) -> None:
    # four tables take 16 legs; 12 are here and nobody sells them any more: all 16 are boards, none is a leg
    change(workshop, sa.delete(t.SupplierItem).where(t.SupplierItem.item_id == 6))
    with pytest.raises(Refused):
        workshop.day("TABLE", 4)
    set_part(workshop, LEG_LINE, "BOARD")
    order = workshop.buy(TABLE=4)
    assert pegged(workshop) == {"TABLE": 4, "TOP": 4, "BOARD": 24}  # 8 for the tops, 16 instead of legs
    assert workshop.day("TABLE", 3)  # legs again
    assert order.number


def test_a_work_centre_that_stands_in(workshop: Workshop) -> None:
    def close(session):
        never = t.Calendar(code="never", name="Never", timezone="Europe/Berlin")
        night = t.Calendar(code="night", name="Night", timezone="Europe/Berlin")
        session.add_all([never, night])
        session.flush()
        for weekday in range(7):
            session.add(t.CalendarShift(calendar_id=night.id, weekday=weekday, starts_minute=1320, ends_minute=1440))
        session.execute(sa.update(t.WorkCentre).values(calendar_id=never.id))
        session.add(t.WorkCentre(code="NIGHT", name="Night", calendar_id=night.id, efficiency_percent=200))
        session.flush()
        plan.bump(session, master=True)

    workshop.db.run(close)
    with pytest.raises(Refused):
        workshop.day("TABLE")
    set_work(workshop, SAWING, "ASSEMBLY", "NIGHT")
    set_work(workshop, ASSEMBLING, "NIGHT")
    workshop.shop.carts.add(None, "TABLE", 1, postcode=None, now=workshop.now)
    # sawing 30 minutes, assembling 90, both at twice the pace
    assert slots(workshop) == [("NIGHT", at(24, 22), at(24, 22, 15)), ("NIGHT", at(24, 22, 15), at(24, 23))]


def test_work_pushed_on_takes_as_long_as_where_it_is_done(workshop: Workshop) -> None:
    workshop.db.run(lambda session: session.add(t.WorkCentre(code="SLOW", name="Slow", calendar_id=1, efficiency_percent=50)))
    set_work(workshop, SAWING, "SLOW")

    def for_stock(session):
        start, end = at(24, 10), at(24, 11)
        order = t.ProductionOrder(number="MO-S", item_id=item_id(session, "TOP"), quantity=1, starts_at=start, ready_at=end)
        session.add(order)
        session.flush()
        slow = session.scalars(sa.select(t.WorkCentre.id).where(t.WorkCentre.code == "SLOW")).one()
        slot = {"work_centre_id": slow, "position": 0, "lane": 0, "starts_at": start, "ends_at": end}
        session.add(t.OperationSlot(production_order_id=order.id, **slot))
        return slow

    slow = workshop.db.run(for_stock)
    workshop.do(production.stop, slow, at(24, 9), at(24, 12), reason="repair")
    assert slots(workshop) == [("SLOW", at(24, 12), at(24, 13))]  # 30 minutes at half the pace


def test_scrap_pace_and_frozen_days(workshop: Workshop) -> None:
    set_part(workshop, BOARD_LINE, scrap=200)
    set_pace(workshop, 1, efficiency=50)
    set_pace(workshop, 2, frozen=2)
    workshop.shop.carts.add(None, "TABLE", 1, postcode=None, now=workshop.now)
    assert pegged(workshop)["BOARD"] == 3  # 2 / 0.8 = 2.5
    # the saw takes 60 minutes for 30; assembly begins nothing before Thursday's midnight: Thursday at six
    assert slots(workshop) == [("SAW", at(24, 9), at(24, 10)), ("ASSEMBLY", at(26, 6), at(26, 7, 30))]


@pytest.mark.parametrize(
    ("line", "skus", "scrap", "field"),
    [
        (BOARD_LINE, ["TABLE"], 0, "alternates"),  # a table is made of tops, a top would be made of tables
        (BOARD_LINE, ["TOP"], 0, "alternates"),
        (BOARD_LINE, ["BOARD"], 0, "alternates"),
        (BOARD_LINE, ["LEG", "LEG"], 0, "alternates"),
        (BOARD_LINE, ["NOTHING"], 0, "alternates"),
        (BOARD_LINE, [], 1000, "scrap"),
        (BOARD_LINE, [], -1, "scrap"),
    ],
)
def test_a_part_that_makes_no_sense_changes_nothing(
    workshop: Workshop, line: int, skus: list[str], scrap: int, field: str
) -> None:
    workshop.buy(TABLE=1)
    with workshop.db.read() as session:
        before = every_row(session)
    with pytest.raises(BadInput) as refused:
        set_part(workshop, line, *skus, scrap=scrap)
    assert list(refused.value.fields) == [field]
    with workshop.db.read() as session:
        assert every_row(session) == before
    assert workshop.day("TABLE")  # nor is anything left in memory
    with pytest.raises(NotFound):
        set_part(workshop, 99)


def test_work_that_makes_no_sense_changes_nothing(workshop: Workshop) -> None:
    for codes in (["SAW"], ["ASSEMBLY", "ASSEMBLY"], ["OVEN"]):
        with pytest.raises(BadInput):
            set_work(workshop, SAWING, *codes)
    for pace in ({"efficiency": 0}, {"frozen": -1}, {"frozen": 61}):
        with pytest.raises(BadInput):
            set_pace(workshop, 1, **pace)
    assert workshop.rows(t.OperationAlternate) == []
    assert [(one.efficiency_percent, one.frozen_days) for one in workshop.rows(t.WorkCentre)] == [(100, 0)] * 2


def test_broken_master_data_is_asked_about_and_never_dated_and_the_running_plan_stays(workshop: Workshop) -> None:
    workshop.buy(TABLE=1)
    planned = slots(workshop)
    broken = {
        "TABLE: is a part of itself: TABLE > TOP > TABLE": sa.update(t.BomLine)
        .where(t.BomLine.id == BOARD_LINE)
        .values(component_id=4),
        "TOP: is made, but has neither parts nor operations": sa.delete(t.BomLine).where(t.BomLine.id == BOARD_LINE),
    }
    for fault, statement in broken.items():
        change(workshop, statement)
        if "neither" in fault:
            change(workshop, sa.delete(t.RoutingOperation).where(t.RoutingOperation.id == SAWING))
        with workshop.db.read() as session:
            assert recipes.find_faults(session, now=workshop.now) == [fault]
        with pytest.raises(Refused) as refused:
            workshop.day("TABLE")
        assert refused.value.code == "not_available"
        assert "table" not in workshop.listed()
        assert workshop.day("STOOL") == date(2026, 11, 25)
        assert slots(workshop) == planned
    with pytest.raises(sa.exc.IntegrityError):
        change(workshop, sa.update(t.SupplierItem).values(lead_days=-1))
    with pytest.raises(sa.exc.IntegrityError):
        change(workshop, sa.update(t.WorkCentre).values(calendar_id=None))
    change(workshop, sa.delete(t.CalendarShift).where(t.CalendarShift.calendar_id == 1))
    with workshop.db.read() as session:
        faults = recipes.find_faults(session, now=workshop.now)
        assert faults[-2:] == ["Saw: its calendar never opens", "Assembly: its calendar never opens"]
        assert factory.load(session, now=workshop.now).names
