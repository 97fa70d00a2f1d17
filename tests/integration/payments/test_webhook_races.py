"""The same message many times over: at the same instant, and in every order with the others of its payment."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from backoffice.erp import counting
from backoffice.erp import models as t
from backoffice.payments.models import PaymentEvent
from tests.company import item_id
from tests.integration.payments.conftest import Paying

COPIES = 5
MESSAGES = ["checkout.session.completed", "checkout.session.async_payment_succeeded", "refund.created"]


def at_once(paying: Paying, sent: list[dict[str, Any]]) -> list[int]:
    """Send messages from as many threads at the same instant; return how each was answered."""
    ready = Barrier(len(sent))

    def send(event: dict[str, Any]) -> int:
        body, headers = paying.double.signed(event)
        ready.wait(timeout=30)
        return paying.send(body, headers).status_code

    with ThreadPoolExecutor(len(sent)) as pool:
        return list(pool.map(send, sent))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_five_copies_at_the_same_instant_are_one_order(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=2))
    paying.double.pay(paying.session(start))
    [paid] = [event for event in paying.double.events if event["type"] == "checkout.session.completed"]
    assert at_once(paying, [paid] * COPIES) == [200] * COPIES
    assert ([order.state for order in paying.orders()], paying.mails()) == (["confirmed"], ["order_confirmed"])
    assert paying.stock("STOOL") == (5, 2, 0)
    assert len(paying.rows(PaymentEvent, id=f"stripe:{paid['id']}")) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_five_copies_of_a_refund_at_the_same_instant_are_one_refund(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.pay(start)
    known = len(paying.double.events)
    paying.double.refund_by_hand(paying.session(start), 700)
    news = paying.double.events[known:]
    answers = at_once(paying, [event for event in news for _ in range(COPIES)])
    # two of different kinds may meet on the same row; what was told to come again comes again, as Stripe does
    assert set(answers) <= {200, 409, 503}
    for event in news:
        assert paying.deliver(event).status_code == 200
    assert (paying.refunds(), paying.payment().refunded_minor) == ([(700, "succeeded", "by_provider")], 700)


def test_every_order_of_a_payments_messages_ends_the_same_each_time_twice(paying: Paying) -> None:
    """Three messages of a fresh payment in each of 6 orders, then again in each of 6: 36 sequences of 6."""

    def more(session: Any) -> None:
        works = session.query(t.Warehouse).one().id
        counting.count_stock(session, item_id(session, "STOOL"), works, 50, ref="more", actor="t", now=paying.now)

    paying.db.run(more)
    for number, (first, again) in enumerate(itertools.product(itertools.permutations(range(3)), repeat=2), start=1):
        known = len(paying.double.events)
        start = paying.start(paying.cart(STOOL=1))
        paying.double.pay(paying.session(start), slow=True)
        paying.double.money_comes(paying.session(start))
        paying.double.refund_by_hand(paying.session(start), 700)
        news = paying.double.events[known:]
        assert [one["type"] for one in news] == MESSAGES
        for index in (*first, *again):
            assert paying.deliver(news[index]).status_code == 200, (first, again, index)
        assert len(paying.orders()) == number, (first, again)
        assert paying.refunds() == [(700, "succeeded", "by_provider")] * number, (first, again)
    assert paying.stock("STOOL") == (50, 36, 0)
    assert paying.mails().count("order_confirmed") == paying.mails().count("order_refunded") == 36
