"""After a backup was brought back, what the provider was paid since then is an order again, once, or the money goes back."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm.models import Order
from backoffice.local.rebuilding import rebuild
from backoffice.payments.stripe_gateway import parted
from tests.faults.books import copied, put_back
from tests.integration.chain.test_coupons import use, write
from tests.integration.payments.conftest import Paying


def found(paying: Paying, **how: Any) -> list[tuple[str, str]]:
    """Ask the provider; return what became of each session, the oldest first."""
    since = paying.now.replace(hour=0)
    return [(one.ending, one.order) for one in rebuild(paying.services.till, since=since, now=paying.now, **how)][::-1]


def test_an_order_that_was_lost_is_written_again_with_its_number_and_its_link(paying: Paying) -> None:
    with copied(paying.db) as books:
        start = paying.start(paying.cart(STOOL=2, LAMP=1), note="Bell is broken", name="Ada <Ü> Lovelace")
        paying.pay(start)
        before = paying.order(start)
        put_back(paying.db, books)
    assert paying.orders() == []
    assert found(paying, dry_run=True) == [("order", "")]
    assert paying.orders() == []
    assert found(paying) == [("order", before.number)]
    after = paying.order(start)
    assert (after.number, after.total, after.address) == (before.number, before.total, before.address)
    assert [(line.sku, line.quantity, line.promised_on) for line in after.lines] == [
        (line.sku, line.quantity, line.promised_on) for line in before.lines
    ]
    assert paying.stock("STOOL") == (5, 2, 0)
    assert found(paying) == [("known", before.number)]
    assert len(paying.orders()) == 1


def test_what_a_code_took_off_stays_off(paying: Paying) -> None:
    write(paying, value=10)
    with copied(paying.db) as books:
        start = paying.start(use(paying, paying.cart(STOOL=2)))
        paying.pay(start)
        before = paying.order(start)
        put_back(paying.db, books)
    assert found(paying) == [("order", before.number)]
    after = paying.order(start)
    assert (after.discount, after.total) == (before.discount, before.total)
    assert before.discount is not None


def test_a_page_that_was_open_when_the_backup_was_made_is_settled(paying: Paying) -> None:
    start = paying.start(paying.cart(STOOL=1))
    with copied(paying.db) as books:
        paying.pay(start)
        put_back(paying.db, books)
    [(ending, number)] = found(paying)
    assert (ending, number) == ("order", paying.orders()[0].number)


def test_what_cannot_be_had_any_more_goes_back_with_an_apology(paying: Paying) -> None:
    with copied(paying.db) as books:
        paying.pay(paying.start(paying.cart(STOOL=4)))
        put_back(paying.db, books)
    paying.later(minutes=1)
    other = paying.start(paying.cart(STOOL=3))
    paying.pay(other)
    assert [ending for ending, _ in found(paying)] == ["money_back", "known"]
    paying.work()
    assert paying.refunds() == [(20_100, "succeeded", "late_payment")]
    assert paying.mails()[-1] == "order_refunded"
    assert len(paying.orders()) == 1


@pytest.mark.parametrize(
    ("spoilt", "ending"),
    [({"order_00": "{"}, "money_back"), ({"shop": "0" * 16}, "not_ours"), ({"shop": ""}, "not_ours")],
)
def test_what_the_provider_does_not_know_whole_or_is_not_ours(paying: Paying, spoilt: dict[str, str], ending: str) -> None:
    with copied(paying.db) as books:
        start = paying.start(paying.cart(STOOL=1))
        paying.pay(start)
        put_back(paying.db, books)
    paying.double.sessions[paying.session(start)]["metadata"] |= spoilt
    assert [one for one, _ in found(paying)] == [ending]
    paying.work()
    assert [state for _, state, _ in paying.refunds()] == (["succeeded"] if ending == "money_back" else [])
    assert paying.orders() == []


@pytest.mark.parametrize("known", [True, False])
def test_what_was_paid_and_given_back_meanwhile_is_no_order_again(paying: Paying, known: bool) -> None:
    start = paying.start(paying.cart(STOOL=1)) if known else None
    with copied(paying.db) as books:
        start = start or paying.start(paying.cart(STOOL=1))
        paying.pay(start)
        paying.double.refund_by_hand(paying.session(start), 5_400)
        put_back(paying.db, books)
    assert found(paying) == [("given_back_before", "")]
    paying.work()
    assert paying.orders() == []
    assert len(paying.double.refunds) == 1
    assert paying.refunds() == ([(5_400, "succeeded", "late_payment")] if known else [])


def test_part_of_it_that_went_back_is_noted(paying: Paying) -> None:
    with copied(paying.db) as books:
        start = paying.start(paying.cart(STOOL=2))
        paying.pay(start)
        paying.double.refund_by_hand(paying.session(start), 1_000)
        put_back(paying.db, books)
    assert [ending for ending, _ in found(paying)] == ["order"]
    assert (paying.payment().state, paying.payment().refunded_minor) == ("partly_refunded", 1_000)


def test_a_number_belongs_to_one_order(paying: Paying) -> None:
    numbers = set()
    for _ in range(3):
        paying.pay(paying.start(paying.cart(STOOL=1)))
    with paying.db.read() as session:
        numbers = set(session.scalars(sa.select(Order.number)))
    assert len(numbers) == 3


def test_an_order_that_is_too_long_for_the_provider_is_not_kept_there_in_part() -> None:
    assert {name: len(value) for name, value in parted("x" * 1_001).items()} == {"order_00": 500, "order_01": 500, "order_02": 1}
    assert len(parted("x" * 20_000)) == 40
    assert parted("x" * 20_001) == {}
