"""/metrics: the right figures, for the right eyes only, and nothing of a person."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from backoffice.bridge import outbox
from backoffice.bridge.worker import beat
from backoffice.config import Settings
from backoffice.db import Database
from tests.company import open_company
from tests.conftest import NOW, FixedClock


def figure(text: str, name: str) -> float | None:
    """Return one figure by its name with labels."""
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


def test_what_waits_is_counted(client: FlaskClient, app: Flask, db: Database) -> None:
    services = app.extensions["shopfloor"]

    def happen(session: object) -> None:
        open_company(session, now=NOW)  # type: ignore[arg-type] # a session
        beat(session, "w", now=NOW - timedelta(seconds=20))  # type: ignore[arg-type] # a session
        outbox.put(session, "mail", "order:1", "x", {}, now=NOW - timedelta(seconds=90))  # type: ignore[arg-type] # a session

    services.db.run(happen)
    services.shop.carts.add(None, "STOOL", 2, postcode=None, now=NOW)
    text = client.get("/metrics").text
    assert figure(text, 'shopfloor_outbox_messages{state="pending",target="mail"}') == 1
    assert figure(text, "shopfloor_outbox_oldest_seconds") == 90
    assert figure(text, "shopfloor_worker_silent_seconds") == 20
    assert figure(text, "shopfloor_holds") == 1
    assert figure(text, "shopfloor_payments_with_problem") == 0
    assert figure(text, "shopfloor_payments_overdue") == 0


def test_requests_are_counted_by_route_never_by_address(client: FlaskClient, db: Database) -> None:
    db.run(lambda session: open_company(session, now=NOW))
    name = 'shopfloor_request_seconds_count{method="GET",route="/o/<token>",status="404"}'
    before = figure(client.get("/metrics").text, name) or 0
    client.get("/o/a-very-secret-link")
    client.get("/nowhere/at/all?email=ada@example.test")
    text = client.get("/metrics").text
    assert figure(text, name) == before + 1
    assert "very-secret" not in text
    assert "nowhere" not in text
    assert "ada@" not in text


@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.2", "2001:db8::1"])
def test_others_are_not_told_that_it_is_there(client: FlaskClient, address: str) -> None:
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 404


def test_a_token_opens_it_from_anywhere_and_nothing_else_does(
    sqlite_url: str, settings_for: Callable[..., Settings], clock: FixedClock
) -> None:
    from wsgi import create_app

    app = create_app(settings_for(sqlite_url, metrics_token="s3cret-token"), clock=clock)
    far = {"REMOTE_ADDR": "203.0.113.9"}
    for header in ("", "Bearer", "Bearer wrong", "s3cret"):
        assert app.test_client().get("/metrics", headers={"Authorization": header}, environ_base=far).status_code == 404
    assert app.test_client().get("/metrics").status_code == 404  # this machine too
    right = {"Authorization": "Bearer s3cret-token"}
    assert app.test_client().get("/metrics", headers=right, environ_base=far).status_code == 200
    app.extensions["shopfloor"].db.dispose()
