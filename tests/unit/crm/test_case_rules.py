"""Service cases: every state can be reached and left, the first priority, the order numbers of a mail."""

from __future__ import annotations

from datetime import date

import pytest

from backoffice.crm.case_rules import KINDS, PRIORITIES, STATES, TRANSITIONS, USUAL, first_priority, order_numbers

TODAY = date(2026, 11, 24)


def test_every_state_can_be_reached_and_left() -> None:
    moves = {(before, after) for verb in TRANSITIONS.values() for before, after in verb.items() if before != after}
    assert {state for pair in moves for state in pair} == set(STATES)
    reached, todo = {"open"}, ["open"]
    while todo:
        here = todo.pop()
        for before, after in moves:
            if before == here and after not in reached:
                reached.add(after)
                todo.append(after)
    assert reached == set(STATES)
    assert {before for before, _ in moves} == set(STATES)


def test_a_reply_opens_what_is_solved_and_nothing_that_is_closed() -> None:
    assert TRANSITIONS["reply"] == {"open": "open", "waiting": "open", "solved": "open"}


@pytest.mark.parametrize(
    ("kind", "promised", "arrived", "priority"),
    [
        ("where", TODAY, False, "normal"),  # today is in time
        ("where", date(2026, 11, 23), False, "high"),
        ("where", date(2026, 11, 23), True, "normal"),  # late, but it is there
        ("where", None, False, "normal"),
        ("damaged", None, True, "high"),
        ("wrong", TODAY, True, "high"),
        ("return", TODAY, True, "normal"),
        ("invoice", TODAY, True, "low"),
        ("invoice", date(2026, 11, 20), False, "high"),
        ("other", date(2026, 11, 23), False, "high"),
    ],
)
def test_the_first_priority(kind: str, promised: date | None, arrived: bool, priority: str) -> None:
    assert kind in KINDS
    assert first_priority(kind, promised_on=promised, arrived=arrived, today=TODAY) == priority


def test_the_more_urgent_the_sooner() -> None:
    assert list(USUAL) == list(PRIORITIES)
    assert sorted(USUAL.values()) == list(USUAL.values())
    assert all(0 < minutes.answer <= minutes.solve for minutes in USUAL.values())


def test_order_numbers_of_a_mail() -> None:
    assert order_numbers("Re: sf-4k7p-q2mn", "SF-4K7P-Q2MN and SF-AAAA-BBBB.", "XSF-AAAA-CCCC SF-AAAA-BBB1") == [
        "SF-4K7P-Q2MN",
        "SF-AAAA-BBBB",
    ]
    assert len(order_numbers(" ".join(f"SF-AAAA-BBB{letter}" for letter in "ABCDEFG"))) == 5
