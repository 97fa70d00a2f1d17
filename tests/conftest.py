"""Fixtures that every test may use: databases, the clock, the whole app, a server, a browser.

What a machine lacks (PostgreSQL, Chromium) is skipped loudly: see `tests/need.py`. There SHOPFLOOR_REQUIRE turns those
skips into failures.
"""

from __future__ import annotations

import gc
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import sqlalchemy as sa

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.tables import metadata
from tests import need

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from backoffice.bootstrap import Services

# how long an example takes depends on the machine, not on the code
hypothesis.settings.register_profile("house", deadline=None)
hypothesis.settings.load_profile("house")

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)  # a Tuesday, 09:00 in Berlin
PAGE_TIMEOUT_MS = 15_000

# all that lives as long as the tests do is looked through for garbage again and again otherwise: a seventh of their time
gc.set_threshold(50_000, 10, 10)


class FixedClock:
    """A clock that moves only when it is told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> datetime:
        """Move on by a `timedelta(**by)` and return the new instant."""
        self.at += timedelta(**by)
        return self.at


@pytest.fixture
def now() -> datetime:
    """The instant of every test: Tuesday 24 November 2026, 09:00 in Berlin."""
    return NOW


@pytest.fixture
def clock(now: datetime) -> FixedClock:
    """The clock given to `services` and `app`."""
    return FixedClock(now)


@pytest.fixture(autouse=True)
def _nothing_is_counted_later() -> Iterator[None]:
    """What was asked for in vain is written when a test says so: half a minute later it would fall into another test's rows."""
    with pytest.MonkeyPatch.context() as patch:  # of its own: a test's patches must go before the databases that it uses
        patch.setattr("backoffice.local.lost_demand._later", lambda _work: None)
        yield


def empty(postgres_url: str) -> None:
    """Delete every row; numbering starts at 1 again."""
    engine = sa.create_engine(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")  # also what is written once
        for table in reversed(metadata.sorted_tables):  # a TRUNCATE of so many tables takes ten times as long
            connection.execute(table.delete())
        connection.exec_driver_sql(
            "SELECT setval(sequencename::regclass, 1, false) FROM pg_sequences WHERE last_value IS NOT NULL"
        )
    engine.dispose()


# --- databases ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with every table, copied for each test."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    database = Database(f"sqlite:///{path}")
    metadata.create_all(database.engine)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    database.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a PostgreSQL database of this test process, with every table."""
    with need.postgres_database() as url:
        database = Database(url)
        metadata.create_all(database.engine)
        database.dispose()
        yield url


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of an empty SQLite database of this test."""
    path = tmp_path / "shopfloor.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> str:
    """The address of a PostgreSQL database without rows; numbering starts at 1 again."""
    empty(postgres_url)
    return postgres_url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database: SQLite, then PostgreSQL."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "empty_postgres_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """An empty database with every table; the test runs on SQLite and again on PostgreSQL."""
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def sqlite_db(sqlite_url: str) -> Iterator[Database]:
    """An empty SQLite database, for tests of what does not depend on the database."""
    database = Database(sqlite_url)
    yield database
    database.dispose()


@pytest.fixture
def postgres_db(empty_postgres_url: str) -> Iterator[Database]:
    """An empty PostgreSQL database, for races: mark the test `postgresql`."""
    database = Database(empty_postgres_url)
    yield database
    database.dispose()


# --- the whole app --------------------------------------------------------------------------------


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., Settings]:
    """Make settings for a database address, with all files below the test's own folder."""

    def make(database_url: str, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "database_url": database_url,
            "var_dir": tmp_path / "var",
            "secret_key": "a key for tests only, 32 letters!",
            "demo": True,
            "reoptimise_seconds": 0,  # work stays where a test has put it
        }
        return Settings(**(values | changes))

    return make


@pytest.fixture
def settings(db: Database, settings_for: Callable[..., Settings]) -> Settings:
    """Settings over `db` (both databases)."""
    return settings_for(db.url)


@pytest.fixture
def services(settings: Settings, clock: FixedClock) -> Iterator[Services]:
    """Everything wired as in production, on the test's clock and database."""
    from backoffice import bootstrap

    built = bootstrap.build(settings, clock=clock)
    yield built
    built.db.dispose()


@pytest.fixture
def app(settings: Settings, clock: FixedClock) -> Iterator[Flask]:
    """The whole site, on the test's clock and database."""
    from wsgi import create_app

    site = create_app(settings, clock=clock)
    yield site
    site.extensions["shopfloor"].db.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript: like every browser it names its origin when it posts."""
    client = app.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    return client


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Start a threaded server for an app on a free port; return its address. Stops with the test."""
    from werkzeug.serving import make_server

    running: list[tuple[Any, threading.Thread]] = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def server(app: Flask, serve: Callable[[Flask], str]) -> str:
    """The address of the whole site, on the test's clock and database."""
    return serve(app)


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Start gunicorn with several web processes (wall clock): `processes(settings, workers=3)` returns its address."""
    running: list[need.Gunicorn] = []

    def start(settings: Settings, *, workers: int = 3, threads: int = 8) -> str:
        process = need.Gunicorn(settings, workers=workers, threads=threads, log=tmp_path / f"web-{len(running)}.log")
        running.append(process)
        process.wait_until_ready()
        return process.address

    yield start
    for process in running:
        process.stop()


# --- a browser ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, started once per test process. Mark the test `browser`."""
    executable = need.chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=need.CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def new_page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Open pages of separate people (`new_page(viewport={...})`); a failing test keeps a picture of each."""
    pages: list[Any] = []

    def open_page(**options: Any) -> Any:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        context.set_default_timeout(PAGE_TIMEOUT_MS)
        pages.append(context.new_page())
        return pages[-1]

    yield open_page
    failed = getattr(request.node, "failed", False)
    for number, page in enumerate(pages):
        if failed and not page.is_closed():
            need.SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=need.SCREENSHOTS / f"failed-{need.file_name(request.node.nodeid)}-{number}.png", full_page=True)
        page.context.close()


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """One page in a fresh browser profile."""
    return new_page()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Remember on the test whether it failed, for the pictures."""
    report: pytest.TestReport = yield  # type: ignore[assignment] # pytest types hook wrappers as None
    if report.failed:
        item.failed = True  # type: ignore[attr-defined] # our own mark on the item
    return report  # type: ignore[return-value] # the same


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say loudly at the end what was not tried and how to get it."""
    need.report_skips(terminalreporter)
