"""The way to the payment page when answers are lost, and what pages say while it is open."""

from __future__ import annotations

from datetime import timedelta

import pytest

from backoffice.erp import models as t
from backoffice.payments import settle
from backoffice.payments.gateway import GatewayError
from backoffice.payments.models import Payment
from backoffice.public.errors import Refused
from tests.company import at


def test_a_lost_answer_of_the_provider_is_asked_for_again_with_the_same_form(workshop, monkeypatch):
    cart = workshop.cart(STOOL=1)
    gateway = workshop.services.gateway
    answer = type(gateway).open_session

    def lost(*args, **named):
        answer(*args, **named)
        raise GatewayError("the answer was lost")

    with monkeypatch.context() as patched:
        patched.setattr(type(gateway), "open_session", lost)
        with pytest.raises(Refused) as refusal:
            workshop.start(cart)
        assert refusal.value.code == "payment_away"
    start = workshop.start(cart)
    assert "/sandbox/pay/" in start.pay_url
    workshop.pay(start)
    assert len(workshop.orders()) == len(workshop.rows(Payment)) == 1


def test_payments_that_wait_for_a_person_do_not_keep_the_poll_from_others(workshop):
    first, second = workshop.start(workshop.cart(STOOL=1)), workshop.start(workshop.cart(STOOL=1))

    def needs_a_person(session):
        session.get(Payment, 1).problem = "the amount paid is not the amount asked"

    workshop.db.run(needs_a_person)
    with workshop.db.read() as session:
        assert [payment.id for payment in settle.unsettled(session, limit=1, now=workshop.now)] == [2]
    assert first.order_token != second.order_token


def test_what_is_past_due_is_not_listed_for_the_rest_of_ten_minutes(workshop):
    workshop.now = at(27, 7, 55)  # the lamps are due at 08:00
    assert "lamp" in workshop.listed()
    workshop.now += timedelta(minutes=6)
    assert "lamp" not in workshop.listed()


def test_a_parcel_of_an_order_paid_late_leaves_on_the_later_day(workshop):
    workshop.now = at(24, 13, 50)
    start = workshop.start(workshop.cart(STOOL=1))
    workshop.now = at(24, 14, 5)
    workshop.pay(start)
    assert workshop.rows(t.Shipment)[0].ship_by_on == at(25, 12).date()
