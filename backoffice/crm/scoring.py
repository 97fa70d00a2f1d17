"""Whom to call first: a lead's points, each with its reason. Pure: what is known of it is given, nothing is asked.

Three questions: does it fit us, how much do they want it, and can we deliver what they ask by when they need it. Every weight
stands in one table, so that what a company thinks important is changed in one place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

WEIGHTS: Mapping[str, int] = {
    # fit
    "bought_before": 15,
    "company": 10,
    "many_pieces": 10,
    "names_an_item": 5,
    # behaviour
    "asks_for_a_price": 15,
    "left_a_cart": 10,
    "called": 10,
    "telephone": 5,
    "came_back": 5,
    # feasibility
    "in_time": 25,
    "can_be_had": 15,
    "few_days_late": 10,
    "late": 0,
    "cannot_be_had": -15,
}
MANY = 10  # pieces
FEW_DAYS = 3
GROUPS: Mapping[str, str] = {
    **dict.fromkeys(("bought_before", "company", "many_pieces", "names_an_item"), "fit"),
    **dict.fromkeys(("asks_for_a_price", "left_a_cart", "called", "telephone", "came_back"), "behaviour"),
    **dict.fromkeys(("in_time", "can_be_had", "few_days_late", "late", "cannot_be_had"), "feasibility"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a score looks at. possible_on: the day that could be promised now; None with `asked`: there is none."""

    kind: str
    bought_before: bool = False
    company: bool = False
    quantity: int | None = None
    sku: str = ""
    telephone: bool = False
    messages: int = 1
    asked: bool = False
    needed_by_on: date | None = None
    possible_on: date | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One reason with its points. group: fit | behaviour | feasibility; day: the one that could be promised."""

    group: str
    reason: str
    points: int
    day: date | None = None


def parts(facts: Facts) -> list[Part]:
    """Return the reasons that hold, in the order of the table."""
    held = {*_fit(facts), *_behaviour(facts), *_feasibility(facts)}
    day = facts.possible_on
    return [
        Part(GROUPS[reason], reason, points, day if GROUPS[reason] == "feasibility" else None)
        for reason, points in WEIGHTS.items()
        if reason in held
    ]


def total(of: list[Part]) -> int:
    """Return the points together, from 0 to 100."""
    return max(0, min(100, sum(part.points for part in of)))


def _fit(facts: Facts) -> Iterator[str]:
    if facts.bought_before:
        yield "bought_before"
    if facts.company:
        yield "company"
    if (facts.quantity or 0) >= MANY:
        yield "many_pieces"
    if facts.sku:
        yield "names_an_item"


def _behaviour(facts: Facts) -> Iterator[str]:
    wanted = {"quote_request": "asks_for_a_price", "abandoned_cart": "left_a_cart", "phone": "called"}
    if facts.kind in wanted:
        yield wanted[facts.kind]
    if facts.telephone:
        yield "telephone"
    if facts.messages > 1:
        yield "came_back"


def _feasibility(facts: Facts) -> Iterator[str]:
    if not facts.asked:
        return
    if facts.possible_on is None:
        yield "cannot_be_had"
    elif facts.needed_by_on is None:
        yield "can_be_had"
    elif facts.possible_on <= facts.needed_by_on:
        yield "in_time"
    elif (facts.possible_on - facts.needed_by_on).days <= FEW_DAYS:
        yield "few_days_late"
    else:
        yield "late"
