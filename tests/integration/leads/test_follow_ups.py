"""Calls, coming back, handing over, the end: with an order or without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import events
from backoffice.crm import follow_ups, leads, ready_answers
from backoffice.crm.models import Activity, Lead, MailTemplate, Party
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, Refused
from tests.company import at
from tests.integration.leads.conftest import FORM, Person

Submit = Callable[..., Lead]
CALL = replace(FORM, key="call-1", kind="phone", email="", message="Wants ten stools")


def entries(shop: Database) -> list[tuple[str, str, str]]:
    with shop.read() as session:
        rows = session.execute(sa.select(Activity.kind, Activity.text, Activity.actor).order_by(Activity.id))
        return [tuple(row) for row in rows]  # type: ignore[misc]  # three columns, as asked for


def lead_of(shop: Database) -> Lead:
    with shop.read() as session:
        return session.get_one(Lead, 1)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (date(2026, 11, 24), at(24, 17)),  # today: before the office closes
        (date(2026, 11, 26), at(26, 9)),
        (date(2026, 11, 28), at(30, 9)),  # Saturday: on Monday
    ],
)
def test_coming_back_is_on_a_working_day(
    shop: Database, submit: Submit, bea: Person, now: datetime, on: date, expected: datetime
) -> None:
    submit()
    lead = shop.run(lambda s: follow_ups.come_back(s, 1, on, staff=bea, version=1, now=now))
    assert (lead.follow_up_at, lead.owner_id, lead.state, lead.version) == (expected, bea.id, "working", 2)
    shop.run(lambda s: follow_ups.come_back(s, 1, on, staff=bea, version=1, now=now))  # pressed twice
    assert [kind for kind, _, _ in entries(shop)] == ["message", "follow_up"]


@pytest.mark.parametrize(("on", "code"), [(date(2026, 11, 23), "past_date"), (date(2029, 1, 1), "bad_date")])
def test_a_day_that_makes_no_sense_changes_nothing(
    shop: Database, submit: Submit, bea: Person, now: datetime, on: date, code: str
) -> None:
    submit()
    with pytest.raises(BadInput) as wrong:
        shop.run(lambda s: follow_ups.call(s, 1, "Spoke", follow_up_on=on, staff=bea, version=1, now=now))
    assert dict(wrong.value.fields) == {"follow_up_on": code}
    assert (lead_of(shop).version, len(entries(shop))) == (1, 1)


def test_a_call_is_written_down_once_and_names_the_next_one(shop: Database, submit: Submit, bea: Person, now: datetime) -> None:
    submit()
    day = date(2026, 11, 27)
    for _ in range(2):
        lead = shop.run(lambda s: follow_ups.call(s, 1, "Thinks about it", follow_up_on=day, staff=bea, version=1, now=now))
    assert (lead.state, lead.follow_up_at, lead.version) == ("working", at(27, 9), 2)
    assert entries(shop)[1:] == [("call", "Thinks about it", "Bea")]
    lead = shop.run(lambda s: leads.answer(s, 1, "As we said.", staff=bea, version=2, now=now))
    assert (lead.state, lead.follow_up_at) == ("answered", None)


def test_handing_over_names_both(shop: Database, submit: Submit, bea: Person, carl: Person, now: datetime) -> None:
    submit()
    shop.run(lambda s: leads.take(s, 1, staff_id=bea.id, version=1, now=now))
    lead = shop.run(lambda s: follow_ups.hand(s, 1, carl.id, staff=bea, version=2, now=now))
    assert (lead.owner_id, lead.state) == (carl.id, "working")
    assert entries(shop)[-1] == ("handed", "Carl", "Bea")
    with pytest.raises(Refused, match="wrong_state"):
        shop.run(lambda s: leads.answer(s, 1, "Mine", staff=bea, version=3, now=now))


def test_nobody_who_does_not_sell_is_handed_a_lead(shop: Database, submit: Submit, bea: Person, now: datetime) -> None:
    submit()

    def hire(session: Any) -> int:
        wim = Staff(email="wim@werk.test", name="Wim", role="warehouse", password_hash="-", created_at=now)
        session.add(wim)
        session.flush()
        return int(wim.id)

    for to in (shop.run(hire), 99):
        with pytest.raises(BadInput):
            shop.run(lambda s, to=to: follow_ups.hand(s, 1, to, staff=bea, version=1, now=now))
    assert (lead_of(shop).owner_id, lead_of(shop).version) == (None, 1)


def test_lost_says_why_and_is_the_end(shop: Database, submit: Submit, bea: Person, carl: Person, now: datetime) -> None:
    submit()
    for _ in range(2):
        lead = shop.run(lambda s: follow_ups.lose(s, 1, "Too dear", staff=bea, version=1, now=now))
    assert (lead.state, lead.outcome, lead.version) == ("done", "lost", 2)
    assert entries(shop)[1:] == [("lost", "Too dear", "Bea")]
    with pytest.raises(BadInput):
        shop.run(lambda s: follow_ups.lose(s, 1, " ", staff=bea, version=2, now=now))


def test_money_wins_whatever_the_state_and_once(shop: Database, submit: Submit, bea: Person, now: datetime) -> None:
    submit()
    shop.run(lambda s: follow_ups.lose(s, 1, "Too dear", staff=bea, version=1, now=now))
    for number in ("SF-1", "SF-1", "SF-2"):
        shop.run(lambda s, n=number: follow_ups.on_order_placed(s, events.OrderPlaced(n, 1, 1, 1, now)))
    lead = lead_of(shop)
    assert (lead.state, lead.outcome, lead.won_order_ref, lead.version) == ("done", "won", "SF-1", 3)
    assert entries(shop)[2:] == [("converted", "", "")]
    shop.run(lambda s: follow_ups.on_order_placed(s, events.OrderPlaced("SF-3", 1, 1, None, now)))
    assert len(entries(shop)) == 3


def test_a_call_taken_down_is_with_whoever_took_it(shop: Database, bea: Person, now: datetime) -> None:
    for _ in range(2):
        lead = shop.run(lambda s: follow_ups.phone_in(s, CALL, staff=bea, now=now))
    assert (lead.id, lead.kind, lead.state, lead.owner_id) == (1, "phone", "working", bea.id)
    with shop.read() as session:
        party = session.scalars(sa.select(Party)).one()
    assert (party.email, party.name, party.source) == (None, "Anna Kowalska", "phone")
    shop.run(lambda s: follow_ups.phone_in(s, replace(CALL, key="call-2"), staff=bea, now=now))
    with shop.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Party)) == 1  # the same name and number
    with pytest.raises(Refused, match="no_email"):
        shop.run(lambda s: leads.answer(s, 1, "Hello", staff=bea, version=1, now=now))
    with pytest.raises(BadInput) as wrong:
        shop.run(lambda s: follow_ups.phone_in(s, replace(CALL, key="3", name="", phone="", message=""), staff=bea, now=now))
    assert set(wrong.value.fields) == {"name", "message"}


def test_ready_answers_are_filled_and_never_read_twice() -> None:
    body = "Hello {name}, {number} comes {day}. {unknown} {sender}, {shop}"
    values = {"name": "{day}", "number": "L-00001", "day": "", "sender": "Bea", "shop": "Werk"}
    assert ready_answers.fill(body, values) == "Hello {day}, L-00001 comes {day}. {unknown} Bea, Werk"
    assert ready_answers.left_open("on {day}")
    assert not ready_answers.left_open("{unknown} {}")


def test_an_answer_with_a_hole_is_not_sent(shop: Database, submit: Submit, bea: Person, now: datetime, mails: list[Any]) -> None:
    submit()
    with pytest.raises(BadInput) as wrong:
        shop.run(lambda s: leads.answer(s, 1, "It comes {day}.", staff=bea, version=1, now=now))
    assert (dict(wrong.value.fields), mails) == ({"text": "placeholder_left"}, [])


def test_ready_answers_come_in_the_customers_language(shop: Database, now: datetime) -> None:
    def write(session: Any) -> None:
        for name, language in (("Thanks", "de"), ("Thanks", "en"), ("Later", "de")):
            session.add(MailTemplate(name=name, language=language, body=language, updated_at=now))

    shop.run(write)
    with shop.read() as session:
        assert [(one.name, one.language) for one in ready_answers.find(session, "de-AT")] == [("Later", "de"), ("Thanks", "de")]
        assert [one.language for one in ready_answers.find(session, "pl", "en")] == ["en"]
        assert len(ready_answers.find(session, "pl")) == 3
