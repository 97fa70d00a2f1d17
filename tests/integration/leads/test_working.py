"""Working on a lead: states, versions, two people at once, one mail for one answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import follow_ups, introducing, leads, links, pipeline, replies
from backoffice.crm.incoming_mail import Incoming
from backoffice.crm.leads import ENTRY_STATES, TRANSITIONS
from backoffice.crm.models import Activity, Lead
from backoffice.db import Database
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError
from tests.company import at
from tests.integration.leads.conftest import FORM, Person

Submit = Callable[..., Lead]


def kinds(shop: Database) -> list[str]:
    """Return the timeline's kinds, oldest first."""
    with shop.read() as session:
        return list(session.scalars(sa.select(Activity.kind).order_by(Activity.id)))


def test_every_state_can_be_reached_and_left_or_is_the_end() -> None:
    known = {state for moves in TRANSITIONS.values() for pair in moves.items() for state in pair}
    reached, fringe = set(ENTRY_STATES), list(ENTRY_STATES)
    while fringe:
        state = fringe.pop()
        for moves in TRANSITIONS.values():
            after = moves.get(state)
            if after and after not in reached:
                reached.add(after)
                fringe.append(after)
    check = next(one for one in Lead.__table__.constraints if one.name == "ck_lead_state")
    named = set(str(check.sqltext).split("(", 1)[1].rstrip(")").replace("'", "").split(", "))
    assert known == reached == named
    ends = [state for state in known if all(moves.get(state, state) == state for moves in TRANSITIONS.values())]
    assert ends == ["done"]


def follow(session: Session, lead_id: int, verb: str, bea: Person, now: datetime) -> Any:
    """Do what comes between a message and its end."""
    common: dict[str, Any] = {"staff": bea, "version": 1, "now": now}
    if verb == "call":
        return follow_ups.call(session, lead_id, "Words", follow_up_on=None, **common)
    if verb == "follow_up":
        return follow_ups.come_back(session, lead_id, date(2026, 11, 27), **common)
    if verb == "hand":
        return follow_ups.hand(session, lead_id, 2, **common)
    if verb == "reply":
        mail = Incoming("key", "anna@example.test", "Anna", "Re: stool", "In oak", (links.thread_token("secret", lead_id),))
        taken = replies.take_in(session, mail, replies.Place("box", 1, 1), secret_key="secret", now=now)
        if taken is None or taken.outcome != "threaded":
            raise Refused("wrong_state")  # to a closed one it is a new enquiry
        return taken
    if verb == "move":
        return pipeline.move(session, lead_id, "qualified", **common)
    if verb == "estimate":
        return pipeline.estimate(session, lead_id, value_minor=4_900, expected_on=None, **common)
    if verb == "lose":
        return follow_ups.lose(session, lead_id, "Too dear", **common)
    return follow_ups.on_order_placed(session, events.OrderPlaced("SF-1", 1, 1, lead_id, now))


@pytest.mark.parametrize("verb", sorted(TRANSITIONS))
@pytest.mark.parametrize("state", ["new", "working", "answered", "done", "quarantined"])
def test_the_table_is_what_happens(
    embedded_shop: Database, bea: Person, now: datetime, mails: list[Any], verb: str, state: str
) -> None:
    shop = embedded_shop
    lead_id = shop.run(lambda s: leads.submit(s, FORM, now=now)).id
    owner = bea.id if state in {"working", "answered"} else None
    shop.run(lambda s: s.execute(sa.update(Lead).values(state=state, owner_id=owner)))
    expected = TRANSITIONS[verb].get(state, state)

    def work(session: Session) -> Lead:
        if verb in {"take", "take_over"}:
            return getattr(leads, verb)(session, lead_id, staff_id=bea.id, version=1, now=now)
        if verb in {"call", "follow_up", "hand", "lose", "win", "move", "estimate", "reply"}:
            return follow(session, lead_id, verb, bea, now)
        if verb == "introduce":
            return introducing.introduce(session, lead_id, email="anna@example.test", staff=bea, version=1, now=now)
        if verb == "order":
            return leads.begin_order(session, lead_id, staff=bea, version=1, now=now)
        if verb in {"note", "answer"}:
            return getattr(leads, verb)(session, lead_id, "Words", staff=bea, version=1, now=now)
        return getattr(leads, verb)(session, lead_id, staff=bea, version=1, now=now)

    # what is done already may be asked for again
    repeats = {("done", "done"), ("release", "new"), ("take", "working"), ("take_over", "working")}
    if state in TRANSITIONS[verb] or (verb, state) in repeats:
        shop.run(work)
    else:
        with pytest.raises(Refused, match="wrong_state"):
            shop.run(work)
    with shop.read() as session:
        assert session.get_one(Lead, lead_id).state == expected


def test_taken_answered_done(shop: Database, submit: Submit, bea: Person, now: datetime, mails: list[events.MailWanted]) -> None:
    lead_id = submit().id
    shop.run(lambda s: leads.take(s, lead_id, staff_id=bea.id, version=1, now=now))
    shop.run(lambda s: leads.note(s, lead_id, "Ask the workshop", staff=bea, version=2, now=now))
    shop.run(lambda s: leads.answer(s, lead_id, "Yes, very.", staff=bea, version=3, now=now))
    lead = shop.run(lambda s: leads.done(s, lead_id, staff=bea, version=4, now=now))
    assert (lead.state, lead.owner_id, lead.version) == ("done", bea.id, 5)
    assert kinds(shop) == ["message", "took", "note", "answer", "done"]
    (mail,) = mails
    assert (mail.kind, mail.aggregate, mail.at) == ("lead_answer", "lead:L-00001", now)
    assert mail.payload == {
        "to": "anna@example.test",
        "name": "Anna Kowalska",
        "language": "en",
        "shop": "Werk",
        "text": "Yes, very.",
        "subject": "Is the stool stable on stone?",
        "asked": "Is the stool stable on stone?",
    }


def test_the_second_taker_is_told_who_has_it(shop: Database, submit: Submit, bea: Person, carl: Person, now: datetime) -> None:
    lead_id = submit().id
    shop.run(lambda s: leads.take(s, lead_id, staff_id=bea.id, version=1, now=now))
    with pytest.raises(Refused) as refused:
        shop.run(lambda s: leads.take(s, lead_id, staff_id=carl.id, version=1, now=now))
    assert refused.value.details["owner"] == "Bea"
    again = shop.run(lambda s: leads.take(s, lead_id, staff_id=bea.id, version=1, now=now))
    assert (again.owner_id, again.version) == (bea.id, 2)
    assert kinds(shop) == ["message", "took"]


def test_of_many_takers_at_once_one_gets_it(shop: Database, submit: Submit, now: datetime) -> None:
    lead_id, barrier = submit().id, threading.Barrier(6)
    got: list[int] = []
    owners: list[object] = []

    def take(staff_id: int) -> None:
        barrier.wait()
        try:
            shop.run(lambda s: leads.take(s, lead_id, staff_id=staff_id, version=1, now=now))
            got.append(staff_id)
        except ShopError as error:
            owners.append(error.details["owner"])

    threads = [threading.Thread(target=take, args=(1 + step % 2,)) for step in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert got in ([1, 1, 1], [2, 2, 2])  # who has it may press again
    assert owners == [{1: "Bea", 2: "Carl"}[got[0]]] * 3
    assert kinds(shop) == ["message", "took"]


def test_a_colleague_can_take_over_and_then_answers(
    shop: Database, submit: Submit, bea: Person, carl: Person, now: datetime, mails: list[Any]
) -> None:
    lead_id = submit().id
    shop.run(lambda s: leads.take(s, lead_id, staff_id=bea.id, version=1, now=now))
    with pytest.raises(Refused, match="wrong_state"):
        shop.run(lambda s: leads.answer(s, lead_id, "Mine", staff=carl, version=2, now=now))
    assert mails == []
    shop.run(lambda s: leads.take_over(s, lead_id, staff_id=carl.id, version=2, now=now))
    assert shop.run(lambda s: leads.answer(s, lead_id, "Mine", staff=carl, version=3, now=now)).state == "answered"
    assert len(mails) == 1


def test_a_stale_save_changes_nothing(
    shop: Database, submit: Submit, bea: Person, carl: Person, now: datetime, mails: list[Any]
) -> None:
    lead_id = submit().id
    shop.run(lambda s: leads.note(s, lead_id, "First", staff=carl, version=1, now=now))
    with pytest.raises(Refused, match="stale"):
        shop.run(lambda s: leads.answer(s, lead_id, "Second", staff=bea, version=1, now=now))
    with shop.read() as session:
        lead = session.get_one(Lead, lead_id)
    assert (lead.state, lead.version, mails, kinds(shop)) == ("new", 2, [], ["message", "note"])


def test_the_same_answer_posted_twice_is_one_mail(
    shop: Database, submit: Submit, bea: Person, now: datetime, mails: list[Any]
) -> None:
    lead_id = submit().id
    for _ in range(2):
        lead = shop.run(lambda s: leads.answer(s, lead_id, "Yes.\r\n", staff=bea, version=1, now=now))
    assert (lead.state, lead.version, len(mails)) == ("answered", 2, 1)
    assert kinds(shop) == ["message", "answer"]


def test_an_answer_that_is_rolled_back_asks_for_nothing(shop: Database, submit: Submit, bea: Person, now: datetime) -> None:
    lead_id = submit().id
    with pytest.raises(BadInput):
        shop.run(lambda s: leads.answer(s, lead_id, " \n ", staff=bea, version=1, now=now))
    with pytest.raises(BadInput) as refused:
        shop.run(lambda s: leads.answer(s, lead_id, "x" * 5_001, staff=bea, version=1, now=now))
    assert refused.value.fields == {"text": "too_long"}
    assert kinds(shop) == ["message"]


def test_a_released_lead_is_due_from_now_on(shop: Database, submit: Submit, bea: Person) -> None:
    lead_id = submit(trap="x").id
    lead = shop.run(lambda s: leads.release(s, lead_id, staff=bea, version=1, now=at(27, 15)))  # Friday: 2 hours left
    assert (lead.state, lead.due_at) == ("new", at(30, 15))


def test_no_such_lead(shop: Database, bea: Person, now: datetime) -> None:
    with pytest.raises(NotFound, match="unknown_lead"):
        shop.run(lambda s: leads.done(s, 99, staff=bea, version=1, now=now))
