"""Many issue at the same moment and some of them fail, PostgreSQL: every number once, and none is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
import sqlalchemy as sa

from backoffice.db import Database
from backoffice.erp import invoicing
from backoffice.erp import models as t
from backoffice.payments import billing
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both, busy_workshop
from tests.integration.chain.conftest import Workshop

pytestmark = pytest.mark.postgresql
__all__ = ["busy_workshop"]  # the fixture
BUYER = {"name": "Ada", "country": "DE"}


def test_numbers_have_no_gap_whoever_fails(postgres_db: Database, now: datetime) -> None:
    postgres_db.run(lambda session: open_company(session, now=now))

    def issue(number: int) -> Callable[[], object]:
        def work(session: sa.orm.Session) -> None:
            parts = [invoicing.Part("goods", 11_900, 1900, "STOOL", "Stool")]
            invoicing.issue(session, f"order:{number}", f"SF-{number}", parts, currency="EUR", buyer=BUYER, paid_at=now, now=now)
            if number % 3 == 0:
                raise RuntimeError("changed its mind")

        def run() -> None:
            try:
                postgres_db.run(work)
            except RuntimeError:
                return

        return run

    assert both(*(issue(number) for number in range(24))) == ["done"] * 24
    with postgres_db.read() as session:
        assert sorted(session.scalars(sa.select(t.Invoice.serial))) == list(range(1, 17))
        assert session.scalars(sa.select(t.NumberSeries.last)).all() == [16]
        numbered = session.scalars(sa.select(t.Invoice.serial).order_by(t.Invoice.id)).all()
    assert len(numbered) == 16


def test_of_two_workers_one_issues(busy_workshop: Workshop) -> None:
    for _ in range(3):
        busy_workshop.buy(STOOL=1)

    def issue() -> None:
        billing.issue_due(busy_workshop.db, now=busy_workshop.now)

    assert both(*[issue] * 4) == ["done"] * 4
    assert [one.number for one in busy_workshop.rows(t.Invoice)] == ["INV-2026-000001", "INV-2026-000002", "INV-2026-000003"]
