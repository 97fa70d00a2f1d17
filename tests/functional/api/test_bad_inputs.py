"""Rows of the table of bad inputs that come over the API: the answer, and the state before is the state after."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from backoffice.bootstrap import Services
from backoffice.crm import coupon_rules
from backoffice.crm.models import Lead
from tests.functional.test_bad_input import SCRIPTS, everything, paid_for, rows, services
from tests.integration.chain.test_coupons import PLAIN

__all__ = ["services"]


def test_a_code_that_is_none_is_refused_over_the_api(client: FlaskClient, services: Services, now: Any) -> None:
    rules = {"QQ-OVER": {"ends_at": now}, "QQ-OFF": {"active": False}}
    for code, rule in rules.items():
        services.db.run(
            lambda session, code=code, rule=rule: coupon_rules.save(session, PLAIN | {"code": code} | rule, by="A", now=now)
        )
    made = client.post("/api/v1/carts", json={"sku": "STOOL"}, headers={"Idempotency-Key": "k"}).get_json()
    before = paid_for(services)
    for code in (*rules, "QQ-NEVER", "²" * 60):
        path, key = f"/api/v1/carts/{made['token']}/coupon", {"Idempotency-Key": f"k-{len(code)}-{code[-3:].encode().hex()}"}
        answer = client.put(path, json={"code": code}, headers=key)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "coupon_invalid")
    assert paid_for(services) == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("email", email) for email in ("a@b", "a@b@c.test", "ada@example.test\r\nBcc: eve@example.test", "@example.test")),
        ("name", "x" * 5_000),
        ("message", "x" * 5_001),
    ],
)
def test_what_a_letter_over_the_api_may_not_hold(client: FlaskClient, services: Services, field: str, value: str) -> None:
    before = everything(services)
    body = {"email": "ada@example.test", "name": "Ada", "message": "hello"} | {field: value}
    answer = client.post("/api/v1/leads", json=body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 422
    assert everything(services) == before


def test_scripts_over_the_api_are_kept_as_written(client: FlaskClient, services: Services) -> None:
    body = {"email": "ada@example.test", "name": "\u05e2\u05d1\u05e8", "message": SCRIPTS}
    assert client.post("/api/v1/leads", json=body, headers={"Idempotency-Key": "k"}).status_code == 201
    assert [(one.message, one.source) for one in rows(services, Lead)] == [(SCRIPTS, rows(services, Lead)[0].source)]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/%2e%2e/%2e%2e/etc/passwd", 404),
        ("/api/v1/products/%00", 400),
        ("/api/v1/products/%ff", 404),
        ("/api/v1/products/" + "x" * 9_000, 404),
        ("/api/v1/products?q=" + "x" * 9_000, 422),
        ("/api/v1/carts/" + "9" * 9_000, 404),
        ("/api/v1/products?arrives_by=9999-12-31", 422),
    ],
)
def test_an_address_of_the_api_that_leads_nowhere(client: FlaskClient, services: Services, path: str, status: int) -> None:
    before = everything(services)
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert b"root:" not in answer.data
    assert everything(services) == before
