"""Ninety days through the real use cases: every state is there, everything adds up, and nobody is written to."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.api_keys import ApiKey
from backoffice.audit import AuditEntry
from backoffice.bootstrap import Services
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Activity, Consent, Order, OrderLine, Party
from backoffice.demo.history import write_history
from backoffice.demo.load import load
from backoffice.erp import models as t
from backoffice.payments.models import Payment, Refund, RefundRequest
from tests.functional.desk.conftest import Colleague
from tests.invariants import breaches


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough: the use cases themselves are tried on both."""
    return sqlite_url


@pytest.fixture
def lived(app: Flask, now: datetime) -> Services:
    services: Services = app.extensions["shopfloor"]
    load(services.db, media=Path(services.settings.media_path), now=now)
    write_history(services, now=now)
    return services


def states(services: Services, column: sa.orm.InstrumentedAttribute[str]) -> Counter[str]:
    with services.db.read() as session:
        return Counter(session.scalars(sa.select(column)))


def test_every_state_is_there_and_everything_adds_up(lived: Services, now: datetime) -> None:
    with lived.db.read() as session:
        assert breaches(session) == []
        first, last = session.execute(sa.select(sa.func.min(Order.placed_at), sa.func.max(Order.placed_at))).one()
        late = session.scalar(sa.select(sa.func.count()).where(OrderLine.expected_on > OrderLine.promised_on))
        parts = session.scalar(sa.select(sa.func.max(t.Shipment.parcel)))
        assert session.scalar(sa.select(sa.func.count(Consent.id))) >= 3
        assert session.scalar(sa.select(sa.func.count(AuditEntry.id))) >= 3
        assert [key.revoked_at is not None for key in session.scalars(sa.select(ApiKey))] == [True]
        firms = dict(
            session.execute(
                sa.select(Party.company_id, sa.func.count()).where(Party.company_id.is_not(None)).group_by(Party.company_id)
            ).all()
        )
        waiting = session.execute(sa.select(RefundRequest.state, RefundRequest.amount_minor)).all()
        looked_after = session.scalar(sa.select(sa.func.count()).where(Party.kind == "person", Party.owner_id.is_not(None)))
    assert max(firms.values()) >= 2
    assert len(firms) >= 2
    assert waiting == [("waiting", 12_550)]
    assert looked_after >= 10
    assert timedelta(days=80) < now - first < timedelta(days=90)
    assert last < now
    assert late == 1
    assert parts == 2
    orders = states(lived, Order.state)
    assert {"confirmed", "shipped", "delivered", "cancelled"} <= orders.keys()
    assert orders.total() >= 55
    assert {"waiting", "to_pick", "shipped", "delivered", "cancelled"} <= states(lived, t.Shipment.state).keys()
    assert {"succeeded", "partly_refunded", "refunded"} <= states(lived, Payment.state).keys()
    assert set(states(lived, Refund.state)) == {"succeeded"}
    assert {"planned", "done"} <= states(lived, t.ProductionOrder.state).keys()
    assert {"order", "shipped", "delivered", "day_moved", "refunded", "cancelled"} <= states(lived, Activity.kind).keys()


def test_nobody_is_written_to_about_the_past(lived: Services) -> None:
    assert states(lived, OutboxMessage.state)["pending"] == 0
    assert states(lived, OutboxMessage.state)["dead"] == 1


@pytest.mark.parametrize(
    "path",
    ["/desk/sales", "/desk/sales/orders", "/desk/sales/customers", "/desk/warehouse", "/desk/planning", "/desk/admin/outgoing"],
)
def test_the_first_screen_of_every_desk_has_something_to_do(lived: Services, app: Flask, path: str) -> None:
    client = app.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    somebody = Colleague(client)
    somebody.send("/desk/login", email="theres@birkengrund.example", password="demo")
    page = client.get(path, follow_redirects=True)
    assert page.status_code == 200
    assert "data-row" in page.text or "<tr" in page.text
