"""/healthz says that the process lives; /readyz says which part is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice import migrate
from backoffice.bridge import outbox
from backoffice.bridge.models import Heartbeat
from backoffice.bridge.worker import beat
from backoffice.config import Settings
from backoffice.db import Database
from backoffice.erp.models import Category, Item, Offer, Product
from backoffice.web.site import make_site


@pytest.fixture
def ready(db: Database, settings: Settings, clock: Callable[[], datetime], monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A site over a database at head with a worker that just beat."""
    monkeypatch.setattr(migrate, "head", lambda: "abc")
    with db.write() as session:
        session.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
        session.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES ('abc')"))
        session.add(Heartbeat(name="worker", at=clock()))
    yield make_site(settings, db, clock)
    with db.write() as session:
        session.execute(sa.text("DROP TABLE alembic_version"))


def ask(site: Flask) -> tuple[int, dict[str, Any]]:
    answer = site.test_client().get("/readyz")
    assert answer.json is not None
    return answer.status_code, answer.json


def test_everything_there(ready: Flask) -> None:
    assert ask(ready) == (
        200,
        {
            "ready": True,
            "parts": {
                "database": {"ready": True},
                "migrations": {"ready": True},
                "worker": {"ready": True, "age_seconds": 0},
                "stock": {"ready": True, "age_seconds": 0},
                "outbox": {"ready": True},
            },
        },
    )


def test_what_is_stuck_is_said_and_the_shop_stays_open(ready: Flask, db: Database, clock: Any) -> None:
    db.run(lambda session: outbox.put(session, "erp", "order:SF-1", "placed", {}, now=clock()))
    clock.advance(minutes=15)
    db.run(lambda session: beat(session, "test", now=clock() + timedelta(seconds=1)))
    assert ask(ready)[1]["parts"]["outbox"] == {"ready": True}
    clock.advance(seconds=1)
    status, said = ask(ready)
    stuck = {"ready": True, "age_seconds": 901, "problem": "1 messages are stuck or undeliverable: see Outgoing at the desk"}
    assert (status, said["parts"]["outbox"]) == (200, stuck)


@pytest.mark.parametrize(("age", "status"), [(60, 200), (61, 503)])
def test_a_silent_worker(ready: Flask, clock: Any, age: int, status: int) -> None:
    clock.advance(seconds=age)
    answered, said = ask(ready)
    assert (answered, said["ready"], said["parts"]["worker"]["age_seconds"]) == (status, status == 200, age)


def test_a_database_behind_the_program(ready: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "head", lambda: "def")
    status, said = ask(ready)
    assert status == 503
    assert said["parts"]["migrations"] == {"ready": False, "problem": "the database is at abc, the program at def"}


@pytest.mark.parametrize(("late", "status"), [(900, 200), (901, 503)])
def test_figures_that_nobody_refreshes(ready: Flask, db: Database, now: datetime, late: int, status: int) -> None:
    with db.write() as session:
        category = Category(slug="tables", name="Tables")
        session.add(category)
        session.flush()
        product = Product(slug="table", name="Table", category_id=category.id)
        session.add(product)
        session.flush()
        item = Item(sku="T", name="Table", product_id=product.id)
        session.add(item)
        session.flush()
        session.add(Offer(item_id=item.id, listed=True, valid_until=now - timedelta(seconds=late), plan_version=0, ready_at=now))
    answered, said = ask(ready)
    assert (answered, said["parts"]["stock"]["age_seconds"]) == (status, late)


def test_a_database_without_tables(
    settings_for: Callable[..., Settings], clock: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "head", lambda: "abc")
    url = f"sqlite:///{tmp_path}/nothing.db"
    database = Database(url)
    site = make_site(settings_for(url), database, clock)
    status, said = ask(site)
    assert status == 503
    assert said["ready"] is False
    assert site.test_client().get("/healthz").data == b"ok\n"
    database.dispose()
