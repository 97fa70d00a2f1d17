"""Quotations behind their secret link: what was put together for somebody, kept for them until it ends, and how to accept it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from backoffice.public.checkout import PaymentStart
from backoffice.public.money import Money


@dataclass(frozen=True, slots=True)
class QuotationLine:
    """One line. price: of a piece, as agreed; list_price: before its discount of so many in 100."""

    name: str
    options: str
    sku: str
    quantity: int
    list_price: Money
    discount_percent: int
    price: Money
    total: Money


@dataclass(frozen=True, slots=True)
class QuotationView:
    """A quotation as its customer sees it. state: sent | paying | accepted | expired | withdrawn.

    replaced: the link is that of an older version. told_on: by when it arrives if it is accepted at the last moment;
    deliver_on: if it is accepted now. None: no day can be promised any more. order_token: of the order that it became.
    """

    number: str
    version: int
    state: str
    replaced: bool
    lines: Sequence[QuotationLine]
    subtotal: Money
    shipping: Money
    total: Money
    told_on: date | None
    deliver_on: date | None
    valid_until: datetime
    sent_at: datetime
    note: str
    name: str
    email: str
    address: Sequence[str]
    country: str
    by: str
    language: str
    order_token: str = ""


class QuotationDoor(Protocol):
    """Read a quotation by its secret token, accept it, or ask for it again."""

    def get(self, token: str, *, now: datetime) -> QuotationView:
        """Return the newest version of a quotation. Raises NotFound(unknown_record)."""
        ...

    def paper(self, token: str, *, now: datetime) -> tuple[str, bytes]:
        """Return it as a PDF file in its customer's language, with the file's name. Raises NotFound(unknown_record)."""
        ...

    def accept(self, token: str, version: int, total_minor: int, told_on: date, *, now: datetime) -> PaymentStart:
        """Accept what the page showed, and open its payment page; however many do so at once, it is one order.

        Raises NotFound(unknown_record), Refused(quotation_replaced | quotation_expired | quotation_over | stale | day_moved |
        not_available | payment_away | email_refused | amount_refused); nothing is ordered then.
        """
        ...

    def ask_again(self, token: str, message: str, *, now: datetime) -> date:
        """Ask for an ended one once more; return by which day they have an answer.

        Raises NotFound(unknown_record), BadInput(invalid_form, fields), Refused(wrong_state).
        """
        ...
