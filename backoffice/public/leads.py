"""Leads: who wants what, from every form of the shop window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LeadForm:
    """A message as typed. kind: contact | question | tell_me | order_question. `key` is minted with the page.

    needed_by_on: as typed (ISO date or empty). trap: a field that people do not see; filled = doubtful, kept apart.
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


@dataclass(frozen=True, slots=True)
class LeadReceipt:
    """What the customer is told: when they will have an answer."""

    answer_by: datetime
    answer_by_on: date


class LeadDoor(Protocol):
    """Take a message in. Posting the same form twice makes one lead."""

    def submit(self, form: LeadForm, *, now: datetime) -> LeadReceipt:
        """Raises BadInput(invalid_form, fields)."""
        ...
