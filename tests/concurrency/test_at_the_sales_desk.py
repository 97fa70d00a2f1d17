"""Two of sales, one moment, PostgreSQL: one has the enquiry, one link goes out, one address is one customer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from backoffice import bootstrap
from backoffice.bridge.models import OutboxMessage
from backoffice.config import Settings
from backoffice.crm import follow_ups, introducing, leads
from backoffice.crm.models import Activity, Checkout, Lead, Order, Party
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.payments.models import Payment
from backoffice.public.checkout import DeskOrder
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.integration.chain.conftest import Workshop
from tests.integration.leads.conftest import FORM, Person

pytestmark = pytest.mark.postgresql
BEA, CARL = Person(1, "Bea"), Person(2, "Carl")


@pytest.fixture
def desk(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Workshop]:
    """Bea, Carl and one enquiry, on PostgreSQL."""

    def fill(session: Session) -> None:
        open_company(session, now=now)
        for one in (BEA, CARL):
            mail = f"{one.name.lower()}@werk.test"
            session.add(Staff(email=mail, name=one.name, role="sales", password_hash="-", created_at=now))

    postgres_db.run(fill)
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: now)
    shop = Workshop(services, now)
    shop.db.run(lambda session: leads.submit(session, FORM, now=now))
    yield shop
    assert shop.breaches() == []
    services.db.dispose()


def order(desk: Workshop, staff: Person, key: str) -> Callable[[], object]:
    """Return somebody who has put an order together and mails its link."""
    cart = desk.cart(STOOL=2)
    form = desk.form(cart, key=f"desk-order-{key}", email="anna@example.test")
    of_desk = DeskOrder(1, 1, staff.id)
    return lambda: desk.shop.checkout.start(cart.token, form, base_url="http://localhost", now=desk.now, desk=of_desk)


def test_two_take_the_same_enquiry(desk: Workshop) -> None:
    def take(who: Person) -> Callable[[], object]:
        return lambda: desk.db.run(lambda session: leads.take(session, 1, staff_id=who.id, version=1, now=desk.now))

    assert sorted(both(take(BEA), take(CARL))) in (["done", "stale"], ["done", "wrong_state"])
    assert len(desk.rows(Activity, kind="took")) == 1


def test_two_mail_an_order_for_the_same_enquiry(desk: Workshop) -> None:
    said = both(order(desk, BEA, "bea"), order(desk, CARL, "carl"))
    assert said.count("done") == 1
    assert {"stale", "wrong_state"} >= set(said) - {"done"}
    [checkout], [lead] = desk.rows(Checkout), desk.rows(Lead)
    assert (lead.owner_id, lead.state, checkout.lead_id) == (1 if said[0] == "done" else 2, "working", 1)
    assert [one.kind for one in desk.rows(OutboxMessage)] == ["order_to_pay"]
    assert desk.stock("STOOL") == (5, 0, 4)  # the other's cart still holds its two, for its fifteen minutes


def test_one_form_sent_twice_at_once_is_one_link(desk: Workshop) -> None:
    send = order(desk, BEA, "bea")
    assert both(send, send, send) == ["done", "done", "done"]
    assert (len(desk.rows(Payment)), len(desk.rows(OutboxMessage)), len(desk.rows(Activity, kind="offered"))) == (1, 1, 1)


def test_it_is_paid_while_two_take_it_back(desk: Workshop) -> None:
    order(desk, BEA, "bea")()
    [checkout], [payment] = desk.rows(Checkout), desk.rows(Payment)

    def pay() -> object:
        news = desk.services.gateway.pay(payment.provider_ref, now=desk.now)  # type: ignore[attr-defined] # the sandbox alone can be told to
        return desk.services.till.settle(news, event_id=f"paid:{news.state}", now=desk.now)

    def take_back() -> object:
        return desk.services.till.withdraw(checkout.id, by="Bea", now=desk.now)

    assert both(pay, take_back, take_back) == ["done", "done", "done"]
    [payment], [lead], orders = desk.rows(Payment), desk.rows(Lead), desk.rows(Order)
    ends = len(desk.rows(Activity, kind="offer_withdrawn")) + len(desk.rows(Activity, kind="offer_ended"))
    if payment.state == "succeeded":
        assert (lead.outcome, len(orders), ends, desk.stock("STOOL")) == ("won", 1, 0, (5, 2, 0))
    else:
        assert (payment.state, lead.outcome, len(orders), ends) == ("expired", "", 0, 1)
        assert desk.stock("STOOL") == (5, 0, 0)


def test_two_callers_get_the_same_address(desk: Workshop) -> None:
    calls: list[Any] = []
    for number in range(2):
        call = replace(FORM, key=f"call-{number}", kind="phone", email="", name=f"Caller {number}", phone=f"{number}")
        calls.append(desk.db.run(lambda session, c=call: follow_ups.phone_in(session, c, staff=BEA, now=desk.now)))

    def tell(lead: Lead) -> Callable[[], object]:
        address = {"email": "same@example.test", "version": lead.version}
        return lambda: desk.db.run(
            lambda session: introducing.introduce(session, lead.id, **address, staff=BEA, now=desk.now)  # type: ignore[arg-type] # a mixed dict
        )

    assert both(*(tell(lead) for lead in calls)) == ["done", "done"]
    [party] = desk.rows(Party, email="same@example.test")
    assert [one.party_id for one in desk.rows(Lead, kind="phone")] == [party.id, party.id]
