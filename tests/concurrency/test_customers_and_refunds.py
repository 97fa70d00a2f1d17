"""Two colleagues or two buyers, one moment, PostgreSQL: one company, one owner of a change, no cent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from backoffice import bootstrap
from backoffice.config import Settings
from backoffice.crm import companies, customers
from backoffice.crm.models import Activity, Party
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.payments import requests
from backoffice.payments.models import Payment, Refund, RefundRequest
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both, slow
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_companies import BEA, person
from tests.integration.chain.test_customers import PLAIN, colleague

pytestmark = pytest.mark.postgresql


@pytest.fixture
def desk(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Workshop]:
    """The open workshop with people of sales and administration."""
    postgres_db.run(lambda session: open_company(session, now=now))
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: now)
    shop = Workshop(services, now)
    for name, role in (("Bea", "sales"), ("Ada", "admin"), ("Eve", "admin")):
        colleague(shop, name, role)
    yield shop
    assert shop.breaches() == []
    services.db.dispose()


def staff(shop: Workshop, name: str) -> Any:
    return shop.rows(Staff, name=name)[0]


def test_the_same_company_is_made_once(desk: Workshop) -> None:
    def make(name: str, country: str = "DE", vat_number: str = "") -> Callable[[], object]:
        return lambda: desk.db.run(
            lambda session: companies.found(session, name, country=country, vat_number=vat_number, by=BEA, now=desk.now)
        )

    said = both(make("Nordlicht"), make("NORDLICHT"), make(" nordlicht "), make("Nord\u00adlicht"))
    assert sorted(said) == ["company_known", "company_known", "company_known", "done"]
    said = both(make("One", "DE", "DE123"), make("Two", "AT", "DE 123"))
    assert sorted(said) == ["company_known", "done"]
    assert len(desk.rows(Party, kind="company")) == 2


def test_the_second_waits_for_the_first_that_makes_it(desk: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have looked and found nothing; the database lets one insert and the other finds it."""
    people = [person(desk, f"{name}@example.test") for name in "ab"]

    def join(person_id: int) -> Callable[[], object]:
        return lambda: desk.db.run(
            lambda session: companies.join_named(session, person_id, "Nordlicht", country="DE", by=BEA, now=desk.now)
        )

    with slow(monkeypatch, companies, "_find", after=True) as reached:
        assert both(*(join(one) for one in people)) == ["done", "done"]
        reached.go_on.set()  # type: ignore[attr-defined] # see `slow`
    [company] = desk.rows(Party, kind="company")
    assert [one.company_id for one in desk.rows(Party, kind="person")] == [company.id, company.id]


def test_two_buyers_of_a_new_company_pay_at_once(desk: Workshop) -> None:
    starts = [
        desk.start(desk.cart(STOOL=1), company="Nordlicht", email=f"{name}@example.test", key=f"form-{name}-12345")
        for name in "abc"
    ]
    assert both(*((lambda one=start: desk.pay(one)) for start in starts)) == ["done"] * 3  # type: ignore[misc] # bound early
    [company] = desk.rows(Party, kind="company")
    assert [one.company_id for one in desk.rows(Party, kind="person")] == [company.id] * 3


def test_two_companies_want_the_same_person(desk: Workshop) -> None:
    ada = person(desk, "ada@example.test")

    def join(name: str) -> Callable[[], object]:
        return lambda: desk.db.run(lambda session: companies.join_named(session, ada, name, country="DE", by=BEA, now=desk.now))

    said = both(join("One"), join("Two"))
    assert sorted(said) == ["done", "has_company"]
    assert len(desk.rows(Activity, kind="company_joined")) == 1
    assert len(desk.rows(Party, kind="company")) == 1  # the refused one left nothing behind


def test_two_save_the_same_customer(desk: Workshop) -> None:
    ada = person(desk, "ada@example.test")

    def save(name: str) -> Callable[[], object]:
        typed = PLAIN | {"name": name}
        return lambda: desk.db.run(
            lambda session: customers.change(session, ada, typed, owner_id=None, version=1, by=BEA, now=desk.now)
        )

    assert sorted(both(save("One"), save("Two"), save("Three"))) == ["done", "stale", "stale"]
    assert [one.version for one in desk.rows(Party)] == [2]


def test_small_refunds_at_once_stay_within_the_limit(desk: Workshop) -> None:
    number, bea = desk.buy(TABLE=1).number, staff(desk, "Bea")

    def ask(key: str) -> Callable[[], object]:
        return lambda: desk.db.run(
            lambda session: requests.ask(session, number, 6_000, reason="x", key=key, by=bea, now=desk.now)
        )

    assert both(ask("a"), ask("b"), ask("c"), ask("a")) == ["done"] * 4
    assert sorted(one.state for one in desk.rows(RefundRequest)) == ["waiting", "waiting", "within_limit"]
    assert [(one.refunded_minor) for one in desk.rows(Payment)] == [6_000]


def test_two_approve_the_same_request(desk: Workshop) -> None:
    number, bea = desk.buy(TABLE=1).number, staff(desk, "Bea")
    asked = desk.db.run(lambda session: requests.ask(session, number, 20_000, reason="x", key="k", by=bea, now=desk.now))

    def approve(name: str) -> Callable[[], object]:
        by = staff(desk, name)
        return lambda: desk.db.run(lambda session: requests.approve(session, asked.id, by=by, now=desk.now))

    assert sorted(both(approve("Ada"), approve("Eve"))) == ["done", "wrong_state"]
    assert [(one.amount_minor, one.state) for one in desk.rows(Refund)] == [(20_000, "requested")]
