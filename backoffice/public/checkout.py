"""From cart to payment to order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


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
    region: str = ""
    account: str = ""  # the session's token of who is logged in


@dataclass(frozen=True, slots=True)
class PaymentStart:
    """Where to send the browser to pay, and where the order will be found after."""

    pay_url: str
    order_token: str


class CheckoutDoor(Protocol):
    """Start a payment. The order itself comes only through settling."""

    def find_typed(self, cart: str) -> Mapping[str, str]:
        """Return what this cart's customer typed the last time they went to pay (field → text), empty if they never did."""
        ...

    def start(self, cart: str, form: CheckoutForm, *, base_url: str, now: datetime) -> PaymentStart:
        """Check the form, keep the holds while paying and open a session at the payment provider.

        base_url: the shop's address in the customer's language, for links in mails: https://shop.example/de.
        Raises BadInput(invalid_form, fields), Refused(cart_empty | stale | price_changed | not_available | day_moved).
        On any refusal the cart is unchanged.
        """
        ...
