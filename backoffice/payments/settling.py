"""What the provider's word about a session means for its payment. Rules alone: `settle` does what they say."""

from __future__ import annotations

from typing import Literal

from backoffice.payments.gateway import PaymentSession
from backoffice.public.money import Money

PAYMENT_MOVES: dict[str, tuple[str, ...]] = {
    "opened": ("processing", "authorised", "succeeded", "failed", "expired"),
    "processing": ("authorised", "succeeded", "failed", "expired"),
    "authorised": ("succeeded", "voided"),  # see captures
    "succeeded": ("partly_refunded", "refunded", "disputed"),
    "failed": ("authorised", "succeeded"),  # the money came after all
    "expired": ("authorised", "succeeded"),
    "voided": (),
    "partly_refunded": ("refunded", "disputed"),
    "refunded": (),
    "disputed": (
        "refunded",
    ),  # decided for us it is again what it was before: see refunds.show_state, no message about a session
}

Step = Literal["", "known", "differs", "order", "captured", "voided", "failed", "expired", "processing"]
"""What is to be done. "": nothing yet; known: nothing more; differs: a person must look; order: it becomes one."""


def step_for(state: str, owed: Money, news: PaymentSession) -> Step:
    """Return what news of a session asks to be done with its payment, whatever came before it. state: of the payment."""
    if state == "authorised":
        return _end_of_what_is_set_aside(owed, news)
    if news.state in ("paid", "authorised"):
        if "succeeded" not in PAYMENT_MOVES[state]:
            return "known"
        return "order" if news.amount == owed else "differs"
    if news.state in ("expired", "failed", "voided"):
        ended: Step = "expired" if news.state == "expired" else "failed"  # let go before we heard that it was set aside
        return ended if ended in PAYMENT_MOVES[state] else "known"
    return "processing" if news.state == "processing" and state == "opened" else ""


def is_late(state: str) -> bool:
    """Tell whether money that comes now comes after all: its goods were given free, and must be held again."""
    return state in ("failed", "expired")


def _end_of_what_is_set_aside(owed: Money, news: PaymentSession) -> Step:
    if news.state == "voided":
        return "voided"
    if news.state != "paid":
        return "known"
    return "captured" if news.amount == owed else "differs"
