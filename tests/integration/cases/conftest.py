"""The workshop with two of sales and an order of a table and two stools that somebody may ask about."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import bootstrap
from backoffice.bridge.models import OutboxMessage
from backoffice.config import Settings
from backoffice.crm import cases, incoming_mail, links, replies
from backoffice.crm.models import Activity, ServiceCase
from backoffice.crm.replies import Place
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.public.cases import CaseForm
from tests.company import open_company
from tests.integration.chain.conftest import Workshop
from tests.integration.leads.conftest import Person

BEA, CARL = Person(1, "Bea"), Person(2, "Carl")


class Service(Workshop):
    """Ask, answer and read in one line. token, number: of the one order, which is Ada's."""

    token = number = ""

    def ask(self, kind: str = "other", message: str = "Can it be oiled?", *, at: datetime | None = None, **more: str) -> str:
        """Ask on the order's page; return the question's link."""
        form = CaseForm(**({"key": "form-1", "kind": kind, "message": message} | more))
        return self.shop.cases.open(self.token, form, now=at or self.now)

    def write(self, token: str, message: str = "And when?", *, key: str = "again-1", at: datetime | None = None) -> str:
        """Write again on its page."""
        return self.shop.cases.write(token, message, key=key, who_asks="", now=at or self.now)

    def answer(self, text: str = "Yes.", then: str = "waiting", *, case_id: int = 1, at: datetime | None = None) -> ServiceCase:
        """Let Bea answer what she sees."""
        version = self.case(case_id).version
        return self.db.run(lambda s: cases.answer(s, case_id, text, then=then, staff=BEA, version=version, now=at or self.now))

    def case(self, case_id: int = 1) -> ServiceCase:
        """Return a case as it stands."""
        with self.db.read() as session:
            return session.get_one(ServiceCase, case_id)

    def said(self, case_id: int = 1) -> list[tuple[str, str]]:
        """Return kind and words of everything that happened."""
        with self.db.read() as session:
            found = sa.select(Activity.kind, Activity.text).where(Activity.case_id == case_id).order_by(Activity.id)
            return [(row.kind, row.text) for row in session.execute(found)]

    def mails(self) -> list[OutboxMessage]:
        """Return every mail about a case."""
        return [one for one in self.rows(OutboxMessage) if one.kind.startswith("case_")]

    def mail(
        self, text: str, *, uid: int = 1, sender: str = "Ada <ada@example.test>", at: datetime | None = None, **more: str
    ) -> str:
        """Let a mail come in; return what became of it."""
        made = EmailMessage()
        made["From"], made["To"] = sender, "hello@werk.test"
        for name, value in ({"Subject": "My order", "Message-ID": f"<{uid}@example.test>"} | more).items():
            made[name.replace("_", "-")] = value
        made.set_content(text)
        read, secret = incoming_mail.read(made.as_bytes()), self.services.settings.secret_key
        taken = self.db.run(lambda s: replies.take_in(s, read, Place("box", 1, uid), secret_key=secret, now=at or self.now))
        assert taken is not None
        return f"{taken.outcome} {'case' if taken.case_id else 'lead' if taken.lead_id else 'nothing'}"

    def thread(self, case_id: int = 1) -> str:
        """Return the header that a mail program sends back with an answer to our mail about a case."""
        return f"<case_answer.9.{links.case_thread(self.services.settings.secret_key, case_id)}@werk.test>"


def fill(shop: Service) -> Service:
    """Write the workshop, Bea, Carl and Ada's order."""

    def company(session: Session) -> None:
        open_company(session, now=shop.now)
        for one in (BEA, CARL):
            mail = f"{one.name.lower()}@werk.test"
            session.add(Staff(email=mail, name=one.name, role="sales", password_hash="-", created_at=shop.now))

    shop.db.run(company)
    start = shop.start(shop.cart(TABLE=1, STOOL=2))
    shop.pay(start)
    shop.token, shop.number = start.order_token, shop.order(start).number
    return shop


def make_service(db: Database, settings_for: Callable[..., Settings], now: datetime) -> Service:
    """Return the workshop over a database, its order placed."""
    return fill(Service(bootstrap.build(settings_for(db.url, base_url="https://werk.test"), clock=lambda: now), now))


@pytest.fixture
def service(db: Database, settings_for: Callable[..., Settings], now: datetime) -> Service:
    """The workshop on both databases."""
    return make_service(db, settings_for, now)


@pytest.fixture
def embedded(sqlite_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Service:
    """The same on SQLite alone, for what does not depend on the database."""
    return make_service(sqlite_db, settings_for, now)
