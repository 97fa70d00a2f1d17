"""Leads: who wants what, from every form of the shop window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

MAY_BE_SENT = ("contact", "question", "tell_me", "order_question", "quote_request", "refused_day")
"""Kinds of messages that customers send."""


@dataclass(frozen=True, slots=True)
class LeadForm:
    """A message as typed. kind: one of MAY_BE_SENT. `key` is minted with the page.

    needed_by_on: as typed (ISO date or empty). trap: a field that people do not see; filled = doubtful, kept apart.
    newsletter: the words that they agreed to, as they read them; empty = they did not. country: of the postcode.
    opened: what the page's form carried of when it was opened (`LeadDoor.open_form`); empty: it carries nothing of that.
    source, medium, campaign, landing: what brought them here, and the first page that they saw.
    """

    key: str
    kind: str
    name: str
    email: str
    phone: str
    message: str
    sku: str = ""
    quantity: str = ""
    needed_by_on: str = ""
    postcode: str = ""
    language: str = ""
    page: str = ""  # where it was written
    trap: str = ""
    company: str = ""
    country: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""
    landing: str = ""
    newsletter: str = ""
    opened: str = ""
    who_asks: str = ""  # the network address that it came from; empty: a partner, or one of us


@dataclass(frozen=True, slots=True)
class ReminderForm:
    """Who wants to be reminded of their cart should they leave it. words: what they agreed to, as they read it."""

    email: str
    name: str
    phone: str
    words: str
    language: str
    page: str
    who_asks: str = ""  # the network address that it came from


@dataclass(frozen=True, slots=True)
class ConsentView:
    """What somebody allowed, in the words that they read then. standing: False once they took it back.

    confirmed: False while it waits for them to say by the link of their mail that the address is theirs.
    """

    wording: str
    standing: bool
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class LeadReceipt:
    """What the customer is told: when they will have an answer."""

    answer_by: datetime
    answer_by_on: date


class LeadDoor(Protocol):
    """Take a message in. Posting the same form twice makes one lead."""

    def open_form(self, *, now: datetime) -> str:
        """Return the key of a form that is shown now."""
        ...

    def submit(self, form: LeadForm, *, now: datetime) -> LeadReceipt:
        """Raises BadInput(invalid_form, fields)."""
        ...

    def find_consent(self, token: str) -> ConsentView:
        """Return the consent behind the link of a mail. Raises NotFound(unknown_record)."""
        ...

    def confirm_consent(self, token: str, *, now: datetime) -> None:
        """Let it hold; a second time changes nothing. Raises NotFound(unknown_record)."""
        ...

    def remind(self, cart: str | None, form: ReminderForm, *, now: datetime) -> bool:
        """Note that somebody wants to be reminded of their cart; False: there is no such cart. Raises BadInput(invalid_form)."""
        ...

    def withdraw_consent(self, token: str, *, now: datetime) -> None:
        """Take it back, for good; a second time changes nothing. Raises NotFound(unknown_record)."""
        ...
