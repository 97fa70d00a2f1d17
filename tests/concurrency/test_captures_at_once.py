"""Money that is set aside has one end, whoever asks at the same moment. PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from backoffice import bootstrap
from backoffice.bridge.worker import Worker
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp import models as t
from backoffice.payments import cancelling, captures
from backoffice.payments.models import Payment, Refund
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both
from tests.integration.chain.conftest import Workshop

pytestmark = pytest.mark.postgresql


@pytest.fixture
def late(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Workshop]:
    """The open workshop, which charges when parcels leave."""

    def open_it(session: object) -> None:
        open_company(session, now=now)  # type: ignore[arg-type] # what `run` gives
        session.get_one(t.Company, 1).capture_on_shipment = True  # type: ignore[attr-defined] # the same

    postgres_db.run(open_it)
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: now)
    shop = Workshop(services, now)
    yield shop
    assert shop.breaches() == []
    services.db.dispose()


def test_taken_and_cancelled_at_once_it_is_one_or_the_other(late: Workshop) -> None:
    for _ in range(4):
        number = late.buy(STOOL=1).number
        payment = late.rows(Payment)[-1].id

        def take(payment: int = payment) -> object:
            return late.db.run(lambda s: captures.take(s, payment, now=late.now))

        def cancel(number: str = number) -> object:
            return late.db.run(lambda s: cancelling.cancel(s, number, by="Bea", now=late.now))

        both(take, cancel, take)
    worker = Worker(late.db, bootstrap.carriers(late.services), [], name="w", clock=lambda: late.now)
    while worker.turn():
        pass
    given = {one.payment_id: one.amount_minor for one in late.rows(Refund, state="succeeded")}
    ends = [(one.state, given.get(one.id, 0)) for one in late.rows(Payment)]
    assert set(ends) <= {("voided", 0), ("refunded", 5_400)}
    assert late.stock("STOOL") == (5, 0, 0)
