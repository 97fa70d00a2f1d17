"""Every state of a payment and every word of the provider about it: what is to be done, from a table written by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from backoffice.payments.gateway import PaymentSession, SessionState
from backoffice.payments.settling import PAYMENT_MOVES, is_late, step_for
from backoffice.public.money import Money

OWED = Money(4_900, "EUR")
NEWS = ("open", "processing", "authorised", "paid", "voided", "failed", "expired")
NOTHING = ""
# the payment's state: what each of NEWS means for it
TABLE: dict[str, tuple[str, ...]] = {
    "opened": (NOTHING, "processing", "order", "order", "failed", "failed", "expired"),
    "processing": (NOTHING, NOTHING, "order", "order", "failed", "failed", "expired"),
    "authorised": ("known", "known", "known", "captured", "voided", "known", "known"),
    "succeeded": (NOTHING, NOTHING, "known", "known", "known", "known", "known"),
    "failed": (NOTHING, NOTHING, "order", "order", "known", "known", "known"),  # the money came after all
    "expired": (NOTHING, NOTHING, "order", "order", "known", "known", "known"),
    "voided": (NOTHING, NOTHING, "known", "known", "known", "known", "known"),
    "partly_refunded": (NOTHING, NOTHING, "known", "known", "known", "known", "known"),
    "refunded": (NOTHING, NOTHING, "known", "known", "known", "known", "known"),
    "disputed": (NOTHING, NOTHING, "known", "known", "known", "known", "known"),
}


def word(state: Any, amount: Money = OWED) -> PaymentSession:
    return PaymentSession("cs_1", "https://pay.test/cs_1", state, amount, datetime(2026, 11, 24, tzinfo=UTC))


def test_the_table_is_whole() -> None:
    assert get_args(SessionState) == NEWS
    assert TABLE.keys() == PAYMENT_MOVES.keys()


@pytest.mark.parametrize(
    ("state", "news", "step"),
    [(state, news, step) for state, steps in TABLE.items() for news, step in zip(NEWS, steps, strict=True)],
)
def test_what_is_to_be_done(state: str, news: str, step: str) -> None:
    assert step_for(state, OWED, word(news)) == step


@pytest.mark.parametrize("amount", [Money(4_901, "EUR"), Money(4_899, "EUR"), Money(4_900, "USD")])
def test_money_that_is_not_what_is_owed_makes_no_order_and_ends_nothing(amount: Money) -> None:
    for state, steps in TABLE.items():
        for news, step in zip(NEWS, steps, strict=True):
            wanted = "differs" if step in ("order", "captured") else step  # what brings no money brings no other amount either
            assert step_for(state, OWED, word(news, amount)) == wanted, (state, news)


def test_money_is_late_once_its_goods_were_given_free() -> None:
    assert {state for state in PAYMENT_MOVES if is_late(state)} == {"failed", "expired"}
