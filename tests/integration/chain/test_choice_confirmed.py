"""Whoever has chosen after a slip gets one mail that says so, with the day that now holds."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.bridge.mail import compose
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Order, Slip
from backoffice.erp import counting, replan
from backoffice.erp import models as t
from backoffice.payments import choosing
from backoffice.public.errors import Refused
from tests.integration.chain.test_causes import nobody_delivers
from tests.integration.chain.test_slips import buy, choose, mails, move_lamps, slip_of, stand_in

LAMPS = {"name": "Lamp", "options": "", "quantity": 3}
STOOLS = {"name": "Stool", "options": "", "quantity": 2}
AS_EVER = {"to": "ada@example.test", "name": "Ada Lovelace", "language": "en", "shop": "Werk"}


def confirmed(workshop) -> list[dict[str, Any]]:
    """Return what the mails carry that confirm a choice."""
    return [workshop.letter(one) for one in workshop.rows(OutboxMessage, kind="choice_noted")]


def told(workshop, choice: str, option: str = "") -> bool:
    """Choose as a colleague whom the customer of the newest slip has told so."""
    [order] = workshop.orders()
    by = {"by": "Bea", "said_by": "Ada", "now": workshop.now}
    slip_id = workshop.rows(Slip)[-1].id
    return workshop.db.run(lambda session: choosing.choose(session, order.number, slip_id, choice, option, **by))


def test_who_waits_is_told_the_day_that_holds_once(workshop):
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    choose(workshop, mine, "accept")
    choose(workshop, mine, "accept")  # pressed twice
    with pytest.raises(Refused):
        choose(workshop, mine, "cancel")  # in another tab
    assert mails(workshop) == ["order_confirmed", "day_moved", "choice_noted"]
    [order] = workshop.rows(Order)
    assert confirmed(workshop) == [
        AS_EVER
        | {
            "number": order.number,
            "link": f"http://localhost/o/{mine.order_token}",
            "choice": "accepted",
            "item": "",
            "instead_of": "",
            "by_phone": False,
            "amount": {"amount_minor": 0, "currency": "EUR"},
            "charge": "",
            "parts": [{"on": "2026-12-02", "goods": [LAMPS]}],
            "deliver_on": "2026-12-02",
        }
    ]


def test_who_has_it_parted_is_told_both_days(workshop):
    mine = buy(workshop, LAMP=3, STOOL=2)
    move_lamps(workshop, 3, 12)
    choose(workshop, mine, "part")
    assert mails(workshop) == ["order_confirmed", "day_moved", "choice_noted"]
    [said] = confirmed(workshop)
    assert (said["choice"], said["deliver_on"]) == ("parted", "2026-12-02")
    assert said["parts"] == [{"on": "2026-11-30", "goods": [STOOLS]}, {"on": "2026-12-02", "goods": [LAMPS]}]


def test_who_takes_something_else_on_the_telephone_is_told_what_and_what_comes_back(workshop):
    stand_in(workshop, "LAMP", "STOOL")
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    [option] = slip_of(workshop, mine).options
    assert told(workshop, "substitute", option.id)
    assert not told(workshop, "substitute", option.id)
    assert mails(workshop) == ["order_confirmed", "day_moved", "choice_noted"]
    [said] = confirmed(workshop)
    assert (said["choice"], said["item"], said["instead_of"], said["by_phone"]) == ("substituted", "Stool", "Lamp", True)
    assert (said["amount"], said["deliver_on"]) == ({"amount_minor": 9_000, "currency": "EUR"}, "2026-11-30")
    assert said["parts"] == [{"on": "2026-11-30", "goods": [STOOLS | {"quantity": 3}]}]


@pytest.mark.parametrize("by_phone", [False, True])
def test_who_cancels_has_the_mail_of_the_cancelled_order_alone(workshop, by_phone):
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    if by_phone:
        told(workshop, "cancel")
    else:
        choose(workshop, mine, "cancel")
    assert mails(workshop) == ["order_confirmed", "day_moved", "order_cancelled"]
    assert workshop.rows(OutboxMessage, kind="order_cancelled")[0].payload["amount"]["amount_minor"] == 24_200


def test_a_day_that_nobody_knows_is_not_named_and_told_when_there_is_one(workshop):
    """In the words of the customer's own language."""
    start = workshop.start(workshop.cart(STOOL=3), language="de")
    workshop.pay(start)
    nobody_delivers(workshop)
    stools = workshop.rows(t.Item, sku="STOOL")[0].id
    workshop.do(counting.count_stock, stools, 1, 1, ref="count:1")
    choose(workshop, start, "accept")
    [said] = confirmed(workshop)
    assert (said["language"], said["deliver_on"]) == ("de", "")
    assert said["parts"] == [{"on": "", "goods": [STOOLS | {"quantity": 3}]}]
    last = workshop.rows(OutboxMessage)[-1]
    last.payload = workshop.letter(last)
    text = compose(last, "shop@example.test").get_body(("plain",)).get_content()
    assert "Ihre Bestellung:" in text
    assert "None" not in text
    workshop.do(counting.count_stock, stools, 1, 5, ref="count:2")
    assert replan.find_days(workshop.db, now=workshop.now) == 1
    assert mails(workshop) == ["order_confirmed", "day_unknown", "choice_noted", "day_moved"]
