"""The API over the small workshop, as a caller sees it."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from backoffice import api_keys, tables
from backoffice.bootstrap import Services
from tests.company import open_company

API = "/api/v1"
BUYER = {
    "email": "ada@example.test",
    "name": "Ada Lovelace",
    "street": "Weg 1",
    "city": "Berlin",
    "postcode": "10115",
    "country": "DE",
}


class Caller:
    """Call the API; every write gets an Idempotency-Key of its own unless one is given."""

    def __init__(self, app: Flask, now: datetime) -> None:
        self.client, self.services, self.now = app.test_client(use_cookies=False), services_of(app), now
        self._keys = itertools.count(1)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(API + path, headers=_named(headers))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        named = {"Idempotency-Key": f"k{next(self._keys)}"} | _named(headers)
        return self.client.open(API + path, method=method, json=body, headers=named)

    def raw(self, method: str, path: str, data: bytes, **headers: str) -> TestResponse:
        named = {"Idempotency-Key": f"k{next(self._keys)}", "Content-Type": "application/json"} | _named(headers)
        return self.client.open(API + path, method=method, data=data, headers=named)

    def key(self, *scopes: str, customer_class: str = "retail") -> str:
        named = {"customer_class": customer_class, "by": "t", "now": self.now}
        _, secret = self.services.db.run(lambda s: api_keys.create(s, "Partner", scopes, **named))
        return f"Bearer {secret}"

    def everything(self) -> str:
        """Return every row there is, except when a key was last used and how often something was tried."""
        with self.services.db.read() as session:
            found = {}
            for table in (one for one in tables.metadata.sorted_tables if one.name != "login_throttle"):
                rows = session.execute(sa.select(table)).mappings().all()
                found[table.name] = sorted(str({k: v for k, v in row.items() if k != "last_used_at"}) for row in rows)
            return str(found)


def services_of(app: Flask) -> Services:
    found: Services = app.extensions["shopfloor"]
    return found


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def cart(api: Caller, sku: str = "STOOL", quantity: int = 1) -> dict[str, Any]:
    """Make a cart; return it as the API shows it."""
    answer = api.send("POST", "/carts", {"sku": sku, "quantity": quantity, "postcode": "10115"})
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/carts/{answer.get_json()['token']}")
    found: dict[str, Any] = answer.get_json()
    return found


def checkout(made: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the body that checks a cart out as it was seen."""
    seen = {"cart_version": made["version"], "expected_total_minor": made["total"]["amount_minor"]}
    return BUYER | seen | changes


def pay(api: Caller, pay_url: str) -> None:
    """Pay at the sandbox."""
    ref = pay_url.rsplit("/", 1)[1]
    news = api.services.gateway.pay(ref, now=api.now)
    api.services.till.settle(news, event_id=f"test:{ref}", now=api.now)


@pytest.fixture
def api(app: Flask, now: datetime) -> Caller:
    services_of(app).db.run(lambda session: open_company(session, now=now))
    return Caller(app, now)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """SQLite is enough here: what differs between the databases is tested below the door."""
    return sqlite_url
