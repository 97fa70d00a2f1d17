"""From cart to payment to order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from backoffice.public.money import Money

PAY_MINUTES = 31  # a hosted page cannot live for less than half an hour
LONGEST_PAY_MINUTES = 23 * 60  # nor for more than a day
SET_ASIDE_DAYS = 6  # a bank keeps what a card pays for seven: one less, so that there is time to see to it


def is_charged_later(last_on: date, today: date) -> bool:
    """Tell whether an order of which the last parcel is promised for a day may be charged as late as when it leaves."""
    return last_on <= today + timedelta(days=SET_ASIDE_DAYS)


@dataclass(frozen=True, slots=True)
class DeskOrder:
    """What makes a checkout one that sales takes down for a customer, who pays by a link that we mail.

    lead_version: as its page showed it; staff_id: whose order it is. pay_minutes: how long the link can be paid, and the
    goods are kept. It is no part of the form: nothing that is typed in the shop window can make one.
    """

    lead_id: int
    lead_version: int
    staff_id: int
    pay_minutes: int = PAY_MINUTES


@dataclass(frozen=True, slots=True)
class CheckoutForm:
    """What the one-page guest checkout sends, as typed. `key` is minted with the page: the same key is the same order.

    cart_version and total_minor are what the page showed: if they no longer hold, the page is stale.
    """

    key: str
    cart_version: int
    total_minor: int
    email: str
    name: str
    phone: str
    street: str
    city: str
    postcode: str
    country: str
    note: str
    language: str
    company: str = ""
    region: str = ""  # state, province …: its key, its name or its ISO 3166-2 code
    account: str = ""  # the session's token of who is logged in
    keep_address: bool = False  # in the address book of who is logged in
    on_account: bool = False  # on their company's account, instead of paying first


@dataclass(frozen=True, slots=True)
class PaymentStart:
    """Where to send the browser to pay, and where the order will be found after. charged_later: when the first parcel leaves.

    order_proof: what this browser keeps, to read behind that link where the order goes (`orders.Reader`).
    """

    pay_url: str
    order_token: str
    order_proof: str
    charged_later: bool = False


@dataclass(frozen=True, slots=True)
class OnAccount:
    """How somebody could order on their company's account. left: what may still be put on it.

    why_not: account_paused (an invoice is overdue) | over_limit; empty: they can.
    """

    company: str
    due_days: int
    left: Money
    why_not: str = ""


class CheckoutDoor(Protocol):
    """Start a payment. The order itself comes only through settling."""

    def start(
        self, cart: str, form: CheckoutForm, *, base_url: str, now: datetime, desk: DeskOrder | None = None
    ) -> PaymentStart:
        """Check the form, keep the holds while paying and open a session at the payment provider.

        base_url: the shop's address in the customer's language, for links in mails: https://shop.example/de. desk: where
        sales takes it down; None: the customer's own.
        Raises BadInput(invalid_form, fields → required | too_long | bad_email | bad_postcode | unknown_postcode | bad_choice |
        bad_character | unknown_country), Refused(cart_empty | stale | price_changed | not_available | day_moved |
        payment_away | email_refused | amount_refused); for an order of the desk also NotFound(unknown_lead),
        Refused(wrong_state | payment_open); on account also Refused(not_on_account | account_paused | over_limit, left): then
        the order is placed at once, and pay_url leads to it; TooOften(too_many_checkouts): the eleventh of one cart within
        ten minutes, the same form sent again not counted.
        On any refusal the cart is unchanged, and so is the enquiry.
        """
        ...

    def find_on_account(self, account: str | None, total: Money, *, now: datetime) -> OnAccount | None:
        """Tell how who is logged in could put a total on their company's account; None: they may not at all."""
        ...
