"""The sales desk between a message and its end: calls, coming back, ready answers, handing over, who may be called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backoffice.bridge.models import OutboxMessage
from backoffice.crm import consents
from backoffice.crm.models import Activity, Lead, MailTemplate, Party
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]
LEAD = "/desk/sales/leads/1"
CALLER = {"name": "Anna Kowalska", "phone": "+48 22 111", "message": "Two stools, please", "language": "en"}


def lead_of(workshop: Workshop) -> Lead:
    """Return the first lead."""
    found: Lead = workshop.rows(Lead)[0]
    return found


def template(workshop: Workshop, **values: Any) -> None:
    """Write a ready answer."""
    row = {"name": "Thanks", "language": "en", "updated_at": workshop.now} | values
    workshop.db.run(lambda session: session.add(MailTemplate(**row)))


def test_an_answered_lead_is_to_be_called_again_on_its_day(at_desk: AtDesk, ask: Ask, clock: FixedClock) -> None:
    ask()
    bea = at_desk("Bea")
    bea.send(f"{LEAD}/answer", version=1, answer="Shall I call you on Thursday?", follow_up_on="2026-11-26")
    assert "Anna Kowalska" not in bea.get("/desk/sales")
    assert bea.client.get("/desk/sales/next").headers["Location"] == "/desk/sales"
    clock.advance(days=2)  # Thursday, 09:00: due this very moment
    bea = at_desk("Bea")
    page = bea.get("/desk/sales")
    assert "Anna Kowalska" in page
    assert "<b>call again</b>" in page
    assert "1 message" in bea.get("/desk/sales?state=due")
    assert bea.client.get("/desk/sales/next").headers["Location"] == LEAD
    page = bea.get(LEAD)
    assert "call again on Thu 26 Nov<" in page
    assert 'href="tel:+48 22 111"' in page
    clock.advance(minutes=30)
    assert "1 late" in bea.get("/desk/sales")


def test_what_is_next_due_comes_first_whatever_it_is(at_desk: AtDesk, ask: Ask, clock: FixedClock) -> None:
    ask(key="a", name="Asker One")
    ask(key="b", name="Asker Two", email="b@example.test")
    bea = at_desk("Bea")
    bea.send(f"{LEAD}/call", version=1, call="Not there", follow_up_on="2026-11-25")  # Wednesday 09:00, the other today 17:00
    page = bea.get("/desk/sales")
    assert page.index("Asker Two") < page.index("Asker One")
    clock.advance(days=1, hours=-1)
    bea = at_desk("Bea")
    assert bea.get("/desk/sales").index("Asker Two") < bea.get("/desk/sales").index("Asker One")


def test_a_call_is_written_down_with_when_to_call_again(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    page = at_desk("Bea").send(f"{LEAD}/call", version=1, call="Thinks about it", follow_up_on="2026-11-28")
    assert "The call is written down." in page
    assert "call again on Mon 30 Nov<" in page  # Saturday: we are closed
    assert "Thinks about it" in page
    assert (lead_of(workshop).state, lead_of(workshop).owner_id) == ("working", 1)


@pytest.mark.parametrize(("typed", "words"), [("2026-11-23", "Choose today or later."), ("soon", "Choose a day, for example")])
def test_a_wrong_day_keeps_the_call_that_was_typed(at_desk: AtDesk, ask: Ask, workshop: Workshop, typed: str, words: str) -> None:
    ask()
    page = at_desk("Bea").refused(f"{LEAD}/call", 422, version=1, call="Long <talk>", follow_up_on=typed)
    assert words in page
    assert "Long <talk></textarea>" in page
    assert f'value="{typed}"' in page
    assert (lead_of(workshop).version, workshop.rows(Activity, kind="call")) == (1, [])


def test_put_off_to_a_day(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    assert "Fill this in." in bea.refused(f"{LEAD}/come-back", 422, version=1)
    assert "It comes back to the list that day." in bea.send(f"{LEAD}/come-back", version=1, follow_up_on="2026-11-27")
    assert "will come back to it" in bea.get(LEAD)
    assert "Fri 27 Nov" in bea.get(LEAD)


def test_handing_over_and_who_has_it_stands_in_the_list(at_desk: AtDesk, ask: Ask) -> None:
    ask()
    bea = at_desk("Bea")
    assert "nobody yet" in bea.get("/desk/sales")
    bea.send(f"{LEAD}/take", version=1)
    assert "Choose one of the list." in bea.refused(f"{LEAD}/hand", 422, version=2, to="3")  # of the warehouse
    assert "Your colleague has it now." in bea.send(f"{LEAD}/hand", version=2, to="2")
    assert "Carl has this message." in bea.get(LEAD)
    refused = bea.refused(f"{LEAD}/call", 409, version=3, call="I called all the same", follow_up_on="")
    assert "Carl has this now." in refused
    assert "I called all the same</textarea>" in refused


def test_lost_needs_a_reason_and_is_found_again(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    bea.refused(f"{LEAD}/lose", 422, version=1, lose=" ")
    assert lead_of(workshop).state == "new"
    page = bea.send(f"{LEAD}/lose", version=1, lose="Too dear for her")
    assert "Closed without an order" in page
    assert "Too dear for her" in page
    assert "Anna Kowalska" in bea.get("/desk/sales?state=lost")
    assert "Anna Kowalska" not in bea.get("/desk/sales?state=won")


def test_a_ready_answer_is_filled_in_behind_what_is_typed(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    body = "Hello {name}, {number} comes {day}. {sender}, {shop}"
    template(workshop, body=body)
    template(workshop, body="Guten Tag {name}, am {day}", language="de")
    ask(language="de")
    bea = at_desk("Bea")
    page = bea.get(LEAD)
    assert "Thanks · German" in page
    assert "Thanks · English" not in page
    answer = bea.post(f"{LEAD}/ready", version=1, ready="2", answer="First words", follow_up_on="2026-11-30")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    assert "First words\n\nGuten Tag Anna Kowalska, am Mittwoch, 25. November 2026</textarea>" in page
    assert 'value="2026-11-30"' in page
    assert workshop.rows(OutboxMessage) == []
    assert lead_of(workshop).version == 1
    assert bea.post(f"{LEAD}/ready", version=1, ready="1", answer="Kept").status_code == 422  # not in their language's list
    assert "Kept</textarea>" in bea.refused(f"{LEAD}/ready", 422, version=1, ready="nonsense", answer="Kept")


def test_a_place_left_open_is_not_sent(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    template(workshop, body="It comes {day}.")
    ask(sku="VASE", kind="tell_me")  # nothing to promise
    bea = at_desk("Bea")
    page = bea.post(f"{LEAD}/ready", version=1, ready="1", answer="").get_data(as_text=True)
    assert "It comes {day}.</textarea>" in page
    assert "A word in {braces} is still to be filled in." in bea.refused(
        f"{LEAD}/answer", 422, version=1, answer="It comes {day}."
    )
    assert workshop.rows(OutboxMessage) == []


def test_what_they_allow_stands_beside_mail_and_number(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask(source="fair", medium="card", campaign="oak", landing="/c/tables")
    bea = at_desk("Bea")
    page = bea.get(LEAD)
    for words in ("may be called only about what they asked", "only about what they asked", "fair · card · oak", "/c/tables"):
        assert words in page
    given = {"wording": "Call me", "language": "en", "source": "desk", "evidence": {}}
    workshop.db.run(lambda session: consents.give(session, 1, "calls", **given, now=workshop.now))
    assert "may be called: yes, since Tue 24 Nov" in bea.get(LEAD)
    workshop.db.run(lambda session: consents.withdraw(session, 1, now=workshop.now))
    assert "may be called only about what they asked" in bea.get(LEAD)


def test_a_call_is_taken_down_with_the_day_that_can_be_named(at_desk: AtDesk, workshop: Workshop) -> None:
    bea = at_desk("Bea")
    typed = CALLER | {"sku": "stool", "quantity": "2", "postcode": "10115", "needed_by_on": "2026-12-01"}
    page = bea.post("/desk/sales/phone", action="look", key="k", **typed).get_data(as_text=True)
    for words in ("Wed 25 Nov", "from stock", "€98.00", "in time", "Two stools, please"):
        assert words in page
    assert workshop.rows(Lead) == []
    for _ in range(2):  # pressed twice
        page = bea.send("/desk/sales/phone", action="save", key="k", **typed)
    assert "Taken down. It is yours." in page
    [lead], [party] = workshop.rows(Lead), workshop.rows(Party)
    assert (lead.kind, lead.state, lead.owner_id, lead.sku, lead.quantity) == ("phone", "working", 1, "STOOL", 2)
    assert (party.name, party.email, party.phone, lead.source) == ("Anna Kowalska", None, "+48 22 111", "phone")
    assert "How can we write to them?" in page


def test_a_call_may_become_an_order_at_once(at_desk: AtDesk, workshop: Workshop) -> None:
    answer = at_desk("Bea").post("/desk/sales/phone", action="order", key="k", **CALLER, sku="STOOL", quantity="2")
    assert answer.headers["Location"] == "/desk/sales/leads/1/order"
    assert len(workshop.rows(Lead)) == 1


def test_words_find_items_and_a_choice_keeps_the_rest(at_desk: AtDesk) -> None:
    bea = at_desk("Bea")
    page = bea.post("/desk/sales/phone", action="look", **CALLER, sku="sto").get_data(as_text=True)
    assert 'name="pick" value="STOOL"' in page
    page = bea.post("/desk/sales/phone", pick="STOOL", **CALLER, sku="sto").get_data(as_text=True)
    assert 'value="STOOL"' in page
    assert "Two stools, please" in page
    assert "Wed 25 Nov" in page
    page = bea.post("/desk/sales/phone", action="look", **CALLER, sku="%_\\").get_data(as_text=True)
    assert "Nothing that we sell has these words." in page


def test_every_wrong_field_of_a_call_is_named_at_once(at_desk: AtDesk, workshop: Workshop) -> None:
    typed = {"name": "", "phone": "", "email": "no", "message": "", "sku": "", "quantity": "two", "needed_by_on": "2026-11-01"}
    page = at_desk("Bea").refused("/desk/sales/phone", 422, action="save", key="k", **typed)
    assert page.count('class="field-wrong"') == 5
    assert 'value="two"' in page
    page = at_desk("Bea").refused("/desk/sales/phone", 422, action="save", key="k", **CALLER, sku="NO-SUCH")
    assert "We have no item with that number" in page
    assert (workshop.rows(Lead), workshop.rows(Party)) == ([], [])


def test_a_caller_becomes_a_customer_or_turns_out_to_be_one(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask(name="Anna Known", email="known@example.test", phone="")
    bea = at_desk("Bea")
    bea.send("/desk/sales/phone", action="save", key="k", **CALLER)
    refused = bea.refused("/desk/sales/leads/2/introduce", 422, version=1, email="no", name="Kept Name", company="Kept Ltd")
    assert 'value="Kept Name"' in refused
    assert "Kept Ltd" in refused
    page = bea.send(
        "/desk/sales/leads/2/introduce", version=1, email="Known@Example.test", name="", phone="", company="Werk & Co"
    )
    assert "Anna Known" in page
    assert "Is the stool stable on stone?" in page  # one timeline
    assert "Two stools, please" in page
    assert [(one.id, one.email, one.phone) for one in workshop.rows(Party)] == [(1, "known@example.test", "+48 22 111")]
    assert [one.company for one in workshop.rows(Lead, id=2)] == ["Werk & Co"]
    assert {one.party_id for one in workshop.rows(Activity)} == {1}
