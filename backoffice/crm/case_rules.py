"""Rules of service cases: their states, their first priority, how long each priority may take. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from backoffice.public.cases import CASE_KINDS

KINDS = CASE_KINDS
PRIORITIES = ("urgent", "high", "normal", "low")
STATES = ("open", "waiting", "solved", "closed")
TRANSITIONS: Mapping[str, Mapping[str, str]] = {
    # verb: {state before: state after}
    "note": {state: state for state in STATES},
    "take": {"open": "open", "waiting": "waiting"},
    "hand": {"open": "open", "waiting": "waiting"},
    "prioritise": {"open": "open", "waiting": "waiting"},
    "answer": {"open": "waiting", "waiting": "waiting", "solved": "waiting"},
    "go_on": {"open": "open", "waiting": "open", "solved": "open"},  # answered, and more is to come from us
    "solve": {"open": "solved", "waiting": "solved"},
    "close": {"open": "closed", "waiting": "closed", "solved": "closed"},
    "reopen": {"solved": "open", "closed": "open"},
    "reply": {"open": "open", "waiting": "open", "solved": "open"},  # they wrote again
}
_ORDER_NUMBER = re.compile(r"\bSF-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}\b")
MOST_NAMED = 5  # order numbers that are looked up of one mail


class Minutes(NamedTuple):
    """Open office minutes from the opening of a case: until we have answered, until it is solved."""

    answer: int
    solve: int


USUAL: Mapping[str, Minutes] = {
    "urgent": Minutes(60, 480),
    "high": Minutes(240, 960),
    "normal": Minutes(480, 2400),
    "low": Minutes(960, 4800),
}


def first_priority(kind: str, *, promised_on: date | None, arrived: bool, today: date) -> str:
    """Return how urgent a new case is; a colleague may say otherwise. promised_on: of its goods; None: of no order.

    What came broken or wrong, and what is later than was promised, is high; papers can wait.
    """
    late = promised_on is not None and not arrived and today > promised_on
    if kind in ("damaged", "wrong") or late:
        return "high"
    return "low" if kind == "invoice" else "normal"


def order_numbers(*texts: str) -> list[str]:
    """Return the order numbers that a mail names, each once, at most MOST_NAMED."""
    found = (number for text in texts for number in _ORDER_NUMBER.findall(text.upper()))
    return list(dict.fromkeys(found))[:MOST_NAMED]
