"""Invoices and credit notes through the API: by month and part by part, one as JSON and as a page; names only for bookkeepers."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.payments import billing, refunds
from backoffice.payments.models import Payment
from tests.functional.api.conftest import Caller
from tests.integration.chain.conftest import Workshop


@pytest.fixture
def key(api: Caller) -> str:
    """A bookkeeper's key, in a shop with two invoices and a credit note."""
    workshop = Workshop(api.services, api.now)
    workshop.buy(STOOL=1)
    workshop.buy(STOOL=2)
    issue(api)
    payment = workshop.rows(Payment)[0]
    asked = {"reason": "partial", "key": "k", "by": "Bea", "now": api.now}
    refund = api.services.db.run(lambda s: refunds.request(s, s.merge(payment), 1_000, **asked).id)
    api.services.till.send_refund(refund, now=api.now)
    issue(api)
    return api.key("papers:read")


def issue(api: Caller) -> None:
    billing.issue_due(api.services.db, now=api.now)


def numbers(found: Any) -> list[str]:
    return [one["number"] for one in found["papers"]]


def test_they_come_part_by_part_in_the_order_of_issue(api: Caller, key: str) -> None:
    first = api.get("/papers?limit=2&month=2026-11", Authorization=key).get_json()
    assert numbers(first) == ["INV-2026-000001", "INV-2026-000002"]
    rest = api.get(f"/papers?limit=2&month=2026-11&cursor={first['next']}", Authorization=key).get_json()
    assert (numbers(rest), rest["next"], rest["papers"][0]["corrects"]) == (["CN-2026-000001"], None, "INV-2026-000001")
    assert rest["papers"][0]["taxes"] == [
        {"rate_bp": 1900, "net": {"amount_minor": 840, "currency": "EUR"}, "tax": {"amount_minor": 160, "currency": "EUR"}}
    ]
    assert numbers(api.get("/papers?month=2026-12", Authorization=key).get_json()) == []


def test_one_is_json_or_a_page_to_print(api: Caller, key: str) -> None:
    shown = api.get("/papers/INV-2026-000002", Authorization=key, Accept="*/*").get_json()
    assert (shown["gross"]["amount_minor"], shown["buyer"][0], len(shown["lines"])) == (10_300, "Ada Lovelace", 2)
    page = api.get("/papers/INV-2026-000002", Authorization=key, Accept="text/html")
    assert page.mimetype == "text/html"
    assert "Invoice INV-2026-000002" in page.text
    assert "/o/" not in page.text


def test_only_for_whoever_keeps_the_books(api: Caller, key: str) -> None:
    for path in ("/papers", "/papers/INV-2026-000001"):
        assert api.get(path).status_code == 401
        assert api.get(path, Authorization=api.key("orders:read")).get_json()["code"] == "missing_scope"
        assert api.get(path, Authorization=api.key("orders:read"), Accept="text/html").status_code == 403
    assert api.get("/papers/INV-2026-000009", Authorization=key).status_code == 404
    assert api.get("/papers?month=2026-13", Authorization=key).status_code == 422
    assert api.get("/papers?cursor=x", Authorization=key).get_json()["code"] == "bad_cursor"
