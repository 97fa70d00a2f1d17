"""The two kinds of transaction: what a read may not do, what is noted between reads, and connections that died."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import InternalError
from sqlalchemy.orm import Session

from backoffice import bootstrap, clock
from backoffice.config import Settings
from backoffice.db import Database, update_rows, write_row
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.erp.company import get_company, get_warehouse
from tests.buyers import hidden
from tests.company import open_company
from tests.statements import count


def test_what_is_changed_in_a_read_is_never_written(db: Database, now: datetime) -> None:
    db.run(lambda session: open_company(session, now=now))
    with db.read() as session:
        session.get_one(t.Company, 1).name = "Somebody else"
    with db.read() as session:
        assert session.get_one(t.Company, 1).name != "Somebody else"


@pytest.mark.postgresql
def test_postgresql_itself_refuses_to_write_in_a_read(postgres_db: Database, now: datetime) -> None:
    db = postgres_db
    db.run(lambda session: open_company(session, now=now))
    with pytest.raises(InternalError, match="read-only"), db.read() as session:
        session.execute(sa.update(t.Company).values(name="Somebody else"))


@pytest.mark.postgresql
def test_a_connection_that_died_in_the_pool_is_not_handed_out(postgres_db: Database, now: datetime) -> None:
    db = postgres_db
    db.run(lambda session: open_company(session, now=now))
    with db.read() as session:
        get_company(session)
    others = sa.text(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> ALL(:own)"
    )
    killer = sa.create_engine(db.url, poolclass=sa.NullPool)
    with killer.connect() as connection:
        own = [connection.scalar(sa.text("SELECT pg_backend_pid()"))]
        ended = connection.execute(others, {"own": own}).scalars().all()
    assert len(ended) >= 2  # a reader's and a writer's
    with db.read() as session:
        assert session.scalar(sa.select(t.Company.country)) == "DE"
    assert db.run(lambda session: session.scalar(sa.select(t.Company.country))) == "DE"


def test_what_stands_still_is_read_once_for_each_version(db: Database, now: datetime) -> None:
    db.run(lambda session: open_company(session, now=now))

    def look() -> None:
        with db.read() as session:
            get_company(session)
            get_warehouse(session)

    look()
    assert count(db, look) == 1  # the version

    def rename(session: Any) -> None:
        session.get_one(t.Company, 1).name = "New name"
        plan.bump(session, master=True)

    db.run(rename)
    with db.read() as session:
        assert get_company(session).name == "New name"
    assert count(db, look) == 1


def test_a_change_that_was_taken_back_leaves_nothing_behind(db: Database, now: datetime) -> None:
    db.run(lambda session: open_company(session, now=now))
    with db.read() as session:
        before = get_company(session).name

    def break_off(session: Session) -> None:
        session.get_one(t.Company, 1).name = "Never committed"
        plan.bump(session, master=True)
        assert get_company(session).name == "Never committed"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.run(break_off)
    with db.read() as session:
        assert get_company(session).name == before


def test_reads_of_one_request_know_of_each_other_until_something_is_written(db: Database, now: datetime) -> None:
    db.run(lambda session: open_company(session, now=now))

    def version() -> int:
        with db.read() as session:
            return plan.version(session)

    db.begin_request()
    try:
        first = version()
        assert count(db, version) == 0
        db.run(lambda session: plan.bump(session))
        assert version() == first + 1
    finally:
        db.end_request()
    assert count(db, version) == 1


def test_a_row_written_at_once_is_known_as_if_it_had_been_added_and_flushed(db: Database, now: datetime) -> None:
    def work(session: Session) -> tuple[t.Supplier, bool]:
        row = write_row(session, t.Supplier(code="oak", name="Oak and Sons"))
        assert session.get(t.Supplier, row.id) is row
        row.name = "Oak and Daughters"
        return row, row in session.dirty

    row, noticed = db.run(work)
    assert noticed
    with db.read() as session:
        written = session.get_one(t.Supplier, row.id)
        columns = [column.key for column in sa.inspect(t.Supplier).columns]
        assert [getattr(written, name) for name in columns] == [getattr(row, name) for name in columns]
        assert written.name == "Oak and Daughters"


def test_what_a_statement_wrote_of_a_row_counts_as_written_and_nothing_else_of_it(db: Database, now: datetime) -> None:
    def work(session: Session) -> tuple[bool, bool]:
        one = write_row(session, t.Supplier(code="oak", name="Oak"))
        other = write_row(session, t.Supplier(code="ash", name="Ash"))
        one.name, other.name, other.code = "Oak and Sons", "Ash and Sons", "ash-2"
        update_rows(session, [one, other], "name")
        return one in session.dirty, other in session.dirty

    assert db.run(work) == (False, True)
    with db.read() as session:
        rows = session.execute(sa.select(t.Supplier.code, t.Supplier.name).order_by(t.Supplier.id)).all()
        assert [tuple(row) for row in rows] == [("oak", "Oak and Sons"), ("ash-2", "Ash and Sons")]


@pytest.mark.postgresql
def test_the_columns_of_an_answer_are_told_as_the_driver_tells_them(postgres_db: Database) -> None:
    with postgres_db.read() as session:
        cursor = session.connection().connection.cursor()
        cursor.execute("SELECT 1 AS one, 'two'::text AS zwoelf_uhr")
        told = cursor.description
        assert [(one[0], one[1]) for one in told] == [("one", 23), ("zwoelf_uhr", 25)]  # int4, text: pg_type.dat
        assert (len(told), told[1][0], told[-1][0], [one[0] for one in told[:1]]) == (2, "zwoelf_uhr", "zwoelf_uhr", ["one"])
        with pytest.raises(IndexError):
            told[2]
        cursor.execute("SET LOCAL statement_timeout = '5s'")
        assert cursor.description is None


def test_a_statement_alone_is_written_and_what_it_read_stays_readable(db: Database, now: datetime) -> None:
    db.run(lambda session: open_company(session, now=now))
    with db.single() as session:
        session.execute(sa.update(t.Company).values(name="Somebody else"))
    with db.single() as session:
        company = session.get_one(t.Company, 1)
    assert company.name == "Somebody else"


def test_a_purchase_asks_the_database_few_times(
    settings_for: Callable[..., Settings], db: Database, clock: Any, now: datetime
) -> None:
    """Not a measure of time: the number of statements is what its time is made of, and it creeps."""
    from wsgi import create_app

    site = create_app(settings_for(db.url), clock=clock)
    services = site.extensions["shopfloor"]
    db.run(lambda session: open_company(session, now=now))
    steps: dict[str, int] = {}

    def buy() -> None:
        browser, shown = site.test_client(), {}

        def ask(step: str, method: str, path: str, form: dict[str, str] | None = None) -> None:
            def send() -> None:
                shown["answer"] = browser.open(path, method=method, data=form, headers={"Origin": "http://localhost"})

            steps[step] = count(services.db, send)

        ask("add", "POST", "/cart/add", {"sku": "STOOL", "slug": "stool", "quantity": "1", "postcode": "10115"})
        ask("checkout", "GET", "/checkout")
        form = {name: hidden(shown["answer"].text, name) for name in ("key", "cart_version", "total_minor")}
        form |= {"shown_postcode": "10115", "shown_country": "DE", "email": "ada@example.test", "name": "Ada", "phone": ""}
        form |= {"street": "Weg 1", "postcode": "10115", "city": "Berlin", "country": "DE", "note": ""}
        ask("start", "POST", "/checkout", form)
        ask("pay", "POST", urlsplit(shown["answer"].location).path, {"action": "pay"})
        ask("order", "GET", urlsplit(shown["answer"].location).path)
        assert "SF-" in shown["answer"].text

    buy()  # what is read once is read now
    buy()
    services.db.dispose()
    most = {"add": 9, "checkout": 4, "start": 11, "pay": 19, "order": 6}  # the order's page asks for its service cases too
    assert {step: steps[step] <= most[step] for step in most} == dict.fromkeys(most, True), steps


@pytest.mark.postgresql
def test_a_machine_whose_clock_is_wrong_goes_by_the_databases(
    empty_postgres_url: str, settings_for: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setattr(clock, "datetime", FutureDatetime)
        services = bootstrap.build(settings_for(empty_postgres_url))
        now = services.clock()
    with services.db.read() as session:
        shown = session.scalar(sa.select(sa.func.clock_timestamp()))
    services.db.dispose()
    assert abs(shown - now) < timedelta(minutes=1)


class FutureDatetime(datetime):
    """Of a machine that is 45 days ahead."""

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return datetime.now(tz) + timedelta(days=45)
