"""Service at the desk: taken, answered and solved in one step, two at once, typed from the telephone, its part of a long list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Activity, MailTemplate, ServiceCase
from backoffice.public.cases import CaseForm
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
LIST = "/desk/sales/cases"
ONE = f"{LIST}/1"


@pytest.fixture
def asked(workshop: Workshop) -> tuple[str, str]:
    """An order's number, and the link of a question about its stool."""
    start = workshop.start(workshop.cart(STOOL=1))
    workshop.pay(start)
    form = CaseForm("form-1", "damaged", "A leg <is> broken.")
    return workshop.order(start).number, workshop.shop.cases.open(start.order_token, form, now=workshop.now)


def test_from_question_to_solved_in_one_step(asked: tuple[str, str], at_desk: AtDesk, workshop: Workshop) -> None:
    number, token = asked
    bea = at_desk("Bea")
    page = bea.get(LIST)
    assert "C-00001" in page
    assert "nobody yet" in page
    assert "High" in page
    assert "You have it now." in bea.send(f"{ONE}/take", version=1)
    assert "Note kept." in bea.send(f"{ONE}/note", version=2, note="Send a new leg.")
    page = bea.send(f"{ONE}/answer", version=3, answer="A new leg is on its way.", then="solved")
    assert "Your answer is on its way by mail." in page
    assert page.index("A new leg is on its way.") < page.index("Send a new leg.") < page.rindex("A leg <is> broken.")
    [case] = workshop.rows(ServiceCase)
    assert (case.state, case.owner_id, case.answered_in) == ("solved", 1, 0)
    [mail] = [one for one in workshop.rows(OutboxMessage, target="mail") if one.kind == "case_answer"]
    assert (mail.payload["solved"], mail.payload["base_url"]) == (True, "http://localhost")
    assert "C-00001" in bea.get(f"/desk/sales/orders/{number}")
    assert "C-00001" in bea.get(f"/desk/sales/customers/{case.party_id}")
    assert "C-00001" not in bea.get(LIST)
    assert "C-00001" in bea.get(f"{LIST}?state=solved&whose=mine&priority=high")
    assert "C-00001" not in bea.get(f"{LIST}?state=solved&whose=nobody")
    assert "It is open again, and yours." in bea.send(f"{ONE}/reopen", version=4)
    assert "Closed." in bea.send(f"{ONE}/close", version=5)
    assert workshop.shop.cases.get(token).summary.state == "closed"


def test_the_slower_of_two_sees_the_other_s_answer_and_keeps_their_own(
    asked: tuple[str, str], at_desk: AtDesk, workshop: Workshop
) -> None:
    at_desk("Bea").send(f"{ONE}/answer", version=1, answer="We send a new leg.", then="waiting")
    page = at_desk("Carl").refused(f"{ONE}/answer", 409, version=1, answer="Send <it> back.", then="solved")
    assert "Somebody was faster" in page
    between = page.index("What came in between")
    assert between < page.index("We send a new leg.", between) < page.index("Send <it> back.</textarea>")
    assert 'name="version" value="2"' in page  # sending it after all is then possible
    assert [one.text for one in workshop.rows(Activity, kind="answer")] == ["We send a new leg."]
    [case] = workshop.rows(ServiceCase)
    assert (case.state, case.owner_id, case.version) == ("waiting", 1, 2)


@pytest.mark.parametrize(
    ("verb", "form", "status", "says"),
    [
        ("answer", {"answer": " ", "then": "solved"}, 422, "Fill this in."),
        ("answer", {"answer": "Hello {name}", "then": "waiting"}, 422, "{braces}"),
        ("answer", {"answer": "Hello", "then": "never"}, 422, "Something is missing or wrong"),
        ("ready", {"answer": "kept words", "ready": "77"}, 422, "kept words"),
        ("priority", {"priority": "extreme"}, 422, "Something is missing or wrong"),
        ("hand", {"to": "99"}, 422, "Something is missing or wrong"),
        ("note", {"note": ""}, 422, "Fill this in."),
        ("reopen", {}, 409, "the page was out of date"),
        ("take", {"version": "7"}, 409, "Somebody changed this"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    asked: tuple[str, str], at_desk: AtDesk, workshop: Workshop, verb: str, form: dict[str, Any], status: int, says: str
) -> None:
    assert says in at_desk("Bea").refused(f"{ONE}/{verb}", status, **({"version": "1"} | form))
    [case] = workshop.rows(ServiceCase)
    assert (case.version, case.state, case.owner_id, len(workshop.rows(Activity, case_id=1))) == (1, "open", None, 1)
    at_desk("Bea").get(f"{LIST}/99", 404)


def test_a_ready_answer_names_the_order_and_its_day(asked: tuple[str, str], at_desk: AtDesk, workshop: Workshop) -> None:
    def write(session: Any) -> None:
        body = "Hello {name}, {order} comes {day}. {sender}, {number}"
        session.add(MailTemplate(name="Where", language="en", body=body, updated_at=workshop.now))

    workshop.db.run(write)
    page = at_desk("Bea").refused(f"{ONE}/ready", 200, version=1, ready="1", answer="Dear Ada,")
    assert f"Dear Ada,\n\nHello Ada Lovelace, {asked[0]} comes Wednesday 25 November. Bea, C-00001</textarea>" in page
    assert workshop.rows(Activity, kind="answer") == []


def test_by_telephone(asked: tuple[str, str], at_desk: AtDesk, workshop: Workshop) -> None:
    carl = at_desk("Carl")
    assert asked[0] in carl.get(f"{LIST}/new?order={asked[0]}")
    form = {"key": "a", "kind": "where", "message": "Where is it?", "language": "en"}
    page = carl.refused(f"{LIST}/new", 422, **form, order="SF-AAAA-BBBB")
    assert "Where is it?</textarea>" in page
    assert "Taken down. It is yours." in carl.send(f"{LIST}/new", **form, order=asked[0])
    assert "C-00002" in carl.send(f"{LIST}/new", **form, order=asked[0])
    with workshop.db.read() as session:
        found = session.execute(sa.select(ServiceCase.owner_id, ServiceCase.source).order_by(ServiceCase.id)).all()
    assert [tuple(one) for one in found] == [(None, "page"), (2, "phone")]


def test_every_page_of_a_list_begins_where_the_last_ended(asked: tuple[str, str], at_desk: AtDesk, workshop: Workshop) -> None:
    def more(session: Any) -> None:
        first = session.get(ServiceCase, 1)
        values = {name: getattr(first, name) for name in ("party_id", "kind", "message", "source", "priority", "state")}
        times = {name: getattr(first, name) for name in ("due_from_at", "answer_due_at", "solve_due_at", "created_at")}
        session.add_all(ServiceCase(number=f"X-{n:03}", **values, **times) for n in range(2, 121))

    workshop.db.run(more)
    bea, seen = at_desk("Bea"), []
    for state in ("open", "any"):
        path, numbers = f"{LIST}?state={state}", []
        while path:
            page = bea.get(path)
            numbers += [part.split("<")[0] for part in page.split("data-row>")[1:]]
            path = page.split('rel="next" href="')[1].split('"')[0] if 'rel="next" href' in page else ""
        seen.append(numbers)
    assert (len(seen[0]), seen[0][0], seen[0][-1]) == (120, "C-00001", "X-120")
    assert seen[1] == list(reversed(seen[0]))


def test_deadlines_are_set_by_administrators(at_desk: AtDesk, workshop: Workshop) -> None:
    ada, path = at_desk("Ada"), "/desk/admin/service"
    minutes = {"answer_urgent": 30, "solve_urgent": 60, "answer_high": 60, "solve_high": 120}
    minutes |= {"answer_normal": 120, "solve_normal": 240, "answer_low": 480, "solve_low": 960}
    assert "Saved." in ada.send(path, **minutes)
    page = ada.refused(path, 422, **(minutes | {"solve_high": "59"}))
    assert 'name="solve_high" type="text" value="59"' in page
    assert 'value="30"' in ada.get(path)
    at_desk("Bea").get(path, 403)


def test_the_report_counts_what_customers_said(asked: tuple[str, str], at_desk: AtDesk, workshop: Workshop) -> None:
    at_desk("Bea").send(f"{ONE}/answer", version=1, answer="A new leg.", then="solved")
    workshop.shop.cases.rate(asked[1], "4", "", now=workshop.now)
    ada = at_desk("Ada")
    said = ada.client.get("/desk/reports/export.csv?of=satisfaction").get_data().decode("utf-8-sig").replace('"', "").splitlines()
    assert said == ["Answer,Customers", "1 of 5,0", "2 of 5,0", "3 of 5,0", "4 of 5,1", "5 of 5,0", "Asked,1", "Answered,1",
                    "Answered of 100,100", "Mean,4"]  # fmt: skip
    said = (
        ada.client.get("/desk/reports/export.csv?of=first-answers").get_data().decode("utf-8-sig").replace('"', "").splitlines()
    )
    assert said == ["Priority,Cases,Answered,Mean minutes,Longest", "High,1,1,0,0"]
