"""Ninety days through the real use cases: every state is there, everything adds up, and nobody is written to."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import bootstrap, verify
from backoffice.api_keys import ApiKey
from backoffice.audit import AuditEntry
from backoffice.bootstrap import Services
from backoffice.bridge.models import OutboxMessage
from backoffice.config import Settings
from backoffice.crm.models import Activity, CompanyPrices, CompanyTerms, Consent, Lead, Order, OrderLine, Party
from backoffice.demo.history import write_history
from backoffice.demo.load import load
from backoffice.erp import models as t
from backoffice.payments.models import Payment, Refund, RefundRequest
from tests.conftest import NOW
from tests.functional.desk.conftest import Colleague
from tests.invariants import breaches

KEY = "a key for tests only, 32 letters!"


@pytest.fixture(scope="module")
def lived_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which the ninety days have passed; SQLite is enough, the use cases themselves are tried on both."""
    folder = tmp_path_factory.mktemp("lived")
    path = folder / "lived.db"
    shutil.copyfile(sqlite_template, path)
    settings = Settings(database_url=f"sqlite:///{path}", var_dir=folder, secret_key=KEY, demo=True)
    services = bootstrap.build(settings, clock=lambda: NOW)
    load(services.db, media=Path(settings.media_path), now=NOW)
    write_history(services, now=NOW)
    with services.db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    services.db.dispose()
    return path


@pytest.fixture
def database_url(lived_file: Path, tmp_path: Path) -> str:
    """The address of a copy of it."""
    copy = tmp_path / "shopfloor.db"
    shutil.copyfile(lived_file, copy)
    return f"sqlite:///{copy}"


@pytest.fixture
def lived(app: Flask) -> Services:
    services: Services = app.extensions["shopfloor"]
    return services


def states(services: Services, column: sa.orm.InstrumentedAttribute[str]) -> Counter[str]:
    with services.db.read() as session:
        return Counter(session.scalars(sa.select(column)))


def test_every_state_is_there_and_everything_adds_up(lived: Services, now: datetime) -> None:
    with lived.db.read() as session:
        assert [*breaches(session), *verify.breaches(session, now=NOW)] == []
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
    assert {"confirmed", "picking", "shipped", "delivered", "cancelled"} <= orders.keys()
    assert orders.total() >= 55
    assert {"waiting", "to_pick", "picking", "packed", "shipped", "delivered", "cancelled"} <= states(
        lived, t.Shipment.state
    ).keys()
    assert {"succeeded", "partly_refunded", "refunded"} <= states(lived, Payment.state).keys()
    assert set(states(lived, Refund.state)) == {"succeeded"}
    assert {"planned", "done"} <= states(lived, t.ProductionOrder.state).keys()
    assert {"order", "shipped", "delivered", "day_moved", "refunded", "cancelled"} <= states(lived, Activity.kind).keys()


def test_nothing_was_forgotten_and_every_station_has_work(lived: Services, now: datetime) -> None:
    today = now.date()
    with lived.db.read() as session:
        left_behind = session.scalars(
            sa.select(OrderLine.sku)
            .join(Order, Order.id == OrderLine.order_id)
            .where(OrderLine.expected_on < today - timedelta(days=5), OrderLine.actual_on.is_(None), Order.state != "cancelled")
        ).all()
        idle = set(session.scalars(sa.select(t.WorkCentre.code))) - set(
            session.scalars(
                sa.select(t.WorkCentre.code)
                .join(t.OperationSlot, t.OperationSlot.work_centre_id == t.WorkCentre.id)
                .where(t.OperationSlot.starts_at > now)
            )
        )
        last: date = session.scalars(sa.select(sa.func.max(OrderLine.expected_on))).one()
    assert left_behind == []
    assert idle == set()
    assert last > today + timedelta(days=10)  # weeks of work, not hours


def test_sales_sold_one_order_by_a_link_and_waits_for_another(lived: Services) -> None:
    with lived.db.read() as session:
        rows = session.execute(
            sa.select(Party.name, Party.email, Lead.state, Lead.outcome, Lead.follow_up_at)
            .join(Lead, Lead.party_id == Party.id)
            .where(Lead.kind == "phone")
            .order_by(Lead.id)
        ).all()
    assert [tuple(row)[:4] for row in rows] == [
        ("Gerlinde Aydın", "gerlinde.aydin@post.example", "working", ""),
        ("Kita Sonnenhügel", "leitung@sonnenhuegel.example", "done", "won"),
    ]
    assert rows[0].follow_up_at is not None
    assert states(lived, Payment.state)["opened"] == 1


def test_ninety_days_of_enquiries_each_with_its_end(lived: Services, now: datetime) -> None:
    with lived.db.read() as session:
        rows = session.scalars(sa.select(Lead).where(Lead.created_at < now - timedelta(days=8)).order_by(Lead.created_at)).all()
        late = session.scalar(
            sa.select(sa.func.count()).where(Lead.created_at < now - timedelta(days=8), Lead.state.in_(["new", "working"]))
        )
        won = [lead.won_order_ref for lead in rows if lead.outcome == "won"]
        orders = set(session.scalars(sa.select(Order.number)))
    assert rows[0].created_at < now - timedelta(days=80)
    assert len(rows) >= 25
    assert late == 0
    assert {"won", "lost", ""} == {lead.outcome for lead in rows}
    assert len(won) == len(set(won) & orders) >= 5
    assert {"newsletter", "fair"} <= {lead.source for lead in rows}


def test_one_company_has_its_prices_and_a_limit(lived: Services) -> None:
    with lived.db.read() as session:
        [prices], [terms] = session.scalars(sa.select(CompanyPrices)).all(), session.scalars(sa.select(CompanyTerms)).all()
        roles = session.scalars(sa.select(Party.company_role).where(Party.company_id == terms.party_id).order_by(Party.id)).all()
    assert (prices.party_id, terms.limit_minor, terms.due_days) == (terms.party_id, 500_000, 30)
    assert list(roles[:3]) == ["buyer", "approver", "accounting"]


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
