"""A shop that charges when parcels leave, seen by its customer, at its desks and at the sandbox's page."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from backoffice import bootstrap
from backoffice.audit import AuditEntry
from backoffice.bridge.worker import Worker
from backoffice.erp import models as t
from backoffice.payments import billing
from backoffice.payments.models import Payment, SandboxSession
from tests.functional.desk.conftest import Colleague
from tests.functional.desk.test_admin import COMPANY
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
TYPED = {
    "email": "a@b.test",
    "name": "Ada",
    "street": "Weg 1",
    "postcode": "10115",
    "city": "Berlin",
    "country": "DE",
    "phone": "",
    "note": "",
}


def switch_on(at_desk: AtDesk) -> None:
    page = at_desk("Ada").send("/desk/admin/company", **(COMPANY | {"capture_on_shipment": "yes"}))
    assert 'name="capture_on_shipment" value="yes" checked' in page


def buy(client: FlaskClient, sku: str, quantity: int) -> tuple[str, str]:
    """Buy through the pages; return the checkout's and the order's page."""
    client.post("/cart/add", data={"sku": sku, "slug": sku.lower(), "quantity": str(quantity), "postcode": "10115"})
    checkout = client.get("/checkout").text
    carried = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', checkout))
    started = client.post("/checkout", data=TYPED | carried)
    paid = client.post(started.headers["Location"], data={"action": "pay"})
    return html.unescape(checkout), html.unescape(client.get(paid.headers["Location"], follow_redirects=True).text)


def work(workshop: Workshop) -> None:
    worker = Worker(workshop.db, bootstrap.carriers(workshop.services), [], name="w", clock=lambda: workshop.now)
    while worker.turn():
        pass


def paid(workshop: Workshop) -> tuple[Any, ...]:
    billing.issue_due(workshop.db, now=workshop.now)
    [payment], [page] = workshop.rows(Payment), workshop.rows(SandboxSession)
    return payment.state, page.state, [one.gross_minor for one in workshop.rows(t.Invoice)]


def test_set_aside_then_taken_by_a_colleague(at_desk: AtDesk, visitor: Callable[[], Colleague], workshop: Workshop) -> None:
    switch_on(at_desk)
    client = visitor().client
    checkout, order = buy(client, "STOOL", 1)
    assert "You are charged when your parcel leaves us" in checkout
    assert "Your bank has set this amount aside." in order
    assert "<dt>Total" in order
    assert "<dt>Paid" not in order
    assert paid(workshop) == ("authorised", "authorised", [])
    assert "1 payment is only set aside: €53.90." in at_desk("Ada").get("/desk/accounts")
    number = workshop.orders()[0].number
    page = at_desk("Bea").get(f"/desk/sales/orders/{number}")
    assert "set aside, not taken yet" in page
    assert "Take the money now" in page
    assert "Give money back" not in page
    assert "The provider is asked to take the money." in at_desk("Bea").send(f"/desk/sales/orders/{number}/charge")
    at_desk("Bea").send(f"/desk/sales/orders/{number}/charge")
    assert at_desk("Wim").post(f"/desk/sales/orders/{number}/charge").status_code == 403
    work(workshop)
    assert paid(workshop) == ("succeeded", "paid", [5_390])
    assert "set aside" not in at_desk("Ada").get("/desk/accounts")
    assert len(workshop.rows(AuditEntry, action="payment.capture")) == 1


def test_cancelled_by_the_customer_it_is_let_go(at_desk: AtDesk, visitor: Callable[[], Colleague], workshop: Workshop) -> None:
    switch_on(at_desk)
    client = visitor().client
    _, order = buy(client, "STOOL", 1)
    link = re.search(r'href="(/o/[^"]+/cancel)"', order)
    assert link
    client.post(link[1], data={})
    work(workshop)
    assert paid(workshop) == ("voided", "voided", [])
    page = html.unescape(client.get(link[1].removesuffix("/cancel")).text)
    assert "You were not charged" in page


def test_what_arrives_after_the_week_is_charged_at_once(
    at_desk: AtDesk, visitor: Callable[[], Colleague], workshop: Workshop
) -> None:
    switch_on(at_desk)
    client = visitor().client
    checkout, order = buy(client, "TABLE", 4)
    assert "You are charged now: a bank sets money aside for a week only" in checkout
    assert "<dt>Paid" in order
    assert paid(workshop)[:2] == ("succeeded", "paid")
