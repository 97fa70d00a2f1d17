"""Visits are noted after a click that allows it, and pages know nothing of that."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from backoffice.crm.models import VisitEvent, Visitor
from tests.company import open_company
from tests.statements import sent


def looks(app: Flask) -> list[tuple[str, str]]:
    services: Any = app.extensions["shopfloor"]
    services.shop.visits.flush()
    with services.db.read() as session:
        return [(one.kind, one.about) for one in session.scalars(sa.select(VisitEvent).order_by(VisitEvent.id))]


def test_only_after_a_click_and_until_the_next(app: Flask, client: FlaskClient, now: Any) -> None:
    services: Any = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))
    services.shop.visits._every = 0  # the test itself is the thread
    first = client.get("/p/stool")
    assert "Set-Cookie" not in first.headers
    assert looks(app) == []
    assert "Nothing is remembered." in client.get("/visits").text
    cookie = client.post("/visits", data={"choice": "yes"}).headers["Set-Cookie"]
    assert "visits=" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    with sent(services.db) as statements:
        again = client.get("/p/stool")
    assert again.data == first.data  # from the same place in the cache, whoever asks
    assert [one for one in statements if not one.lstrip().upper().startswith(("SELECT", "BEGIN", "ROLLBACK", "COMMIT"))] == []
    client.get("/search?q=stool")
    client.get("/p/nope")
    assert looks(app) == [("page", "/p/stool"), ("search", "stool")]
    assert "You allowed it." in client.get("/visits").text
    client.get("/p/stool")
    for _ in range(2):
        assert "visits=no" in client.post("/visits", data={"choice": "no"}).headers["Set-Cookie"]
    assert looks(app) == []
    client.get("/p/stool")
    assert looks(app) == []
    with services.db.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Visitor)) == 0
