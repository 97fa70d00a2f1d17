"""Whom to call first: the points of each case worked out by hand from the table of weights."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.crm.scoring import GROUPS, WEIGHTS, Facts, parts, total

NEEDED = date(2026, 12, 10)


def test_every_weight_belongs_to_a_group() -> None:
    assert list(WEIGHTS) == list(GROUPS)


@pytest.mark.parametrize(
    ("possible_on", "reason", "points"),
    [
        (date(2026, 12, 10), "in_time", 25),
        (date(2026, 12, 13), "few_days_late", 10),
        (date(2026, 12, 14), "late", 0),
        (None, "cannot_be_had", -15),
    ],
)
def test_what_can_be_delivered_counts(possible_on: date | None, reason: str, points: int) -> None:
    found = parts(Facts("question", asked=True, needed_by_on=NEEDED, possible_on=possible_on))
    assert [(one.group, one.reason, one.points, one.day) for one in found] == [("feasibility", reason, points, possible_on)]


def test_without_a_day_it_is_enough_that_it_can_be_had() -> None:
    assert total(parts(Facts("question", asked=True, possible_on=NEEDED))) == 15


def test_a_buyer_of_many_for_a_company_in_time_is_called_first() -> None:
    best = Facts("quote_request", True, True, 10, "STOOL", True, 2, True, NEEDED, NEEDED)
    assert [one.reason for one in parts(best)] == [
        "bought_before",
        "company",
        "many_pieces",
        "names_an_item",
        "asks_for_a_price",
        "telephone",
        "came_back",
        "in_time",
    ]
    assert total(parts(best)) == 90


def test_a_score_is_never_below_nothing() -> None:
    assert total(parts(Facts("question", asked=True))) == 0
    assert parts(Facts("contact")) == []
