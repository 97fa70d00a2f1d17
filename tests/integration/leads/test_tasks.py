"""Tasks: asked of planning where a day is refused, done by the plan itself, declined, dropped; and what somebody writes down."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from backoffice.crm import follow_ups, leads, tasks
from backoffice.crm.models import Activity, Lead, Task
from backoffice.db import Database
from backoffice.erp import production
from backoffice.erp.models import WorkCentre, WorkCentreStop
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import at
from tests.conftest import NOW
from tests.integration.leads.conftest import FORM, Person

EVENING = at(24, 17)  # the office closes
BEA = Person(1, "Bea")
WISH = replace(FORM, kind="refused_day", sku="TABLE", quantity="1", needed_by_on="2026-11-27", message="")


def stand_still(db: Database, until_day: int) -> None:
    """Let Assembly stand still from now until a day of November, 09:00: one table takes 90 minutes there."""

    def work(session: Session) -> None:
        centre = session.query(WorkCentre).filter_by(code="ASSEMBLY").one()
        production.stop(session, centre.id, NOW, NOW + timedelta(days=until_day - 24), reason="oil", actor="Pat", now=NOW)

    db.run(work)


def ask(db: Database, **changes: Any) -> Lead:
    return db.run(lambda session: leads.submit(session, replace(WISH, **changes), now=NOW))


def rows(db: Database, model: Any) -> list[Any]:
    with db.read() as session:
        return list(session.query(model).order_by(model.id))


def kinds(db: Database) -> list[str]:
    return [one.kind for one in rows(db, Activity)]


def test_a_refused_day_asks_planning_and_is_done_as_soon_as_the_plan_allows_it(shop: Database) -> None:
    stand_still(shop, 27)  # Friday 27 Nov, 09:00: made by 10:30, on its way that day, there on Monday the 30th
    lead = ask(shop)
    [task] = rows(shop, Task)
    assert (task.kind, task.desk, task.lead_id, task.state, task.due_on) == (
        "earlier_day", "planning", lead.id, "open", date(2026, 11, 24),
    )  # fmt: skip
    shop.run(lambda session: leads.take(session, lead.id, staff_id=1, version=1, now=NOW))
    assert tasks.watch(shop, now=NOW) == 0
    [task] = rows(shop, Task)
    assert (task.state, task.plan_version is not None) == ("open", True)
    [stop] = [one.id for one in rows(shop, WorkCentreStop)]
    shop.run(lambda session: production.end_stop(session, stop, actor="Pat", now=NOW))
    assert tasks.watch(shop, now=NOW) == 1
    [task], [lead] = rows(shop, Task), rows(shop, Lead)
    assert (task.state, task.outcome, task.ended_at, task.ended_by) == ("done", "possible", NOW, "")
    assert (lead.state, lead.owner_id, lead.follow_up_at, lead.version) == ("working", 1, EVENING, 3)
    assert kinds(shop) == ["message", "day_asked", "took", "day_freed"]
    assert rows(shop, Activity)[-1].values == {"on": "2026-11-25"}
    assert tasks.watch(shop, now=NOW) == 0


def test_a_plan_that_has_not_moved_is_not_asked_again(embedded_shop: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_still(embedded_shop, 27)
    ask(embedded_shop)
    asked: list[str] = []
    real = tasks.possible_days.find_day

    def find_day(session: Session, item: Any, *args: Any, **named: Any) -> date | None:
        asked.append(item.sku)
        return real(session, item, *args, **named)

    monkeypatch.setattr(tasks.possible_days, "find_day", find_day)
    assert [tasks.watch(embedded_shop, now=NOW) for _ in range(3)] == [0, 0, 0]
    assert asked == ["TABLE"]
    ask(embedded_shop, key="page-2", quantity="2")  # another wish, in the same enquiry: it is looked at anew
    tasks.watch(embedded_shop, now=NOW)
    assert (asked, len(rows(embedded_shop, Lead)), len(rows(embedded_shop, Task))) == (["TABLE", "TABLE"], 1, 1)


def test_planning_declines_and_sales_is_told_once(shop: Database) -> None:
    stand_still(shop, 27)
    lead = ask(shop)
    shop.run(lambda session: leads.take(session, lead.id, staff_id=1, version=1, now=NOW))

    def decline(words: str, role: str = "planner") -> Task:
        return shop.run(lambda session: tasks.decline(session, 1, words, by="Pat", role=role, now=NOW))

    with pytest.raises(NotFound):
        decline("No", role="sales")
    with pytest.raises(BadInput):
        decline("  ")
    assert (rows(shop, Task)[0].state, kinds(shop)) == ("open", ["message", "day_asked", "took"])
    decline("The saw is in repair until Friday.")
    decline("The saw is in repair until Friday.")
    [task], [lead] = rows(shop, Task), rows(shop, Lead)
    assert (task.outcome, task.answer, task.ended_by) == ("impossible", "The saw is in repair until Friday.", "Pat")
    assert kinds(shop) == ["message", "day_asked", "took", "day_refused"]
    assert (lead.follow_up_at, lead.version) == (EVENING, 3)
    with pytest.raises(Refused):
        decline("Another reason")
    shop.run(lambda session: tasks.ask_for_day(session, session.get_one(Lead, lead.id), by="Bea", now=NOW))
    assert [(one.state, one.asked_by) for one in rows(shop, Task)] == [("done", ""), ("open", "Bea")]


@pytest.mark.parametrize("how", ["lost", "past"])
def test_a_day_that_nobody_needs_any_more_is_dropped(embedded_shop: Database, how: str) -> None:
    stand_still(embedded_shop, 27)
    lead, later = ask(embedded_shop), NOW
    if how == "lost":
        embedded_shop.run(lambda session: follow_ups.lose(session, lead.id, "Elsewhere", staff=BEA, version=1, now=NOW))
    else:
        later = NOW + timedelta(days=4)  # Saturday the 28th
    before = rows(embedded_shop, Lead)[0].version
    assert tasks.watch(embedded_shop, now=later) == 1
    assert (rows(embedded_shop, Task)[0].state, rows(embedded_shop, Lead)[0].version) == ("dropped", before)
    assert "day_refused" not in kinds(embedded_shop)


def test_a_doubtful_message_reaches_planning_only_once_it_is_found_real(embedded_shop: Database) -> None:
    lead = embedded_shop.run(lambda session: leads.submit(session, WISH, doubtful=True, now=NOW))
    assert rows(embedded_shop, Task) == []
    embedded_shop.run(lambda session: leads.release(session, lead.id, staff=BEA, version=1, now=NOW))
    assert len(rows(embedded_shop, Task)) == 1


@pytest.mark.parametrize(("changes", "wrong"), [({"sku": ""}, "sku"), ({"needed_by_on": ""}, "needed_by_on")])
def test_what_does_not_say_what_or_by_when_cannot_be_asked(embedded_shop: Database, changes: dict[str, str], wrong: str) -> None:
    lead = ask(embedded_shop, **{"kind": "quote_request", "message": "Soon, please"} | changes)
    with pytest.raises(BadInput) as caught:
        embedded_shop.run(lambda session: tasks.ask_for_day(session, session.get_one(Lead, lead.id), now=NOW))
    assert (caught.value.fields, rows(embedded_shop, Task)) == ({wrong: "missing"}, [])


GOOD: dict[str, Any] = {"title": " Send  samples ", "due_on": date(2026, 11, 24), "desk": "sales", "owner_id": 2, "lead_id": None}


def write(db: Database, **changes: Any) -> Task:
    named = GOOD | changes
    return db.run(lambda session: tasks.add(session, named.pop("title"), named.pop("due_on"), **named, by="Bea", now=NOW))


def test_a_task_is_written_down_and_done_once(shop: Database) -> None:
    task = write(shop)
    assert (task.title, task.owner_id, task.state, task.asked_by) == ("Send samples", 2, "open", "Bea")

    def finish(role: str = "sales") -> Task:
        return shop.run(lambda session: tasks.finish(session, task.id, by="Carl", role=role, now=NOW))

    with pytest.raises(NotFound):
        finish("warehouse")
    assert rows(shop, Task)[0].state == "open"
    finish()
    assert finish().ended_by == "Carl"


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"title": " "}, "title", "missing"),
        ({"title": "x" * 201}, "title", "too_long"),
        ({"due_on": date(2026, 11, 23)}, "due_on", "past_date"),
        ({"due_on": date(2030, 1, 1)}, "due_on", "bad_date"),
        ({"desk": "kitchen", "owner_id": None}, "desk", "bad_choice"),
        ({"owner_id": 99}, "owner", "bad_choice"),
        ({"desk": "warehouse"}, "owner", "bad_choice"),  # Carl is of sales
    ],
)
def test_a_wrong_task_is_refused_by_its_field(embedded_shop: Database, changes: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(BadInput) as caught:
        write(embedded_shop, **changes)
    assert (caught.value.fields, rows(embedded_shop, Task)) == ({field: code}, [])


def test_every_end_of_a_task_can_be_reached() -> None:
    reached = {after for moves in tasks.TRANSITIONS.values() for after in moves.values()}
    assert reached == {"done", "dropped"}
    assert all(set(moves) == {"open"} for moves in tasks.TRANSITIONS.values())
