"""Days on which a calendar or one work centre works other hours: who it touches is re-dated, nobody else; and back again."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import OrderLine
from backoffice.erp import load, plan, working_days
from backoffice.erp import models as t
from backoffice.erp.working_days import Change
from backoffice.public.errors import BadInput, NotFound
from tests.functional.desk.conftest import every_row

BY = {"by": "petra@werk.test", "role": "planner"}
TUE, WED, THU, FRI, SAT = (date(2026, 11, day) for day in (24, 25, 26, 27, 28))
PLANT, CARRIER, OFFICE = 1, 2, 3  # calendars
SAW, ASSEMBLY = 1, 2  # work centres, both on the plant's calendar
CLOSED = Change("closed")


def set_day(workshop, calendar: int, on: date, change: Change, centre: int | None = None) -> None:
    workshop.db.run(
        lambda session: working_days.set_day(
            session, calendar, on, change, centre_id=centre, reason="fair", **BY, now=workshop.now
        )
    )


def take_back(workshop, calendar: int, on: date, centre: int | None = None) -> None:
    workshop.db.run(lambda session: working_days.take_back(session, calendar, on, centre_id=centre, **BY, now=workshop.now))


def expected(workshop) -> list[date]:
    """Return the expected day of each line, in the order of their buying."""
    return [line.expected_on for line in workshop.rows(OrderLine)]


def letters(workshop) -> list[str]:
    """Return the orders whose customers were told of another day."""
    return [one.payload["number"] for one in workshop.rows(OutboxMessage, kind="day_moved")]


@pytest.mark.parametrize(
    ("change", "usual", "then"),
    [
        (CLOSED, [(360, 840)], []),
        (Change("extra", 840, 1320), [(360, 840)], [(360, 1320)]),
        (Change("extra", 900, 1320), [(360, 840)], [(360, 840), (900, 1320)]),
        (Change("extra", 480, 720), [], [(480, 720)]),
        (Change("fewer", 600, 1440), [(360, 840), (900, 1320)], [(360, 600)]),
        (Change("fewer", 400, 500), [(360, 840)], [(360, 400), (500, 840)]),
    ],
)
def test_what_a_change_makes_of_a_day(change: Change, usual: list[tuple[int, int]], then: list[tuple[int, int]]) -> None:
    assert change.over(usual) == then


def test_a_closed_plant_redates_what_is_made_and_what_lies_there_in_one_letter_each_and_nobody_else(workshop):
    both, stool = workshop.buy(TABLE=1, STOOL=1), workshop.buy(STOOL=1)
    workshop.buy(LAMP=1)  # comes on Friday
    assert expected(workshop) == [WED, WED, WED, date(2026, 11, 30)]
    pegs = [(peg.item_id, peg.id) for peg in workshop.rows(t.Peg) if peg.reservation_id > 1]
    set_day(workshop, PLANT, TUE, CLOSED)  # today: saw, assembly and the warehouse
    assert expected(workshop) == [THU, THU, THU, date(2026, 11, 30)]
    assert sorted(letters(workshop)) == sorted([both.number, stool.number])
    assert [
        (peg.item_id, peg.id) for peg in workshop.rows(t.Peg) if peg.reservation_id > 1 and (peg.item_id, peg.id) in pegs
    ] == pegs
    assert {line.moved_cause["code"] for line in workshop.rows(OrderLine) if line.moved_cause} == {"fewer_hours"}
    take_back(workshop, PLANT, TUE)
    assert expected(workshop) == [WED, WED, WED, date(2026, 11, 30)]
    assert workshop.rows(t.CalendarException) == []


def test_a_closed_carrier_redates_parcels_but_plans_nothing_anew(workshop):
    workshop.buy(TABLE=1)
    workshop.buy(STOOL=1)
    before = workshop.rows(t.OperationSlot)
    set_day(workshop, CARRIER, WED, CLOSED)
    assert expected(workshop) == [THU, THU]
    assert [(one.id, one.starts_at) for one in workshop.rows(t.OperationSlot)] == [(one.id, one.starts_at) for one in before]
    set_day(workshop, CARRIER, FRI, CLOSED)  # nothing waits over Friday
    assert len(letters(workshop)) == 2


def test_one_work_centre_has_hours_of_its_own(workshop):
    workshop.buy(TABLE=1)
    workshop.buy(STOOL=1)
    for day in (TUE, WED, THU, FRI):
        set_day(workshop, PLANT, day, CLOSED, ASSEMBLY)
    assert expected(workshop) == [date(2026, 12, 1), WED]  # assembled on Monday; the warehouse works
    set_day(workshop, PLANT, FRI, Change("extra", 480, 720), ASSEMBLY)
    assert expected(workshop) == [date(2026, 11, 30), WED]  # Friday, 8 to 12: it is late, so it is tried
    with workshop.db.read() as session:
        found = load.find_load(session, TUE, weeks=2, now=workshop.now)
    open_on = {one.centre.code: [part.open for part in one.parts[:4]] for one in found}
    assert open_on == {"SAW": [480] * 4, "ASSEMBLY": [0, 0, 0, 240]}


def test_a_suppliers_closed_day_redates_what_is_not_ordered_yet(workshop):
    def own_calendar(session):
        calendar = t.Calendar(code="legs", name="Holz & Co", timezone="Europe/Berlin")
        session.add(calendar)
        session.flush()
        for weekday in range(5):
            session.add(t.CalendarShift(calendar_id=calendar.id, weekday=weekday, starts_minute=480, ends_minute=960))
        session.get_one(t.Supplier, 1).calendar_id = calendar.id
        plan.bump(session, master=True)
        return calendar.id

    calendar = workshop.db.run(own_calendar)
    workshop.buy(TABLE=4)  # four legs are missing: five of the supplier's days from Tuesday
    assert expected(workshop) == [date(2026, 12, 2)]
    set_day(workshop, calendar, date(2026, 12, 7), CLOSED)  # after they have come
    assert letters(workshop) == []
    set_day(workshop, calendar, THU, CLOSED)
    assert expected(workshop) == [date(2026, 12, 3)]
    take_back(workshop, calendar, THU)
    assert expected(workshop) == [date(2026, 12, 2)]


@pytest.mark.parametrize(
    ("calendar", "on", "change", "centre", "error", "field"),
    [
        (PLANT, SAT, CLOSED, None, BadInput, {"on_day": "closed_then"}),
        (PLANT, WED, Change("extra", 400, 500), None, BadInput, {"on_day": "open_then"}),
        (PLANT, WED, Change("fewer", 900, 1000), SAW, BadInput, {"on_day": "closed_then"}),
        (PLANT, WED, Change("extra", 900, 900), None, BadInput, {"ends": "not_after"}),
        (PLANT, date(2026, 11, 23), CLOSED, None, BadInput, {"on_day": "past_date"}),
        (PLANT, date(2036, 11, 24), CLOSED, None, BadInput, {"on_day": "bad_date"}),
        (99, WED, CLOSED, None, NotFound, {}),
        (OFFICE, WED, CLOSED, SAW, NotFound, {}),
    ],
)
def test_what_makes_no_sense_changes_nothing(workshop, calendar, on, change, centre, error, field):
    workshop.buy(TABLE=1)
    with workshop.db.read() as session:
        before = every_row(session)
    with pytest.raises(error) as refused:
        set_day(workshop, calendar, on, change, centre)
    assert getattr(refused.value, "fields", {}) == field
    with pytest.raises(NotFound):
        take_back(workshop, PLANT, SAT)
    with workshop.db.read() as session:
        assert every_row(session) == before
