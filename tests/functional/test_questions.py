"""Questions about an order over the whole site, without JavaScript: asked, read, written again, rated by a form alone."""

from __future__ import annotations

import html
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backoffice.crm import accounts, links
from backoffice.crm.models import Account, Party, ServiceCase
from storefront.cookies import ACCOUNT
from tests.buyers import hidden
from tests.conftest import NOW, FixedClock
from tests.functional.desk.conftest import every_row
from tests.integration.cases.conftest import Service, fill


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough for the pages."""
    return sqlite_url


@pytest.fixture
def service(app: Flask) -> Service:
    """The whole site with Ada's order."""
    return fill(Service(app.extensions["shopfloor"], NOW))


def ask(client: FlaskClient, service: Service, **form: str) -> Any:
    """Send the form of the order's page as it was drawn."""
    page = client.get(f"/o/{service.token}").get_data(as_text=True)
    sent = {"key": hidden(page, "key"), "kind": "where", "message": "Is it on its way?", "line": "2"} | form
    return client.post(f"/o/{service.token}/ask", data=sent)


def read(client: FlaskClient, path: str, status: int = 200) -> str:
    """Return a page, entities read; nobody else may keep it."""
    answer = client.get(path)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (status, "no-store")
    return html.unescape(answer.get_data(as_text=True))


def test_from_the_order_s_page_to_its_own_and_back(client: FlaskClient, service: Service) -> None:
    answer = ask(client, service)
    assert answer.status_code == 303
    page = read(client, answer.location)
    assert "We have your message, and answer to a…@example.test." in page
    token = links.case_token(service.services.settings.secret_key, 1)
    assert f'href="/question/{token}"' in page
    page = read(client, f"/question/{token}")
    assert "you hear from us by Tue 24 Nov, 17:00" in page
    assert "Is it on its way?" in page
    assert 'name="score"' not in page  # it is not settled
    written = client.post(f"/question/{token}/write", data={"key": "k", "message": "Hello?"})
    assert "Hello?" in read(client, written.location)
    assert [kind for kind, _ in service.said()] == ["message", "reply"]


@pytest.mark.parametrize(
    ("form", "says", "status"),
    [
        ({"message": " "}, "Please fill this in.", 422),
        ({"kind": "love"}, "Choose one of those that are offered.", 422),
        ({"line": "3"}, "Choose one of those that are offered.", 422),
        ({"parcel": "٣"}, "Choose one of those that are offered.", 422),
        ({"message": "я" * 5001}, "longer than we can take", 422),
    ],
)
def test_what_was_typed_is_kept(client: FlaskClient, service: Service, form: dict[str, str], says: str, status: int) -> None:
    answer = ask(client, service, **form)
    page = html.unescape(answer.get_data(as_text=True))
    assert (answer.status_code, says in page) == (status, True)
    assert form.get("message", "Is it on its way?") in page
    assert service.rows(ServiceCase) == []


def test_too_many_are_asked_to_wait_with_their_words(client: FlaskClient, service: Service) -> None:
    for number in range(5):
        assert ask(client, service, key=f"k{number}").status_code == 303
    answer = ask(client, service, key="k6", message="The sixth.")
    assert (answer.status_code, "The sixth." in answer.get_data(as_text=True)) == (429, True)
    token = links.case_token(service.services.settings.secret_key, 1)
    again = client.post(f"/question/{token}/write", data={"key": "k", "message": "The seventh."})
    assert (again.status_code, "The seventh." in again.get_data(as_text=True)) == (429, True)
    assert len(service.rows(ServiceCase)) == 5


def test_a_link_of_a_mail_changes_nothing_and_the_form_is_answered_once_and_may_be_changed(
    client: FlaskClient, service: Service
) -> None:
    path = f"/question/{service.ask()}"
    service.answer("It is.", "solved")
    with service.db.read() as session:
        before = every_row(session)
    for score in ("1", "5", "9", ""):
        page = read(client, f"{path}?score={score}")
        assert (f'value="{score}" required checked' in page) == (score in ("1", "5"))
    with service.db.read() as session:
        assert every_row(session) == before
    refused = client.post(f"{path}/rate", data={"score": "9", "comment": "Kept."})
    assert (refused.status_code, "Kept." in refused.get_data(as_text=True)) == (422, True)
    for score, comment in (("2", "Slow."), ("4", "Slow, but kind.")):
        assert client.post(f"{path}/rate", data={"score": score, "comment": comment}).status_code == 303
    page = read(client, path)
    assert 'value="4" required checked' in page
    assert "Slow, but kind.</textarea>" in page
    assert "Change my answer" in page
    case = service.case()
    assert (case.score, case.comment) == (4, "Slow, but kind.")


def test_a_made_up_link_is_no_page(client: FlaskClient, service: Service) -> None:
    token = service.ask()
    for wrong in (token.replace("c1", "c2"), "c1-" + "0" * 32, "x"):
        assert client.get(f"/question/{wrong}").status_code == 404
        assert client.post(f"/question/{wrong}/write", data={"key": "k", "message": "x"}).status_code == 404
        assert client.post(f"/question/{wrong}/rate", data={"score": "1", "comment": ""}).status_code == 404
    assert [kind for kind, _ in service.said()] == ["message"]


def test_an_account_lists_its_own_questions_alone(client: FlaskClient, service: Service, clock: FixedClock) -> None:
    service.ask()
    ada = service.case().party_id

    def write(session: Any) -> list[str]:
        other = Party(name="Bo", email="bo@example.test", created_at=NOW)
        session.add(other)
        session.flush()
        tokens = []
        for party_id, email in ((ada, "ada@example.test"), (other.id, "bo@example.test")):
            account = Account(party_id=party_id, email=email, name=email, password_hash="x", confirmed_at=NOW, created_at=NOW)
            session.add(account)
            session.flush()
            tokens.append(accounts.begin_session(session, account, device="", now=clock()))
        return tokens

    own, others = service.db.run(write)
    for token, found in ((own, True), (others, False)):
        client.set_cookie(ACCOUNT, token)
        assert ("Can it be oiled?" in read(client, "/account")) == found
