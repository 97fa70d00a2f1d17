"""R9, small: a bad line to PostgreSQL ends in an error that says "come back", soon; the next request on a good line is well."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from backoffice import connecting
from backoffice.db import Database
from tests.faults import proxy
from tests.faults.lines import to_postgresql
from tests.faults.proxy import FAULTS, Fault, Proxy

pytestmark = [pytest.mark.postgresql, pytest.mark.enable_socket]  # the server listens on a file
BAD = [fault for fault in FAULTS if not fault.latency]


@pytest.fixture
def line(postgres_url: str) -> Iterator[Proxy]:
    with proxy.before(to_postgresql(postgres_url)) as made:
        yield made


@pytest.fixture
def far(postgres_url: str, line: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database behind the line, for requests that have little time."""
    monkeypatch.setattr(connecting, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 2)  # the least that the driver knows
    made = Database(
        sa.make_url(postgres_url).set(host="127.0.0.1", port=line.port, query={}).render_as_string(hide_password=False)
    )
    yield made
    made.dispose()


def ask(far: Database) -> int:
    far.begin_request()
    try:
        with far.read() as session:
            return int(session.scalar(sa.text("SELECT 7")) or 0)
    finally:
        far.end_request()


@pytest.mark.parametrize("fault", BAD, ids=lambda fault: fault.name)
@pytest.mark.parametrize("warm", [True, False])
def test_a_bad_line_is_an_error_soon_and_forgotten_when_it_is_good(far: Database, line: Proxy, fault: Fault, warm: bool) -> None:
    if warm:
        assert ask(far) == 7
    line.fault = fault
    started = time.monotonic()
    with pytest.raises(OperationalError):
        ask(far)
    assert time.monotonic() - started < connecting.CONNECT_SECONDS + 1
    line.heal()
    assert ask(far) == 7


def test_a_request_that_has_waited_long_enough_opens_no_connection(far: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "REQUEST_SECONDS", -1.0)
    with pytest.raises(OperationalError, match="long enough"):
        ask(far)


def test_a_slow_line_costs_a_request_no_more_than_its_time(far: Database, line: Proxy) -> None:
    assert ask(far) == 7
    line.fault = Fault("very slow", latency=2)
    started = time.monotonic()
    with pytest.raises(OperationalError, match="did not answer in time"):
        ask(far)
    assert time.monotonic() - started < 1


def test_a_server_that_ends_new_connections_at_once_is_away(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended:
        """What a connection looks like on which the server has said its last word."""

        def register(self, *_what: object) -> None:
            pass

        def poll(self, _milliseconds: int) -> list[tuple[int, int]]:
            return [(0, 1)]

    near = Database(postgres_url)
    assert ask(near) == 7
    monkeypatch.setattr(connecting.select, "poll", Ended)
    with pytest.raises(OperationalError, match="at once"):  # the one of the pool, and the one opened in its place
        ask(near)
    near.dispose()
