"""A planner plans orders, not people: no page of theirs names a customer, an e-mail or a street; an administrator's does."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from backoffice.crm.models import Lead, Order
from backoffice.policy import OPTIONAL_POLICY, POLICY
from tests.functional.desk.conftest import Colleague
from tests.functional.test_matrix import paths
from tests.integration.chain.conftest import Workshop

NAME, EMAIL, STREET = "Quirina Zweig", "quirina@zweig.example", "Quittenallee 77"
MARKS = (NAME, "Quirina", EMAIL, "zweig.example", STREET)
LATER = "/desk/planning/receipts/1/due"
WHAT_IF = "/desk/planning/what-if?ask=receipt&receipt=1&days=9"


def fill(workshop: Workshop, ask: Callable[..., Lead], admin: Colleague) -> str:
    """Put an order and a day asked of planning there, all of one customer; return the order's number."""
    workshop.pay(workshop.start(workshop.cart(LAMP=2, TABLE=1), name=NAME, email=EMAIL, street=STREET))
    wish = {"kind": "quote_request", "sku": "TABLE", "quantity": "40", "needed_by_on": "2026-11-26"}
    lead = ask(name=NAME, email=EMAIL, **wish)
    admin.send(f"/desk/tasks/ask/{lead.id}")
    return str(workshop.rows(Order)[0].number)


def test_no_page_that_a_planner_may_open_names_a_customer(
    site: Flask, at_desk: Callable[[str], Colleague], workshop: Workshop, ask: Callable[..., Lead]
) -> None:
    petra, admin = at_desk("Petra"), at_desk("Ada")
    number = fill(workshop, ask, admin)
    asked = petra.look(LATER, due_on="2026-12-03", version="1", key="a") + petra.get(WHAT_IF)
    assert asked.count(number) >= 2
    assert not [mark for mark in MARKS if mark in asked]
    assert NAME in admin.get(WHAT_IF)  # it is there to be read, by who may
    admin.confirm(LATER, due_on="2026-12-03", version="1", key="b")
    theirs = POLICY | OPTIONAL_POLICY
    rules = [rule for rule in site.url_map.iter_rules() if "planner" in theirs[rule.endpoint] and "GET" in (rule.methods or ())]
    wanted = {path for rule in rules for thing, path in paths(rule, {"number": number}) if thing != "missing"}
    wanted |= {"/desk/tasks?which=ended", f"/desk/planning/production?q={number}", "/desk/planning/load?by=week"}
    assert len(wanted) >= 28
    named, seen = [], 0
    for path in sorted(wanted):
        answer = petra.client.get(path, follow_redirects=True)
        assert answer.status_code in {200, 404}, (path, answer.status_code)
        text, seen = answer.get_data(as_text=True), seen + (answer.status_code == 200)
        named += [(path, mark) for mark in MARKS if mark in text]
    assert named == []
    assert seen >= 24
    assert number in petra.get("/desk/planning")
    for path in ("/desk/planning", "/desk/tasks"):
        assert NAME in admin.get(path), path
