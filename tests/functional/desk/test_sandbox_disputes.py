"""A dispute walked on the sandbox's own page: opened, won, opened again and lost, without Stripe."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backoffice.crm.models import Lead
from backoffice.erp import fulfilment
from backoffice.erp.models import Shipment
from backoffice.payments.models import Dispute, Payment, Refund
from backoffice.public.errors import Refused
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop


def test_opened_won_and_lost(at_desk: Callable[[str], Colleague], visitor: Callable[[], Colleague], workshop: Workshop) -> None:
    order = workshop.buy(STOOL=1)
    page = f"/sandbox/pay/{workshop.rows(Payment)[0].provider_ref}"
    bank = visitor()
    assert f'href="{page}"' in at_desk("Bea").get(f"/desk/sales/orders/{order.number}")
    assert "Dispute this payment" in bank.get(page)
    for _ in range(2):  # pressed twice it is one
        bank.client.post(f"{page}/dispute", data={"state": "open"})
    assert "Decide for the buyer" in bank.get(page)
    assert [(one.state, one.amount_minor) for one in workshop.rows(Dispute)] == [("open", 5_400)]
    assert (workshop.rows(Payment)[0].state, [one.kind for one in workshop.rows(Lead)]) == ("disputed", ["dispute"])
    [parcel] = workshop.rows(Shipment)
    with pytest.raises(Refused, match="on_hold"):
        workshop.do(fulfilment.pick, parcel.id, "STOOL", 1)
    bank.client.post(f"{page}/dispute", data={"state": "won"})
    assert (workshop.rows(Payment)[0].state, workshop.rows(Lead)[0].state) == ("succeeded", "done")
    workshop.do(fulfilment.pick, parcel.id, "STOOL", 1)
    bank.client.post(f"{page}/dispute", data={"state": "open"})
    bank.client.post(f"{page}/dispute", data={"state": "lost"})
    assert [one.state for one in workshop.rows(Dispute)] == ["won", "lost"]
    assert [(one.amount_minor, one.state, one.reason) for one in workshop.rows(Refund)] == [(5_400, "succeeded", "dispute")]
    assert workshop.rows(Payment)[0].state == "refunded"


def test_there_is_nothing_to_decide_where_nothing_was_paid(visitor: Callable[[], Colleague], workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(STOOL=1))
    bank = visitor()
    for state in ("open", "won", "maybe"):
        assert bank.client.post(f"{start.pay_url}/dispute", data={"state": state}).status_code == 404
    assert bank.client.post("/sandbox/pay/nope/dispute", data={}).status_code == 404
    assert workshop.rows(Dispute) == []
