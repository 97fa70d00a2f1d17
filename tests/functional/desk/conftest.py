"""The whole site over the small workshop, and somebody at each desk."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from pwdlib import PasswordHash
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice import tables
from backoffice.bootstrap import Services
from backoffice.crm import leads
from backoffice.crm.models import Lead
from backoffice.erp.models import Staff
from backoffice.public.leads import LeadForm
from tests.company import open_company
from tests.conftest import FixedClock
from tests.integration.chain.conftest import Workshop

PASSWORD = "hammer and nail"
PEOPLE = {"Bea": "sales", "Carl": "sales", "Wim": "warehouse", "Petra": "planner", "Ada": "admin"}
FORM = LeadForm(
    key="page-1",
    kind="question",
    name="Anna Kowalska",
    email="anna@example.test",
    phone="+48 22 111",
    message="Is the stool stable on stone?",
    sku="STOOL",
    quantity="2",
)


@lru_cache(maxsize=1)
def password_hash() -> str:
    """Hash the password of everybody once: it is slow on purpose."""
    return PasswordHash.recommended().hash(PASSWORD)


class Colleague:
    """Somebody with a browser that has no JavaScript. name: of who logs in again after a pause that closed their desk."""

    def __init__(self, client: FlaskClient) -> None:
        self.client, self.name = client, ""

    def come_back(self) -> None:
        """Log in again, if the desk was closed meanwhile."""
        if self.name and self.client.get("/desk/login").status_code == 200:
            assert self.log_in(self.name).status_code == 303

    def get(self, path: str, status: int = 200) -> str:
        """Return a page's HTML, entities read; checks the status."""
        answer = self.client.get(path)
        if status != 302 and (answer.location or "").startswith("/desk/login"):
            self.come_back()
            answer = self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code)
        return html.unescape(answer.get_data(as_text=True))

    def token(self) -> str:
        """Return the token that the desks' forms carry."""
        page = self.client.get("/desk/login", follow_redirects=True).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found, page
        return found[1]

    def post(self, path: str, **form: Any) -> TestResponse:
        """Send a form with its token."""
        if not path.startswith("/desk/login"):
            self.come_back()
        return self.client.post(path, data={"csrf_token": self.token()} | form)

    def send(self, path: str, **form: Any) -> str:
        """Send a form that works; return the page it leads to."""
        answer = self.post(path, **form)
        assert answer.status_code == 303, (path, answer.status_code, answer.get_data(as_text=True))
        return self.get(answer.headers["Location"])

    def look(self, path: str, **form: Any) -> str:
        """Send a form whose consequences are shown before it is saved; return the page that shows them."""
        page = self.refused(path, 200, **form)
        assert 'name="seen"' in page, page
        return page

    def confirm(self, path: str, **form: Any) -> str:
        """Send such a form, look, and send it again as seen; return the page it leads to."""
        found = re.search(r'name="seen" value="([^"]+)"', self.look(path, **form))
        assert found
        return self.send(path, **form, seen=found[1])

    def refused(self, path: str, status: int, **form: Any) -> str:
        """Send a form that does not work; return the page that says so."""
        answer = self.post(path, **form)
        assert answer.status_code == status, (path, answer.status_code)
        return html.unescape(answer.get_data(as_text=True))

    def log_in(self, name: str, password: str = PASSWORD, **more: str) -> TestResponse:
        """Fill the log-in form in."""
        return self.post("/desk/login", email=f"{name.lower()}@werk.test", password=password, **more)


@pytest.fixture
def site(sqlite_url: str, settings_for: Callable[..., Any], clock: FixedClock) -> Iterator[Flask]:
    """The whole site over the workshop."""
    from wsgi import create_app

    app = create_app(settings_for(sqlite_url), clock=clock)
    services = app.extensions["shopfloor"]

    def fill(session: Session) -> None:
        open_company(session, now=clock())
        for name, role in PEOPLE.items():
            mail = f"{name.lower()}@werk.test"
            session.add(Staff(email=mail, name=name, role=role, password_hash=password_hash(), created_at=clock()))

    services.db.run(fill)
    yield app
    services.db.dispose()


@pytest.fixture
def workshop(site: Flask, clock: FixedClock) -> Iterator[Workshop]:
    """What customers do, and the figures; after the test all of them must still add up."""
    shop = Workshop(site.extensions["shopfloor"], clock())
    yield shop
    assert shop.breaches() == []


@pytest.fixture
def visitor(site: Flask) -> Callable[[], Colleague]:
    """Open a browser in which nobody is logged in."""

    def make() -> Colleague:
        client = site.test_client()
        client.environ_base["HTTP_ORIGIN"] = "http://localhost"
        return Colleague(client)

    return make


@pytest.fixture
def at_desk(visitor: Callable[[], Colleague]) -> Callable[[str], Colleague]:
    """Log somebody in by name."""

    def make(name: str) -> Colleague:
        colleague = visitor()
        assert colleague.log_in(name).status_code == 303
        colleague.name = name
        return colleague

    return make


@pytest.fixture
def ask(workshop: Workshop) -> Callable[..., Lead]:
    """Send a customer's question."""
    return lambda **changes: workshop.db.run(
        lambda session: leads.submit(session, replace(FORM, **changes), now=workshop.services.clock())
    )


@pytest.fixture
def shop(services: Services, now: datetime) -> Iterator[Workshop]:
    """Open the workshop on each of the two databases."""
    services.db.run(lambda session: open_company(session, now=now))
    workshop = Workshop(services, now)
    yield workshop
    assert workshop.breaches() == []


def every_row(session: Session) -> dict[str, list[str]]:
    """Return every row of every table but that of wishes, which a thread writes half a minute after a page was shown."""
    shown = [table for table in tables.metadata.sorted_tables if table.name != "demand_mark"]
    return {table.name: sorted(map(repr, session.execute(sa.select(table)).all())) for table in shown}
