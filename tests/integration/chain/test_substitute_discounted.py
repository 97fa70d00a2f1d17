"""Something else instead of a late line that a code took something off: the same part comes off the other price."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.crm.models import Order
from backoffice.erp import invoicing
from backoffice.payments import billing
from backoffice.payments.gateway import GatewayRefund
from backoffice.payments.models import Payment, Refund
from backoffice.public.money import Money
from tests.integration.chain.test_coupons import use, write
from tests.integration.chain.test_slips import choose, move_lamps, slip_of, stand_in


@pytest.mark.parametrize(
    ("rule", "lamps", "paid", "back", "off"),
    [
        # a lamp is 79.00, a stool 49.00, the delivery 5.00
        ({"value": 50}, 1, 4_450, 1_500, 2_450),  # half of 30.00; half of 49.00 stays taken off
        ({"value": 80}, 1, 2_080, 600, 3_920),
        ({"value": 10}, 1, 7_610, 2_700, 490),
        ({"kind": "amount", "value": 7_900}, 1, 500, 0, 4_900),  # all of it was for nothing: so is the stool
        ({"kind": "amount", "value": 1_000}, 1, 7_400, 2_621, 621),  # 3.79 (379.7 cents, down) of 10.00 are the difference's
        ({"kind": "volume", "value": 20, "from_quantity": 3}, 3, 19_460, 7_200, 2_940),  # of 90.00 a fifth was taken off
    ],
)
def test_the_difference_goes_back_less_what_the_code_took_off_it(
    workshop, rule: dict[str, Any], lamps: int, paid: int, back: int, off: int
) -> None:
    write(workshop, **rule)
    stand_in(workshop, "LAMP", "STOOL")
    start = workshop.start(use(workshop, workshop.cart(LAMP=lamps)))
    workshop.pay(start)
    billing.issue_due(workshop.db, now=workshop.now)
    move_lamps(workshop, 3, 12)
    [option] = slip_of(workshop, start).options
    assert option.refund == (Money(back, "EUR") if back else None)
    choose(workshop, start, "substitute", option.id)
    order = workshop.order(start)
    assert (order.subtotal.amount_minor, order.total.amount_minor) == (4_900 * lamps, paid - back)
    assert order.discount == Money(off, "EUR")
    assert [one.refunded_minor for one in workshop.rows(Payment, amount_minor=paid)] == [back]
    assert [one.amount_minor for one in workshop.rows(Refund)] == ([back] if back else [])
    assert slip_of(workshop, start).refund == (Money(back, "EUR") if back else None)
    for refund in workshop.rows(Refund):
        news = GatewayRefund("r", "succeeded", Money(refund.amount_minor, "EUR"))
        workshop.services.till.settle_refund(refund.id, news, now=workshop.now)
    billing.issue_due(workshop.db, now=workshop.now)
    number = workshop.rows(Order)[0].number
    with workshop.db.read() as session:
        papers = [(one.kind, one.gross_minor) for one in invoicing.of_order(session, number)]
    assert papers == [("invoice", paid)] + ([("credit_note", back)] if back else [])
    assert workshop.breaches() == []
