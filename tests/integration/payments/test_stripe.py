"""The real Stripe library against the double: sessions, messages in any order, late money, declines."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from backoffice.payments.models import Payment, PaymentEvent
from backoffice.public.errors import Refused
from tests.integration.payments.conftest import Paying
from tests.stripe_double import DECLINED


def test_a_paid_session_is_an_order_once(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=2))
    session = paying.double.sessions[paying.session(start)]
    assert (session["amount_total"], session["currency"], session["customer_email"]) == (10_300, "eur", "ada@example.test")
    paying.pay(start)
    order = paying.order(start)
    assert (order.state, order.total.amount_minor) == ("confirmed", 10_300)
    for _ in range(3):
        assert paying.deliver(paying.double.events[-1]).status_code == 200
    assert (len(paying.orders()), paying.mails()) == (1, ["order_confirmed"])
    assert paying.payment().intent_ref == session["payment_intent"]


def test_the_same_form_sent_twice_opens_one_session(paying: Paying) -> None:
    cart = paying.cart(STOOL=1)
    first, second = paying.start(cart), paying.start(cart)
    assert first.pay_url == second.pay_url
    assert len(paying.double.sessions) == 1


def test_a_lost_answer_is_asked_for_again_and_opens_no_second_session(paying: Paying) -> None:
    paying.double.fail_next = [500, 500]  # the first try and the library's own one more
    cart = paying.cart(STOOL=1)
    with pytest.raises(Refused) as refused:
        paying.start(cart)
    assert refused.value.code == "payment_away"
    start = paying.start(cart)
    assert (len(paying.double.sessions), start.pay_url.startswith(paying.double.base)) == (1, True)


def test_a_declined_card_leaves_the_session_open(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start), DECLINED)
    assert paying.payment().state == "opened"
    paying.pay(start)
    assert paying.order(start).state == "confirmed"


def test_lost_messages_are_healed_by_asking(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start))
    assert paying.orders() == []
    paying.services.till.poll(now=paying.now)
    assert [order.state for order in paying.orders()] == ["confirmed"]
    paying.deliver_all()
    assert (len(paying.orders()), paying.mails()) == (1, ["order_confirmed"])


def test_a_slow_payment_waits_and_then_is_an_order(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start), slow=True)
    paying.deliver_all()
    assert (paying.payment().state, paying.orders()) == ("processing", [])
    paying.double.money_comes(paying.session(start))
    paying.deliver_all()
    assert paying.order(start).state == "confirmed"


def test_a_slow_payment_that_fails_gives_the_goods_back(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=5))
    paying.double.pay(paying.session(start), slow=True)
    paying.double.money_comes(paying.session(start), well=False)
    paying.deliver_all()
    assert (paying.payment().state, paying.stock("STOOL")) == ("failed", (5, 0, 0))


@pytest.mark.parametrize("well", [True, False])
def test_any_order_and_any_number_of_messages_ends_in_the_same_state(paying: Paying, well: bool) -> None:
    """Three events, each once or twice, in every order: 6 × 8 sequences on one payment each would be slow; the states
    of one payment absorb them all, so every sequence is sent to the same one."""
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start), slow=True)
    paying.double.money_comes(paying.session(start), well=well)
    events = list(paying.double.events)
    assert [event["type"].rpartition(".")[2] for event in events] == [
        "completed",
        "async_payment_succeeded" if well else "async_payment_failed",
    ]
    for event in reversed(events):
        assert paying.deliver(event).status_code == 200
    ended = (paying.payment().state, [order.state for order in paying.orders()], paying.mails())
    assert ended == (("succeeded", ["confirmed"], ["order_confirmed"]) if well else ("failed", [], []))
    for sequence in itertools.product(events, repeat=3):
        for event in sequence:
            assert paying.deliver(event).status_code == 200
    assert (paying.payment().state, [order.state for order in paying.orders()], paying.mails()) == ended


def test_what_has_run_out_is_closed_at_stripe_before_the_goods_are_released(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=5))
    paying.later(minutes=32)
    assert paying.stock("STOOL") == (5, 0, 5)
    paying.services.till.poll(now=paying.now)
    assert paying.double.sessions[paying.session(start)]["status"] == "expired"
    assert (paying.payment().state, paying.stock("STOOL")) == ("expired", (5, 0, 0))


def test_money_that_comes_late_is_still_an_order_while_the_goods_are_there(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=5))
    paying.double.pay(paying.session(start), slow=True)
    paying.double.money_comes(paying.session(start), well=False)
    paying.deliver_all()
    assert (paying.payment().state, paying.stock("STOOL")) == ("failed", (5, 0, 0))
    paying.double.money_comes(paying.session(start))
    paying.deliver_all()
    assert (paying.payment().state, paying.stock("STOOL"), paying.mails()) == ("succeeded", (5, 5, 0), ["order_confirmed"])
    assert paying.order(start).state == "confirmed"


def test_money_that_comes_too_late_goes_back_with_an_apology(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=5))
    paying.double.pay(paying.session(start), slow=True)
    paying.double.money_comes(paying.session(start), well=False)
    paying.deliver_all()
    other = paying.start(paying.cart(STOOL=3))  # somebody else buys meanwhile
    paying.pay(other)
    paying.double.money_comes(paying.session(start))
    paying.deliver_all()
    paying.work()
    late = next(p for p in paying.rows(Payment) if p.provider_ref == paying.session(start))
    assert (late.state, late.refunded_minor) == ("refunded", 5 * 4_900 + 500)
    assert paying.refunds() == [(25_000, "succeeded", "late_payment")]
    assert [order.state for order in paying.orders()] == ["confirmed"]
    assert paying.mails() == ["order_confirmed", "order_refunded"]
    assert paying.stock("STOOL") == (5, 3, 0)


@pytest.mark.parametrize("gone", [False, True])
def test_an_expired_session_that_was_paid_all_the_same(paying: Paying, gone: bool) -> None:
    start = paying.start(paying.cart(STOOL=5))
    name = paying.session(start)
    paying.double.pay(name, slow=True)
    paying.double.money_comes(name)
    completed, paid = paying.double.events
    over = {**completed, "id": "evt_over", "type": "checkout.session.expired"}
    over["data"] = {"object": {**completed["data"]["object"], "status": "expired", "payment_intent": None}}
    assert paying.deliver(over).status_code == 200
    assert (paying.payment().state, paying.stock("STOOL")) == ("expired", (5, 0, 0))
    if gone:
        paying.pay(paying.start(paying.cart(STOOL=1)))  # somebody else buys meanwhile
    for event in (paid, over, paid):
        assert paying.deliver(event).status_code == 200
    paying.work()
    late = next(p for p in paying.rows(Payment) if p.provider_ref == name)
    if gone:
        assert (late.state, paying.refunds()) == ("refunded", [(25_000, "succeeded", "late_payment")])
        assert (len(paying.orders()), paying.stock("STOOL")) == (1, (5, 1, 0))
    else:
        assert (late.state, paying.refunds(), paying.stock("STOOL")) == ("succeeded", [], (5, 5, 0))
        assert paying.order(start).state == "confirmed"


def test_another_amount_makes_no_order_and_says_why(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start))
    event = paying.double.events[-1]
    event["data"]["object"]["amount_total"] -= 1
    assert paying.deliver(event).status_code == 200
    payment = paying.payment()
    assert (payment.state, payment.problem, paying.orders(), paying.stock("STOOL")) == ("opened", "amount_differs", [], (5, 0, 1))


def test_another_currency_makes_no_order(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start))
    event = paying.double.events[-1]
    event["data"]["object"]["currency"] = "jpy"
    assert paying.deliver(event).status_code == 200
    assert (paying.payment().problem, paying.orders()) == ("amount_differs", [])


def events_of(paying: Paying) -> list[Any]:
    with paying.db.read() as session:
        return list(session.query(PaymentEvent))


def test_whoever_comes_back_from_the_payment_page_finds_the_cart_held(paying: Paying) -> None:
    cart = paying.cart(STOOL=2)
    first = paying.start(cart)
    again = paying.shop.carts.set_quantity(cart.token, "STOOL", 3, now=paying.now)
    assert paying.double.sessions[paying.session(first)]["status"] == "expired"
    second = paying.start(again)
    paying.pay(second)
    paying.deliver_all()
    assert (len(paying.orders()), paying.stock("STOOL")) == (1, (5, 3, 0))
