"""Questions about an order, as their customer sees them: ask, read what came of it, write again, say how content one is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

CASE_KINDS = ("where", "damaged", "wrong", "return", "invoice", "other")


@dataclass(frozen=True, slots=True)
class CaseForm:
    """A question as typed. parcel: its number, line: its place in the order from 1, empty for all; who_asks: network address."""

    key: str
    kind: str
    message: str
    parcel: str = ""
    line: str = ""
    who_asks: str = ""


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A question in a list. state: open | waiting (for its customer) | solved | closed."""

    token: str
    number: str
    kind: str
    state: str
    subject: str
    asked_at: datetime
    order: str


@dataclass(frozen=True, slots=True)
class CaseMessage:
    """Something that was said. ours: by the shop. kind: message | solved | reopened; of the last two the text is empty."""

    kind: str
    ours: bool
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseView:
    """A question with all that was said. may_rate: it is settled, so its customer may say how content they are.

    answer_by: by when they hear from us; None: they have. score, comment: what they said before.
    """

    summary: CaseSummary
    messages: Sequence[CaseMessage]
    email: str
    answer_by: datetime | None
    may_rate: bool
    score: int | None
    comment: str


class CaseDoor(Protocol):
    """Ask about an order."""

    def open(self, order_token: str, form: CaseForm, *, now: datetime) -> str:
        """Ask; return the question's own link token. The same form twice is one question.

        Raises NotFound(unknown_order), BadInput(invalid_form, fields), TooOften(too_many_tries).
        """
        ...

    def of_order(self, order_token: str) -> Sequence[CaseSummary]:
        """Return what was asked about an order, the newest first. Raises NotFound(unknown_order)."""
        ...

    def of_account(self, session_token: str, *, now: datetime) -> Sequence[CaseSummary]:
        """Return what somebody who is logged in asked, the newest first. Raises Refused(not_logged_in)."""
        ...

    def get(self, token: str) -> CaseView:
        """Return a question. Raises NotFound(unknown_case)."""
        ...

    def write(self, token: str, message: str, *, key: str, who_asks: str, now: datetime) -> str:
        """Write again; return the token of the question that has it: a new one where the old one is closed.

        The same `key` with the same words is written once. Raises NotFound(unknown_case), BadInput(invalid_form, message),
        TooOften(too_many_tries).
        """
        ...

    def rate(self, token: str, score: str, comment: str, *, now: datetime) -> None:
        """Say how content one is with what came of it, or say it anew.

        Raises NotFound(unknown_case), BadInput(invalid_form, score | comment), Refused(wrong_state) before it is settled.
        """
        ...
