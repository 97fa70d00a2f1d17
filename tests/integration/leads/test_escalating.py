"""Deadlines, who gets what, and what becomes of what is overdue: over weekends, holidays, changes of the clock and absence.

Each row is worked out by hand on the office's hours (Monday to Friday, 09:00 to 17:00, Berlin; Christmas is a holiday).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import answer_time, assigning, escalating, leads
from backoffice.crm.escalating import HANDED, REMINDED, Overdue, Rule, next_step, receiver
from backoffice.crm.models import Activity, AssignmentRule, Lead
from backoffice.db import Database
from backoffice.erp.models import StaffAbsence
from backoffice.planning.calendars import Calendar
from tests.company import BERLIN, at
from tests.integration.leads.conftest import FORM, Person

OFFICE = Calendar(
    "Europe/Berlin",
    {day: [(540, 1020)] for day in range(5)},
    {date(2026, 12, 25): (), date(2027, 3, 26): (), date(2027, 3, 29): ()},  # Christmas, Good Friday, Easter Monday
)
BEA, CARL = 1, 2


def berlin(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """Return a wall-clock instant of Berlin in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (berlin(2026, 10, 23, 13), berlin(2026, 10, 26, 13)),  # Friday to Monday, the clocks went back between: 4 h + 4 h
        (berlin(2027, 3, 25, 16), berlin(2027, 3, 30, 16)),  # Maundy Thursday: 1 h, then Easter and summer time, 7 h on Tuesday
        (berlin(2026, 10, 25, 2, 30), berlin(2026, 10, 26, 17)),  # in the hour that is there twice, a Sunday
        (berlin(2027, 3, 28, 3), berlin(2027, 3, 30, 17)),  # in the hour that is not there: Easter Sunday
        (berlin(2026, 12, 24, 16, 59), berlin(2026, 12, 28, 16, 59)),  # a minute before Christmas
    ],
)
def test_an_answer_is_due_after_eight_open_hours_whatever_the_clocks_do(asked: datetime, due: datetime) -> None:
    assert answer_time.add_open_time(OFFICE, asked, answer_time.ANSWER_WITHIN) == due


FRIDAY = at(27, 16)  # a deadline on Friday at 16:00; four open hours later it is Monday, 12:00


@pytest.mark.parametrize(
    ("now", "owner", "done", "away", "step"),
    [
        (at(27, 15, 59), BEA, 0, (), None),  # not due yet
        (at(27, 16), BEA, 0, (), REMINDED),  # due this moment
        (at(27, 16, 30), BEA, REMINDED, (), None),  # reminded once, not again
        (at(28, 12), BEA, REMINDED, (), None),  # the weekend does not count
        (at(30, 11, 59), BEA, REMINDED, (), None),  # 1 h on Friday, 2:59 on Monday
        (at(30, 12), BEA, REMINDED, (), HANDED),  # four open hours
        (at(30, 12), BEA, 0, (), HANDED),  # also where the worker stood still meanwhile
        (at(27, 16), BEA, 0, (BEA,), HANDED),  # who is away is not reminded
        (at(27, 16), None, 0, (), HANDED),  # nobody has it
        (at(30, 12), BEA, HANDED, (), None),  # once for a deadline
        (at(30, 12), CARL, REMINDED, (BEA,), HANDED),
    ],
)
def test_what_is_done_about_a_deadline(
    now: datetime, owner: int | None, done: int, away: tuple[int, ...], step: int | None
) -> None:
    assert next_step(Rule(), Overdue(FRIDAY, owner, done), calendar=OFFICE, away=set(away), now=now) == step


@pytest.mark.parametrize(
    ("due", "patience", "late"),
    [
        (at(24, 15, month=12), timedelta(hours=4), at(28, 11, month=12)),  # 2 h on Christmas Eve, 2 h on the Monday after
        (berlin(2026, 10, 23, 16), timedelta(hours=2), berlin(2026, 10, 26, 10)),  # over the change of the clocks
        (berlin(2027, 3, 25, 16, 30), timedelta(hours=1), berlin(2027, 3, 30, 9, 30)),  # over Easter
    ],
)
def test_patience_is_open_time(due: datetime, patience: timedelta, late: datetime) -> None:
    rule, second = Rule(patience), timedelta(seconds=1)
    assert next_step(rule, Overdue(due, BEA, REMINDED), calendar=OFFICE, away=set(), now=late - second) is None
    assert next_step(rule, Overdue(due, BEA, REMINDED), calendar=OFFICE, away=set(), now=late) == HANDED


@pytest.mark.parametrize(
    ("to_id", "owner", "load", "got"),
    [
        (None, BEA, {1: 0, 2: 5, 3: 4}, 3),  # the least to do, but not who has it
        (None, None, {1: 2, 2: 2}, 1),  # as much: the first
        (2, BEA, {1: 0, 2: 9, 3: 0}, 2),  # the one whom the rule names
        (2, CARL, {1: 3, 2: 0, 3: 4}, 1),  # it is with them already
        (2, BEA, {1: 0, 3: 1}, 3),  # they are away
        (None, BEA, {1: 0}, None),  # nobody else is here
    ],
)
def test_who_gets_it(to_id: int | None, owner: int | None, load: dict[int, int], got: int | None) -> None:
    assert receiver(Rule(to_id=to_id), owner, load) == got


def away(shop: Database, staff_id: int, starts: date, ends: date) -> None:
    """Note an absence."""
    shop.run(lambda s: s.add(StaffAbsence(staff_id=staff_id, starts_on=starts, ends_on=ends)))


def rules(shop: Database, *rows: dict[str, object]) -> None:
    """Write rules of assignment."""
    shop.run(lambda s: s.add_all([AssignmentRule(**({"position": 1} | row)) for row in rows]))  # type: ignore[arg-type] # a mixed dict


@pytest.mark.parametrize(
    ("asked", "starts", "ends", "owner"),
    [
        (at(24, 9), date(2026, 11, 24), date(2026, 11, 24), CARL),  # away today
        (at(24, 18), date(2026, 11, 24), date(2026, 11, 24), BEA),  # it is looked at tomorrow, when she is back
        (at(28, 10), date(2026, 11, 30), date(2026, 12, 4), CARL),  # Saturday; her leave begins on Monday
        (at(29, 10), date(2026, 11, 23), date(2026, 11, 29), BEA),  # Sunday; she is back on Monday
        (at(27, 16), date(2026, 11, 30), date(2026, 12, 4), BEA),  # Friday, while the office is open
        (at(24, 18, month=12), date(2026, 12, 28), date(2026, 12, 31), CARL),  # Christmas Eve: looked at on the 28th
    ],
)
def test_who_is_there_on_the_day_it_is_looked_at(
    embedded_shop: Database, asked: datetime, starts: date, ends: date, owner: int
) -> None:
    rules(embedded_shop, {"owner_id": BEA}, {"owner_id": CARL, "position": 2})
    away(embedded_shop, BEA, starts, ends)
    assert embedded_shop.run(lambda s: leads.submit(s, replace(FORM, needed_by_on=""), now=asked)).owner_id == owner


def test_rules_of_one_position_share_by_load(shop: Database, now: datetime) -> None:
    rules(shop, {"owner_id": BEA}, {"owner_id": CARL}, {"owner_id": BEA, "position": 2})
    wanted = [assigning.Wanted("question", "en", "", "", "")] * 3
    assert shop.run(lambda s: assigning.find_owners(s, wanted, now=now)) == [BEA, CARL, BEA]
    first = shop.run(lambda s: leads.submit(s, FORM, now=now))
    assert first.owner_id == BEA
    assert shop.run(lambda s: assigning.find_owners(s, wanted, now=now)) == [CARL, BEA, CARL]


def state(shop: Database) -> tuple[int | None, int, int]:
    """Return owner, step and version of the first enquiry."""
    with shop.read() as session:
        lead = session.get_one(Lead, 1)
        return lead.owner_id, lead.escalation, lead.version


def test_the_owner_is_reminded_then_somebody_else_has_it_each_once(
    shop: Database, submit: Callable[..., Lead], bea: Person, carl: Person, now: datetime, mails: list[events.MailWanted]
) -> None:
    submit()
    shop.run(lambda s: leads.take(s, 1, staff_id=bea.id, version=1, now=now))
    assert escalating.escalate(shop, now=at(24, 16, 59)) == 0
    for _ in range(2):
        escalating.escalate(shop, base_url="https://shop.test", now=at(24, 17))
    assert state(shop) == (BEA, REMINDED, 2)
    for _ in range(2):
        escalating.escalate(shop, now=at(25, 13))
    assert state(shop) == (CARL, HANDED, 3)
    assert [(one.kind, one.payload["to"], one.payload["handed"]) for one in mails] == [
        ("lead_overdue", "bea@werk.test", False),
        ("lead_overdue", "carl@werk.test", True),
    ]
    assert mails[0].payload["link"] == "https://shop.test/desk/sales/leads/1"
    with shop.read() as session:
        told = session.execute(sa.select(Activity.kind, Activity.text).order_by(Activity.id)).all()
    assert [tuple(one) for one in told][2:] == [("reminded", "Bea"), ("escalated", "Carl")]
    shop.run(lambda s: leads.answer(s, 1, "Sorry, yes.", staff=carl, version=3, now=at(25, 14), follow_up_on=date(2026, 11, 26)))
    assert escalating.escalate(shop, now=at(26, 9)) == 1  # another deadline begins anew
    assert state(shop) == (CARL, REMINDED, 4)


def test_it_stays_where_nobody_else_is_here_and_can_be_switched_off(
    shop: Database, submit: Callable[..., Lead], now: datetime, mails: list[events.MailWanted]
) -> None:
    submit()
    for one in (BEA, CARL):
        away(shop, one, date(2026, 11, 24), date(2026, 11, 27))
    assert escalating.escalate(shop, now=at(24, 18)) == 0
    assert (state(shop), mails) == ((None, 0, 1), [])

    def switch(session: Session, active: bool) -> None:
        escalating.save_rule(session, after_minutes=60, to_id=CARL, active=active, by="ada@werk.test", now=now)

    shop.run(lambda s: switch(s, active=False))
    assert escalating.escalate(shop, now=at(30, 9)) == 0
    shop.run(lambda s: switch(s, active=True))
    assert escalating.escalate(shop, now=at(30, 9)) == 1
    assert state(shop) == (CARL, HANDED, 2)
