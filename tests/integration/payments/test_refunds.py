"""Money back: whole and in part, never more than was paid, once for each request, told to the customer."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.bridge.models import OutboxMessage
from backoffice.erp import fulfilment
from backoffice.erp import models as t
from backoffice.payments import refunds
from backoffice.payments.gateway import GatewayError
from backoffice.payments.models import Payment
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.integration.payments.conftest import Paying


def ask(paying: Paying, amount: int, key: str) -> Any:
    def work(session: Any) -> None:
        payment = session.query(Payment).one()
        refunds.request(session, payment, amount, reason="partial", key=key, by="Mara", now=paying.now)

    return paying.db.run(work)


def bought(paying: Paying, **lines: int) -> Any:
    start = paying.start(paying.cart(**lines))
    paying.pay(start)
    return start


def test_a_cancelled_order_gives_goods_and_money_back_once(paying: Paying) -> None:
    start = bought(paying, STOOL=2)
    for key in ("k1", "k1", "k2"):
        paying.shop.orders.cancel(start.order_token, key=key, now=paying.now)
    order = paying.order(start)
    assert (order.state, order.cancellable, [(r.amount.amount_minor, r.state) for r in order.refunds]) == (
        "cancelled",
        False,
        [(10_300, "requested")],
    )
    paying.work()
    paying.deliver_all()
    order = paying.order(start)
    assert [(r.amount.amount_minor, r.state, r.reason) for r in order.refunds] == [(10_300, "succeeded", "cancelled")]
    assert (paying.payment().state, paying.payment().refunded_minor, len(paying.double.refunds)) == ("refunded", 10_300, 1)
    assert paying.stock("STOOL") == (5, 0, 0)
    assert paying.mails() == ["order_confirmed", "order_cancelled", "order_refunded"]
    assert [event.kind for event in order.events] == ["order", "cancelled", "refunded"]


def test_a_closed_parcel_is_too_late_and_no_money_moves(paying: Paying) -> None:
    start = bought(paying, STOOL=1)
    [parcel] = paying.rows(t.Shipment)
    paying.do(fulfilment.pick, parcel.id, "STOOL", 1)
    paying.do(fulfilment.pack, parcel.id)
    before = paying.state()
    with pytest.raises(Refused) as refused:
        paying.shop.orders.cancel(start.order_token, key="k", now=paying.now)
    assert refused.value.code == "too_late_to_cancel"
    assert paying.state() == before


def test_nobody_cancels_by_a_link_that_is_none(paying: Paying) -> None:
    bought(paying, STOOL=1)
    before = paying.state()
    with pytest.raises(NotFound):
        paying.shop.orders.cancel("guessed", key="k", now=paying.now)
    assert paying.state() == before


def test_parts_add_up_to_what_was_paid_and_no_further(paying: Paying) -> None:
    bought(paying, STOOL=1)  # 54.00
    ask(paying, 1_000, "a")
    ask(paying, 1_000, "a")  # the same form again
    paying.work()
    assert (paying.payment().state, paying.payment().refunded_minor) == ("partly_refunded", 1_000)
    with pytest.raises(Refused) as refused:
        ask(paying, 4_401, "b")
    assert (refused.value.code, refused.value.details["most"]) == ("refund_too_much", 4_400)
    assert paying.refunds() == [(1_000, "succeeded", "partial")]
    ask(paying, 4_400, "c")
    paying.work()
    assert (paying.payment().state, paying.payment().refunded_minor) == ("refunded", 5_400)
    with pytest.raises(Refused):
        ask(paying, 1, "d")


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_must_be_one(paying: Paying, amount: int) -> None:
    bought(paying, STOOL=1)
    with pytest.raises(BadInput):
        ask(paying, amount, "k")
    assert paying.refunds() == []


def test_an_answer_that_is_lost_is_one_refund(paying: Paying) -> None:
    bought(paying, STOOL=1)
    ask(paying, 1_000, "a")
    paying.double.fail_next = [0, 503, 503, 503]  # the session is read; then the refund is made, and every answer is lost
    paying.work()
    assert (paying.refunds(), len(paying.double.refunds)) == ([(1_000, "requested", "partial")], 1)
    [message] = paying.rows(OutboxMessage, target="refund")
    assert (message.state, message.attempts) == ("pending", 1)
    paying.later(minutes=1)
    paying.work()
    assert (paying.refunds(), len(paying.double.refunds)) == ([(1_000, "succeeded", "partial")], 1)


def test_a_provider_that_nobody_reaches_for_half_a_day_is_waited_for(paying: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    bought(paying, STOOL=1)
    ask(paying, 1_000, "a")

    def nobody(*_given: Any, **_more: Any) -> Any:
        raise GatewayError("APIConnectionError", away=True)

    monkeypatch.setattr(paying.services.gateway, "refund", nobody)
    for _ in range(12):
        paying.work()
        paying.later(hours=1)
    [message] = paying.rows(OutboxMessage, target="refund")
    assert (message.state, message.attempts - message.excused, message.last_error) == ("pending", 0, "Away: APIConnectionError")
    monkeypatch.undo()
    paying.work()
    assert paying.refunds() == [(1_000, "succeeded", "partial")]


def test_a_slow_refund_is_asked_about_until_it_ends(paying: Paying) -> None:
    bought(paying, STOOL=1)
    paying.double.slow_refunds = True
    ask(paying, 1_000, "a")
    paying.work()
    assert (paying.refunds(), paying.payment().state) == ([(1_000, "pending", "partial")], "succeeded")
    [refund] = paying.double.refunds
    paying.double.refund_ends(refund, "succeeded")
    paying.services.till.poll(now=paying.now)  # its message was lost
    assert (paying.refunds(), paying.payment().state) == ([(1_000, "succeeded", "partial")], "partly_refunded")
    paying.deliver_all()
    assert paying.mails().count("order_refunded") == 1


def test_a_refund_that_fails_may_be_asked_for_again(paying: Paying) -> None:
    bought(paying, STOOL=1)
    paying.double.slow_refunds = True
    ask(paying, 5_400, "a")
    paying.work()
    [refund] = paying.double.refunds
    paying.double.refund_ends(refund, "failed")
    paying.deliver_all()
    assert (paying.payment().state, paying.payment().refunded_minor) == ("succeeded", 0)
    paying.double.slow_refunds = False
    ask(paying, 5_400, "b")
    paying.work()
    assert [state for _, state, _ in paying.refunds()] == ["failed", "succeeded"]


def test_a_refund_by_hand_at_the_provider_is_written_down_once(paying: Paying) -> None:
    start = bought(paying, STOOL=1)
    paying.double.refund_by_hand(paying.session(start), 700)
    paying.deliver_all()
    paying.deliver_all()
    assert (paying.refunds(), paying.payment().refunded_minor) == ([(700, "succeeded", "by_provider")], 700)


def test_the_events_of_our_own_refund_are_not_a_second_one(paying: Paying) -> None:
    bought(paying, STOOL=1)
    ask(paying, 1_000, "a")
    paying.work()
    paying.deliver_all()
    assert (paying.refunds(), paying.payment().refunded_minor) == ([(1_000, "succeeded", "partial")], 1_000)
