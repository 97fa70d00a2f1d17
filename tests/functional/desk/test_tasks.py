"""Tasks at the desks: written down, done, asked of planning; each desk sees its own, and what was typed is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from backoffice.crm.models import Lead, Task
from tests.conftest import FixedClock
from tests.forgetting import forget
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop
from tests.statements import count

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]
LEAD = "/desk/sales/leads/1"
NEW = {"title": "Send <samples>", "due_on": "2026-11-25", "for": "sales"}


def open_form(colleague: Colleague, page: str = "/desk/tasks") -> dict[str, str]:
    """Return the key of the form of a new task on a page."""
    form = colleague.get(page).split('action="/desk/tasks"', 1)[1]
    return {"key": form.split('name="key" value="', 1)[1].split('"', 1)[0]}


def test_a_task_goes_to_a_desk_and_whoever_is_first_does_it(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, bea, wim = at_desk("Petra"), at_desk("Bea"), at_desk("Wim")
    form = NEW | open_form(petra)
    assert "Written down." in petra.send("/desk/tasks", **form)
    petra.send("/desk/tasks", **form)  # the same form once more
    assert [one.title for one in workshop.rows(Task)] == ["Send <samples>"]
    assert "Send &lt;samples&gt;" in bea.client.get("/desk/tasks").get_data(as_text=True)
    assert "Send <samples>" not in petra.get("/desk/tasks")
    assert "Send <samples>" not in wim.get("/desk/tasks")
    assert wim.post("/desk/tasks/1/done").status_code == 404
    assert workshop.rows(Task)[0].state == "open"
    assert "Done." in bea.send("/desk/tasks/1/done")
    assert "Send <samples>" in at_desk("Carl").get("/desk/tasks?which=ended")
    assert (workshop.rows(Task)[0].state, workshop.rows(Task)[0].ended_by) == ("done", "Bea")


def test_a_wrong_task_keeps_what_was_typed(at_desk: AtDesk, workshop: Workshop) -> None:
    bea = at_desk("Bea")
    page = bea.refused("/desk/tasks", 422, **NEW | {"due_on": "2026-11-23", "title": "Call <them>"})
    assert "Call <them>" in page
    assert "Choose today or later." in page
    assert workshop.rows(Task) == []
    bea.refused("/desk/tasks", 422, **NEW | {"for": "99"})
    bea.refused("/desk/tasks", 422, **NEW | {"title": ""})
    assert workshop.rows(Task) == []


def test_a_task_about_an_enquiry_goes_back_to_it(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    page = bea.send("/desk/tasks", **NEW | open_form(bea, LEAD) | {"lead": "1"})
    assert "Send <samples>" in page
    assert "Anna Kowalska" in page
    assert workshop.rows(Task)[0].lead_id == 1
    assert "Done." in bea.send("/desk/tasks/1/done", lead="1")


def test_sales_asks_planning_and_planning_says_why_not(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask(kind="quote_request", sku="TABLE", quantity="40", needed_by_on="2026-11-26")
    bea, petra = at_desk("Bea"), at_desk("Petra")
    assert "Ask planning for their day" in bea.get(LEAD)
    assert petra.post("/desk/tasks/ask/1").status_code == 404
    assert workshop.rows(Task) == []
    assert "Planning is asked" in bea.send("/desk/tasks/ask/1")
    assert "Ask planning for their day" not in bea.get(LEAD)
    page = petra.get("/desk/planning")
    assert "1 customer needs an earlier day" in page
    assert "40 × Table" in page
    page = petra.refused("/desk/tasks/1/decline", 422, answer=" ")
    assert 'id="answer-1-wrong"' in page
    assert workshop.rows(Task)[0].state == "open"
    assert "Sales is told" in petra.send("/desk/tasks/1/decline", answer="Legs come on 3 December.")
    page = bea.get(LEAD)
    assert "Legs come on 3 December." in page
    assert "Not possible by their day" in page
    assert "Ask planning for their day" in page  # it may be asked again


def test_a_thousand_tasks_cost_as_many_statements_as_ten(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    bea = at_desk("Bea")

    def add(rows: int, first: int) -> None:
        named: dict[str, Any] = {"desk": "sales", "kind": "to_do", "due_on": clock().date(), "created_at": clock()}
        workshop.db.run(lambda session: session.add_all(Task(title=f"T{first + n}", **named) for n in range(rows)))

    add(10, 0)
    few = count(workshop.db, lambda: bea.get("/desk/tasks"))
    add(990, 10)
    assert count(workshop.db, lambda: bea.get("/desk/tasks")) == few
    page = bea.get("/desk/tasks")
    assert (page.count("<tr>"), "1 to 50 of 1000" in page) == (51, True)


def test_an_enquiry_of_someone_forgotten_leaves_no_words_in_its_tasks(workshop: Workshop, ask: Ask, at_desk: AtDesk) -> None:
    ask()
    bea = at_desk("Bea")
    bea.send("/desk/tasks", **NEW | open_form(bea, LEAD) | {"lead": "1", "title": "Ring Anna Kowalska"})
    forget(workshop.db, 1, now=workshop.now)
    [task] = workshop.rows(Task)
    assert (task.title, task.answer, task.lead_id) == ("", "", 1)
