"""The lanes: every operation where its hours are, late ones with a sign, a thousand of them by pages, picture and table alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.desk import lanes
from backoffice.erp import decisions, schedule
from backoffice.erp.models import Item, OperationSlot, ProductionOrder
from tests.company import at, item_id
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop
from tests.statements import sent

AtDesk = Callable[[str], Colleague]
PATH = "/desk/planning/lanes"


def past_the_log(table: type[ProductionOrder | OperationSlot]) -> sa.Insert:
    """Return an insert of many rows at once, which the plan's log does not see."""
    return sa.insert(table).execution_options(**decisions.NOTED)


def test_what_runs_when_on_both_databases(shop: Workshop, now: datetime) -> None:
    """The saw has the top from 09:00, 10 + 20 minutes; then assembly the table, 30 + 60."""
    number = shop.buy(TABLE=1).number
    shop.cart(TABLE=1)  # held: saw 09:30, assembly 11:00

    def runs(low: datetime, high: datetime, **more: int) -> list[tuple[int, str, str, bool, datetime]]:
        with shop.db.read() as session:
            found = schedule.find_schedule(session, low, high, now=now, **more)
        assert found.total == len(found.runs)
        return [(one.slot.work_centre_id, one.order_ref, one.order.state, one.late, one.slot.ends_at) for one in found.runs]

    saw, table = (1, number, "planned", False, at(24, 9, 30)), (2, number, "planned", False, at(24, 11))
    held = [(1, "", "held", False, at(24, 10)), (2, "", "held", False, at(24, 12, 30))]
    assert runs(at(24), at(25)) == [saw, table, held[0], held[1]]
    assert runs(at(24), at(25), centre_id=2) == [table, held[1]]
    assert runs(at(24, 9, 30), at(24, 11)) == [table, held[0]]  # what only touches the edge is outside
    assert runs(at(25), at(26)) == []
    shop.now = now + timedelta(minutes=20)
    with shop.db.read() as session:
        later = schedule.find_schedule(session, at(24), at(25), now=shop.now)
    assert [one.order_ref for one in later.runs] == [number, number]


def test_lanes_are_open_by_the_calendar_and_hold_what_other_pages_have(shop: Workshop, now: datetime) -> None:
    shop.db.run(lambda session: session.execute(past_the_log(ProductionOrder), many_orders(item_id(session, "TOP"), now)))
    shop.db.run(lambda session: session.execute(past_the_log(OperationSlot), many_slots()))
    shop.db.run(lambda session: decisions.correct(session, now=now))
    with shop.db.read() as session:
        first = schedule.find_schedule(session, at(24), at(25), now=now)
        last = schedule.find_schedule(session, at(24), at(25), page=10, now=now)
    assert (first.total, len(first.runs), len(last.runs)) == (1000, 100, 100)
    assert not {one.slot.id for one in first.runs} & {one.slot.id for one in last.runs}
    assembly, saw = first.lanes
    assert (saw.centre.code, saw.count, saw.open) == ("SAW", 1, [(at(24, 6), at(24, 14))])
    # a thousand operations of 18 seconds from 06:00: the first hundred fill half an hour
    assert saw.others == {0: [(at(24, 6, 30), at(24, 11))]}
    assert assembly.others == {}


def many_orders(top: int, now: datetime) -> list[dict[str, object]]:
    """Return a thousand production orders for stock."""
    times = {"starts_at": now, "ready_at": now + timedelta(days=1)}
    return [{"id": n, "number": f"MO-T{n:04}", "item_id": top, "quantity": 1} | times for n in range(1, 1001)]


def many_slots() -> list[dict[str, object]]:
    """Return an operation of each, one after the other at the saw on Tuesday from 06:00, 18 seconds long."""
    start, step = at(24, 6), timedelta(seconds=18)
    return [
        {
            "production_order_id": n,
            "work_centre_id": 1,
            "position": 0,
            "lane": 0,
            "starts_at": start + step * (n - 1),
            "ends_at": start + step * n,
        }
        for n in range(1, 1001)
    ]


@pytest.fixture
def berlin(site: Flask) -> Flask:
    """The site, for what draws on the company's clocks."""
    return site


def test_an_axis_gives_every_open_hour_its_place(berlin: Flask) -> None:
    day = lanes.Axis(date(2026, 11, 24), 360, 840, [0.0, 1000.0])  # 06:00 to 14:00 on the whole width
    week = lanes.Axis(date(2026, 11, 27), 360, 840, [0.0, 400.0, 500.0, 600.0, 1000.0])  # Friday to Monday
    with berlin.test_request_context():
        assert [day.x(one) for one in (at(24, 6), at(24, 9), at(24, 9, 30), at(24, 14))] == [0, 375, 437.5, 1000]
        assert [day.x(one) for one in (at(23, 9), at(24, 3), at(24, 22), at(25, 9))] == [0, 0, 1000, 1000]
        assert [week.x(one) for one in (at(27, 10), at(27, 20), at(28, 10), at(30, 10))] == [200, 400, 450, 800]
    assert day.hours()[:2] == [(0, "06:00"), (125, "07:00")]
    assert week.hours() == []
    assert [(x, fits) for x, _, fits in week.named()] == [(0, True), (400, True), (500, True), (600, True)]


def test_picture_and_table_say_the_same_and_lead_on(at_desk: AtDesk, workshop: Workshop) -> None:
    number = workshop.buy(TABLE=1).number
    petra = at_desk("Petra")
    page = petra.get(f"{PATH}?zoom=day&from=2026-11-24")
    drawn = re.findall(r"<title>([^<]*×[^<]*)</title>\s*<rect x=\"([\d.]+)\" y=\"1\" width=\"([\d.]+)\"", page)
    assert drawn == [
        (f"{number}: 1 × Table, Tue 24 Nov, 09:30 – 11:00", "437.5", "187.5"),  # 06:00 to 14:00 is 1,000 wide
        (f"{number}: 1 × Top, Tue 24 Nov, 09:00 – 09:30", "375.0", "62.5"),
    ]
    rows = re.findall(r'<th scope="row">([^<]+)</th>', page)
    assert rows == ["Tue 24 Nov, 09:00 – 09:30", "Tue 24 Nov, 09:30 – 11:00"]
    for to in ("zoom=day", "from=2026-11-25", "from=2026-11-23"):
        assert to in page
    week = petra.get(f"{PATH}?from=2026-11-24&centre=1")
    assert (week.count("<tr>"), "Tue 24 Nov to Mon 30 Nov" in week) == (1 + 1, True)
    assert "Nothing runs then" in petra.get(f"{PATH}?from=2027-03-01")


def test_what_is_late_has_a_sign_and_a_word(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    workshop.buy(TABLE=1)
    petra = at_desk("Petra")
    assert 'class="sign' not in petra.get(PATH)
    clock.advance(hours=3)  # 12:00: both operations should be done
    page = petra.get(PATH)
    assert (page.count('class="sign'), page.count("should be done"), page.count(" – late</title>")) == (2, 2, 2)
    clock.advance(hours=-3)
    petra.confirm("/desk/planning/stops", work_centre="2", starts_at="2026-11-24T09:00", hours="48", reason="", key="a")
    page = petra.get(f"{PATH}?zoom=day&from=2026-11-26")
    # stopped until Thu 26 Nov 09:00: then assembly, promised Wed 25, now Fri 27
    assert "now Fri 27 Nov" in page
    assert page.count('class="sign') == 1
    assert "<title>stopped</title>" in page


@pytest.mark.parametrize(
    "nonsense", ["from=soon&zoom=year&centre=x&page=-1", "from=1999-01-01", "centre=99", "page=900", "from=2200-12-31"]
)
def test_a_senseless_address_shows_a_page(at_desk: AtDesk, nonsense: str) -> None:
    assert "Lanes" in at_desk("Petra").get(f"{PATH}?{nonsense}")


def test_a_thousand_operations_ask_no_more_than_ten(site: Flask, at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    petra, few = at_desk("Petra"), {}
    paths = [f"{PATH}?from=2026-11-24", f"{PATH}?zoom=day&page=10", "/desk/planning/load/1?page=20", "/desk/planning/load"]
    orders, slots = many_orders(workshop.rows(Item, sku="TOP")[0].id, clock()), many_slots()
    for part in (slice(0, 10), slice(10, None)):
        workshop.db.run(lambda session, part=part: session.execute(past_the_log(ProductionOrder), orders[part]))
        workshop.db.run(lambda session, part=part: session.execute(past_the_log(OperationSlot), slots[part]))
        workshop.db.run(lambda session: decisions.correct(session, now=clock()))
        for path in paths:
            with sent(site.extensions["shopfloor"].db) as statements:
                page = petra.get(path)
            few.setdefault(path, len(statements))
            assert (path, len(statements) <= few[path], len(page) < 400_000) == (path, True, True)
    assert "901 to 1000 of 1000" in petra.get(paths[1])
    assert "951 to 1000 of 1000" in petra.get(paths[2])
