"""Working calendars at the planning desk: seen, changed after a look at what moves, taken back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backoffice.audit import AuditEntry
from backoffice.erp.models import CalendarException, WorkCentreException
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
PLANT = "/desk/planning/calendars/1"
FORM = {"whose": "", "on_day": "2026-11-24", "kind": "closed", "starts": "", "ends": "", "reason": "Strike", "key": "a"}


def test_a_planner_sees_the_calendars_closes_a_day_after_looking_and_takes_it_back(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, number = at_desk("Petra"), workshop.buy(TABLE=1).number
    page = petra.get("/desk/planning/calendars")
    for words in ("Mon–Fri 06:00–14:00", "Assembly, Saw, Warehouse Main", "Carrier Parcel Post", "Office", "Fri 25 Dec: "):
        assert words in page
    assert "Closed on the holidays of DE-BE." in petra.get(PLANT)
    page = petra.look(PLANT, **FORM)
    assert "1 promise would move" in page
    assert "Plant, Tue 24 Nov: closed. Nothing is saved yet." in page
    assert f'href="{PLANT}"' in page
    assert workshop.rows(CalendarException) == []
    page = petra.confirm(PLANT, **FORM)
    assert f"Saved. New days, told to their customers: {number}, Table: Thu 26 Nov instead of Wed 25 Nov." in page
    assert "Strike" in page
    page = petra.confirm(f"{PLANT}/take-back", whose="", on_day="2026-11-24")
    assert f"Taken back. New days, told to their customers: {number}, Table: Wed 25 Nov instead of Thu 26 Nov." in page
    assert [(one.action, one.subject) for one in workshop.rows(AuditEntry)] == [("calendar.day", "calendar:1")] * 2


def test_an_extra_shift_of_one_work_centre_until_midnight(at_desk: AtDesk, workshop: Workshop) -> None:
    extra = {"whose": "2", "kind": "extra", "on_day": "2026-11-28", "starts": "16:00", "ends": "00:00"}
    page = at_desk("Petra").send(PLANT, **FORM | extra)
    assert [(one.work_centre_id, one.intervals) for one in workshop.rows(WorkCentreException)] == [(2, [[960, 1440]])]
    assert "16:00–24:00" in page


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"on_day": "2026-11-28"}, 422, "It is closed then anyway."),
        ({"on_day": "soon"}, 422, "Choose a day"),
        ({"on_day": "2026-11-23"}, 422, "Choose today or later."),
        ({"kind": "half"}, 422, "Choose one of the list."),
        ({"kind": "extra", "starts": "late", "ends": "20:00"}, 422, "Write a time like 14:00."),
        ({"kind": "extra", "starts": "20:00", "ends": "15:00"}, 422, "Choose a time after the first one."),
        ({"kind": "extra", "starts": "08:00", "ends": "09:00"}, 422, "It is open then anyway."),
        ({"whose": "77"}, 404, "There is no such work centre."),
    ],
)
def test_what_makes_no_sense_is_said_at_its_field_and_loses_no_text(
    at_desk: AtDesk, workshop: Workshop, changes: dict[str, str], status: int, words: str
) -> None:
    page = at_desk("Petra").refused(PLANT, status, **FORM | changes)
    assert words in page
    assert 'value="Strike"' in page
    assert (workshop.rows(CalendarException), workshop.rows(WorkCentreException)) == ([], [])


def test_only_planners_see_them(at_desk: AtDesk) -> None:
    assert at_desk("Wim").client.get(PLANT).status_code == 403
    assert at_desk("Petra").client.get("/desk/planning/calendars/99").status_code == 404
