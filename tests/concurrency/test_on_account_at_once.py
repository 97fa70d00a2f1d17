"""People of one company who order at the same moment, PostgreSQL: together they never owe more than was agreed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
import sqlalchemy as sa

from backoffice import bootstrap
from backoffice.config import Settings
from backoffice.crm.models import CompanyTerms, Order
from backoffice.db import Database
from backoffice.payments import cancelling
from backoffice.payments.models import Receipt
from tests import firm
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_on_account import received, ship

pytestmark = pytest.mark.postgresql
PEOPLE = 12
ONE = 5_400  # a stool with its delivery


@pytest.fixture
def crowd(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Workshop]:
    """The open workshop with a stool for everybody; after every test all its figures must still add up."""
    postgres_db.run(lambda session: open_company(session, now=now, stools=PEOPLE))
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: now)
    shop = Workshop(services, now)
    yield shop
    assert shop.breaches() == []
    services.db.dispose()


def used(shop: Workshop) -> int:
    with shop.db.read() as session:
        return session.scalars(sa.select(CompanyTerms.used_minor)).one()


def test_twelve_people_and_a_limit_for_five(crowd: Workshop) -> None:
    names = {f"P{number}": "buyer" for number in range(PEOPLE)}
    theirs = firm.found(crowd.db, now=crowd.now, limit=5 * ONE + 100, roles=names)
    carts = {name: crowd.cart(STOOL=1) for name in names}

    def start(name: str) -> Callable[[], object]:
        email = f"{name.lower()}@nordlicht.test"
        return lambda: crowd.start(carts[name], account=theirs.token(name), on_account=True, email=email)

    said = Counter(both(*(start(name) for name in names)))
    assert said == {"done": 5, "over_limit": PEOPLE - 5}
    assert (used(crowd), len(crowd.rows(Order))) == (5 * ONE, 5)
    assert crowd.stock("STOOL") == (PEOPLE, 5, PEOPLE - 5)


def test_who_orders_while_others_cancel_waits_for_nobody_in_a_circle(crowd: Workshop) -> None:
    names = {f"P{number}": "buyer" for number in range(8)}
    theirs = firm.found(crowd.db, now=crowd.now, limit=100 * ONE, roles=names)

    def start(name: str) -> Callable[[], object]:
        cart, email = crowd.cart(STOOL=1), f"{name.lower()}@nordlicht.test"
        return lambda: crowd.start(cart, account=theirs.token(name), on_account=True, email=email)

    placed = [crowd.order(start(f"P{number}")()).number for number in range(4)]

    def cancel(number: str) -> Callable[[], object]:
        def work(session: object) -> bool:
            return cancelling.cancel(session, number, by="Bea", now=crowd.now)  # type: ignore[arg-type] # a session

        return lambda: crowd.db.run(work)

    people = [start(f"P{number}") for number in range(4, 8)]
    assert set(both(*people, *(cancel(number) for number in placed))) == {"done"}
    assert used(crowd) == 8 * ONE  # what was cancelled is let go by the worker
    assert len(crowd.rows(Order, state="cancelled")) == 4


def test_one_form_sent_eight_times_is_one_receipt(crowd: Workshop) -> None:
    theirs = firm.found(crowd.db, now=crowd.now)
    start = crowd.start(crowd.cart(STOOL=1), account=theirs.token("Ann"), on_account=True)
    ship(crowd, crowd.order(start).number)
    assert both(*[lambda: received(crowd, theirs.by, 1_000)] * 8) == ["done"] * 8
    assert (used(crowd), len(crowd.rows(Receipt))) == (ONE - 1_000, 1)
