"""The small workshop, two people of sales, and a form that is right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import leads
from backoffice.crm.models import Lead
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.public.leads import LeadForm
from tests.company import open_company

FORM = LeadForm(
    key="page-1",
    kind="question",
    name="Anna Kowalska",
    email="Anna@Example.test",
    phone="+48 22 111",
    message="Is the stool stable on stone?",
    sku="STOOL",
    quantity="2",
    needed_by_on="2026-12-01",
    postcode="10115",
    language="en",
    page="/p/stool",
)


@dataclass(frozen=True)
class Person:
    """Somebody of sales."""

    id: int
    name: str


@pytest.fixture
def shop(db: Database, now: datetime) -> Database:
    """The workshop with Bea and Carl in sales, on both databases."""
    return fill_shop(db, now)


@pytest.fixture
def embedded_shop(sqlite_db: Database, now: datetime) -> Database:
    """The same on SQLite alone, for what does not depend on the database."""
    return fill_shop(sqlite_db, now)


def fill_shop(db: Database, now: datetime) -> Database:
    """Write the workshop, Bea and Carl."""

    def fill(session: Session) -> None:
        open_company(session, now=now)
        for name in ("Bea", "Carl"):
            mail = f"{name.lower()}@werk.test"
            session.add(Staff(email=mail, name=name, role="sales", password_hash="-", created_at=now))

    db.run(fill)
    return db


@pytest.fixture
def bea() -> Person:
    """The first in sales."""
    return Person(1, "Bea")


@pytest.fixture
def carl() -> Person:
    """The second in sales."""
    return Person(2, "Carl")


@pytest.fixture
def submit(shop: Database, now: datetime) -> Callable[..., Lead]:
    """Send the right form, with changes."""
    return lambda **changes: shop.run(lambda session: leads.submit(session, replace(FORM, **changes), now=now))


@pytest.fixture
def mails() -> Iterator[list[events.MailWanted]]:
    """Every mail that was asked for during the test."""
    wanted: list[events.MailWanted] = []

    def keep(_session: Session, mail: Any) -> None:
        wanted.append(mail)

    events.unwire()
    events.listen(events.MailWanted, keep)
    yield wanted
    events.unwire()
