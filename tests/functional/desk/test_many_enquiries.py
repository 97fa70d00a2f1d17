"""A thousand enquiries: the pages of the sales desk ask the database no more than for ten, and say each word once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import flask_babel
import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.crm.models import Activity, Lead, Party
from backoffice.db import table_of
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.statements import count

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]
FEW, MANY = 10, 1_000
PAGES = {
    # page → statements that it sends at most
    "/desk/sales": 8,
    "/desk/sales?state=call_first": 8,
    "/desk/sales?state=any&q=oak": 8,
    "/desk/sales/pipeline": 10,
    "/desk/sales/list": 9,
    "/desk/sales/list?sort=value&q=oak": 9,
    "/desk/sales/customers/1": 23,
    "/desk/sales/customers/2": 23,
    "/desk/sales/leads/1": 40,
    "/desk/sales/segments/count?what-0=orders+at_least&value-0=1": 6,
    "/desk/reports?months=12": 13,
}


def fill(session: Session, numbers: range, now: datetime) -> None:
    """Write customers, each with an enquiry and an entry; all but the first are people of customer 2, a company."""
    made = {"created_at": now, "facts": {}}
    people = [
        made | {"id": 3 + n, "name": f"P {n}", "email": f"p{n}@example.test", "company_id": 2 if n else None} for n in numbers
    ]
    asked = {"kind": "question", "message": "In oak?", "currency": "EUR", "value_minor": 100}
    leads = [
        asked | {"number": f"N-{n}", "party_id": 3 + n, "due_at": now + timedelta(minutes=n), "created_at": now, "score": n % 100}
        for n in numbers
    ]
    said = [{"party_id": party_id, "kind": "note", "text": f"{n}", "at": now} for n in numbers for party_id in (1, 3 + n)]
    rows: dict[Any, list[dict[str, Any]]] = {Party: people, Lead: leads, Activity: said}
    for model, values in rows.items():
        session.execute(sa.insert(table_of(model)), values)


def test_a_thousand_enquiries_ask_no_more_than_ten(site: Flask, at_desk: AtDesk, ask: Ask, clock: FixedClock) -> None:
    db, ada, few = site.extensions["shopfloor"].db, at_desk("Ada"), {}
    ask()
    company = {"id": 2, "kind": "company", "name": "The Company", "company_key": "the", "country": "DE", "facts": {}}
    db.run(lambda session: session.execute(sa.insert(Party), [company | {"created_at": clock()}]))
    db.run(lambda session: fill(session, range(FEW), clock()))
    for path in PAGES:
        ada.get(path)
        few[path] = count(db, lambda path=path: ada.get(path))  # type: ignore[misc] # of the loop
    db.run(lambda session: fill(session, range(FEW, MANY), clock()))
    # of more people than fit on one part of a timeline, those with the newest entries are found first: one statement more
    allowed = {path: number + (path == "/desk/sales/customers/2") for path, number in few.items()}
    many = {path: count(db, lambda path=path: ada.get(path)) for path in PAGES}  # type: ignore[misc] # of the loop
    assert many == allowed
    assert {path: number for path, number in many.items() if number > PAGES[path]} == {}
    shown = [ada.get(f"/desk/sales/customers/2{more}").count('<select name="role"') for more in ("", "?people=all")]
    assert shown == [30, 200]


def test_a_row_looks_up_its_own_words_and_not_all_there_are(at_desk: AtDesk, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    translate = flask_babel.gettext
    monkeypatch.setattr(flask_babel, "gettext", lambda phrase, **values: asked.append(phrase) or translate(phrase, **values))
    for one in range(20):
        ask(key=f"k{one}", name=f"Asker {one:02}", email=f"a{one}@example.test")
    bea = at_desk("Bea")
    bea.get("/desk/sales")
    asked.clear()
    page = bea.get("/desk/sales")
    assert (page.count("data-row"), len(asked) < 100) == (20, True), len(asked)


def test_words_are_made_for_each_language_apart(at_desk: AtDesk, ask: Ask) -> None:
    ask()
    bea = at_desk("Bea")
    for language, word in (("en", "Product question"), ("de", "Frage zum Produkt"), ("en", "Product question")):
        bea.post("/desk/language", language=language, next="/desk/sales")
        assert word in bea.get("/desk/sales")
