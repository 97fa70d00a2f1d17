"""When the database does not answer, people are told to come back in a moment, and nothing is lost."""

from __future__ import annotations

import html
import re

from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from backoffice.bootstrap import Services
from tests.company import open_company


def test_a_silent_database_is_503_with_when_to_come_back(client: FlaskClient, app, now, monkeypatch) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))

    def gone(*_args, **_named):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(services.shop.promises, "quote", gone)
    answer = client.get("/p/stool")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "gone" not in answer.text
    monkeypatch.undo()
    assert client.get("/p/stool").status_code == 200


def test_a_form_that_met_a_silent_database_can_be_sent_again_from_the_page(client: FlaskClient, app, now, monkeypatch) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))

    def gone(*_args, **_named):
        raise OperationalError("INSERT", {}, Exception("gone"))

    monkeypatch.setattr(services.shop.leads, "submit", gone)
    typed = {
        "key": "the-key-of-this-form",
        "name": 'Ada "<b>"',
        "email": "ada@example.test",
        "message": "Line one\nLine two",
        "website": "",
    }
    page = client.post("/contact?from=x", data=typed, headers={"Origin": "http://localhost"})
    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    form = re.search(r'<form method="post" action="(/contact\?from=x)">(.*?)</form>', page.text, re.DOTALL)
    assert form is not None, page.text
    kept = {name: html.unescape(value) for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[2])}
    assert kept == typed
    monkeypatch.undo()
    assert client.post(form[1], data=kept, headers={"Origin": "http://localhost"}).status_code == 303


def test_a_password_is_not_written_into_a_page(client: FlaskClient, app, now, monkeypatch) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))

    def gone(*_args, **_named):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(services.shop.accounts, "log_in", gone)
    form = {"email": "ada@example.test", "password": "hammer and nail"}
    page = client.post("/account/login", data=form, headers={"Origin": "http://localhost"})
    assert (page.status_code, "hammer" in page.text, "Send it again" in page.text) == (503, False, False)


def test_it_may_go_away_while_an_error_page_is_drawn(client: FlaskClient, app, now, monkeypatch) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))

    def gone(*_args, **_named):
        raise OperationalError("SELECT 1", {}, Exception("gone"))

    monkeypatch.setattr(type(services.db), "read", gone)
    answer = client.post("/desk/login", data={"csrf_token": "of before"}, headers={"Origin": "http://localhost"})
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "5")
