"""Accounts: a customer who may log in, sees their orders and orders again. Nobody needs one to buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from backoffice.public.addresses import Address
from backoffice.public.money import Money


@dataclass(frozen=True, slots=True)
class AccountView:
    """Who is logged in."""

    email: str
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class Device:
    """One browser that is logged in. here: the one that asks."""

    id: int
    words: str
    seen_at: datetime
    here: bool


@dataclass(frozen=True, slots=True)
class OrderBrief:
    """One order in the list of somebody's own. token: of its order page. contents: (name, options, quantity)."""

    number: str
    state: str
    placed_at: datetime
    expected_on: date
    total: Money
    token: str
    contents: Sequence[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class OrderList:
    """One page of somebody's orders, the newest first. pages: how many there are, at least one."""

    orders: Sequence[OrderBrief]
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Again:
    """An old order set against the cart. short: (name, wanted, in the cart) of what the cart has too little of."""

    number: str
    cart: str | None
    short: Sequence[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class SavedAddress:
    """One address of an account's book. lines: as its country writes it, without the country."""

    id: int
    address: Address
    lines: Sequence[str]
    preferred: bool


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A new session of a browser, and the cart that goes with it. token: for its cookie; cart: None when it has none."""

    token: str
    cart: str | None


class AccountDoor(Protocol):
    """Register, log in, and look after what is one's own. `token`: the session's; `who_asks`: a network address.

    Every call with a session's token raises Refused(not_logged_in) where that session has ended. No answer tells whether
    an address has an account. Raises TooOften(too_many_tries) after 10 tries within 5 minutes, Refused(busy).
    """

    def register(
        self, *, email: str, name: str, password: str, language: str, base_url: str, who_asks: str, now: datetime
    ) -> None:
        """Write to the address: a link to confirm it, or that there is an account already. Raises BadInput(invalid_form)."""
        ...

    def confirm(self, link: str, password: str, *, device: str, cart: str | None, who_asks: str, now: datetime) -> LoggedIn:
        """Confirm the address by its link and the password chosen, and log in.

        Raises NotFound(unknown_link) for a link that is used up, over or none, Refused(wrong_password).
        """
        ...

    def log_in(self, *, email: str, password: str, device: str, cart: str | None, who_asks: str, now: datetime) -> LoggedIn:
        """Log in. A cart of this browser with something in it stays; else the account's open cart comes here.

        Raises Refused(wrong_login): unknown, not confirmed and wrong password get one answer.
        """
        ...

    def ask_reset(self, email: str, *, base_url: str, who_asks: str, now: datetime) -> None:
        """Write a link to choose a new password to the address, if it has an account."""
        ...

    def reset(self, link: str, password: str, *, device: str, cart: str | None, now: datetime) -> LoggedIn:
        """Set a new password by a mailed link, end every session and log in. Raises NotFound(unknown_link), BadInput."""
        ...

    def find(self, token: str | None, *, now: datetime) -> AccountView | None:
        """Return who this session is of; None once it has ended."""
        ...

    def log_out(self, token: str) -> None:
        """End this session."""
        ...

    def log_out_everywhere(self, token: str, *, now: datetime) -> None:
        """End every session of this account."""
        ...

    def find_devices(self, token: str, *, now: datetime) -> Sequence[Device]:
        """Return the browsers that are logged in, the last one seen first."""
        ...

    def change(self, token: str, *, name: str, language: str, now: datetime) -> None:
        """Change name and language of mails. Raises BadInput(invalid_form)."""
        ...

    def change_password(self, token: str, *, old: str, new: str, who_asks: str, now: datetime) -> str:
        """Change the password and end every other session; return the token that this one has from now on.

        Raises BadInput(invalid_form: old → wrong_password, password).
        """
        ...

    def close(self, token: str, *, password: str, who_asks: str, now: datetime) -> None:
        """Close the account; orders stay behind their links. Raises BadInput(invalid_form: password → wrong_password)."""
        ...

    def find_orders(self, token: str, *, page: int, now: datetime) -> OrderList:
        """Return one page of the orders of this account and of its confirmed address. Raises NotFound(unknown_page)."""
        ...

    def order_again(self, token: str, number: str, *, cart: str | None, now: datetime) -> Again:
        """Put the lines of an old order into the cart, as far as they can be promised. Raises NotFound(unknown_order)."""
        ...

    def compare(self, token: str, number: str, *, cart: str | None, now: datetime) -> Again:
        """Say what of an old order the cart has too little of; changes nothing. Raises NotFound(unknown_order)."""
        ...

    def find_addresses(self, token: str, *, now: datetime) -> Sequence[SavedAddress]:
        """Return the address book, the preferred address first."""
        ...

    def save_address(self, token: str, address: Address, *, address_id: int | None = None, now: datetime) -> int:
        """Change an address, or add one; return its id. What is there already is not added twice.

        Raises BadInput(invalid_form, fields as at checkout), NotFound(unknown_address), Refused(too_many_addresses).
        """
        ...

    def remove_address(self, token: str, address_id: int, *, now: datetime) -> None:
        """Remove an address. Raises NotFound(unknown_address), the same for one of another account."""
        ...

    def prefer_address(self, token: str, address_id: int, *, now: datetime) -> None:
        """Let the checkout begin with this address. Raises NotFound(unknown_address)."""
        ...
