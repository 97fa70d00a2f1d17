"""An order made at the sales desk: put together from the real stock, mailed as a link, paid, run out or taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Activity, Checkout, Lead, Order, Party
from backoffice.desk.phrases import languages
from backoffice.erp import allotting
from backoffice.erp.models import Reservation
from backoffice.payments.gateway import GatewayError
from backoffice.payments.models import Payment
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]
ADDRESS = {
    "name": "Anna Kowalska",
    "company": "Kowalska GmbH",
    "email": "anna@example.test",
    "phone": "+48 22 111",
    "street": "Weg 1",
    "postcode": "10115",
    "city": "Berlin",
    "region": "",
    "country": "DE",
    "note": "",
}
ORDER = "/desk/sales/leads/1/order"


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    return found[1] if found else ""


def form_of(page: str, **changes: Any) -> dict[str, Any]:
    """Return the form as the page holds it, for two stools."""
    kept = {name: hidden(page, name) for name in ("version", "key", "cart", "cart_version", "total_minor")}
    return kept | ADDRESS | {"sku": ["STOOL"], "quantity": ["2"], "pay_minutes": "240"} | changes


def look(colleague: Colleague, **changes: Any) -> str:
    """Have days and total named; return the page."""
    answer = colleague.post(ORDER, **form_of(colleague.get(ORDER), action="look", **changes))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def send(colleague: Colleague, **changes: Any) -> str:
    """Mail the link; return the lead's page."""
    return colleague.send(ORDER, **form_of(look(colleague), action="send", **changes))


def pay(workshop: Workshop) -> None:
    """Pay the newest payment on the provider's page."""
    payment = workshop.rows(Payment)[-1]
    now = workshop.services.clock()
    news = workshop.services.gateway.pay(payment.provider_ref, now=now)  # type: ignore[attr-defined] # the sandbox alone can be told to
    workshop.services.till.settle(news, event_id="paid", now=now)


def link_of(workshop: Workshop) -> str:
    """Return the link that the first mail brings."""
    return str(workshop.letter(workshop.rows(OutboxMessage)[0])["link"])


def test_it_begins_with_what_they_asked_for(at_desk: AtDesk, ask: Ask) -> None:
    ask(postcode="10115", company="Kowalska GmbH")
    page = at_desk("Bea").get(ORDER)
    for value in (
        "STOOL",
        '"quantity" inputmode="numeric" autocomplete="off" value="2"',
        "Anna Kowalska",
        "Kowalska GmbH",
        "10115",
    ):
        assert value in page
    assert "anna@example.test" in page


def test_days_and_total_are_the_shop_s_own_and_the_goods_are_held(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    page = look(at_desk("Bea"))
    for words in ("Wed 25 Nov", "from stock", "€98.00", "€5.00", "€103.00", "Tue 24 Nov, 09:15"):
        assert words in page, words
    assert workshop.stock("STOOL") == (5, 0, 2)
    assert workshop.rows(Checkout) == []


def test_what_is_kept_for_their_class_is_theirs(at_desk: AtDesk, ask: Ask, workshop: Workshop, clock: FixedClock) -> None:
    ask()

    def keep(session):
        allotting.set_aside(session, 1, "key", 5, date(2026, 12, 1), by="petra", now=clock())

    workshop.db.run(keep)
    answer = at_desk("Bea").post(ORDER, **form_of(at_desk("Bea").get(ORDER), action="look"))
    assert answer.status_code == 409
    workshop.db.run(lambda session: session.execute(sa.update(Party).values(customer_class="key")))
    assert "Wed 25 Nov" in look(at_desk("Bea"))
    assert workshop.stock("STOOL") == (5, 0, 2)


def test_lines_are_added_and_taken_out_and_what_is_typed_stays(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    page = look(bea, street="Kept Street 9")
    page = bea.post(ORDER, **form_of(page, action="add", find="lam", street="Kept Street 9")).get_data(as_text=True)
    assert 'name="pick" value="LAMP"' in page
    page = bea.post(ORDER, **form_of(page, action="look", pick="LAMP", street="Kept Street 9")).get_data(as_text=True)
    assert "Kept Street 9" in page
    assert 'name="sku" value="LAMP"' in page
    both = {"sku": ["STOOL", "LAMP"], "quantity": ["2", "1"]}
    page = bea.post(ORDER, **form_of(page, remove="0", **both)).get_data(as_text=True)
    assert 'name="sku" value="STOOL"' not in page
    assert workshop.stock("STOOL") == (5, 0, 0)  # free again at once
    assert "€84.00" in page


def test_what_cannot_be_had_is_said_at_its_line(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    page = bea.refused(ORDER, 409, **form_of(bea.get(ORDER), action="look", sku=["STOOL", "VASE"], quantity=["9", "1"]))
    assert "No day can be promised for that many, only for 5." in page
    assert "Nothing can be promised today." in page
    page = bea.refused(ORDER, 422, **form_of(page, action="send", quantity=["no"]))
    assert "Write the quantity as a whole number, 1 or more." in page
    assert workshop.rows(Checkout) == []


def test_the_link_is_mailed_and_the_money_wins_the_enquiry(
    at_desk: AtDesk, ask: Ask, workshop: Workshop, clock: FixedClock
) -> None:
    ask()
    bea = at_desk("Bea")
    page = send(bea)
    assert "The link to pay is on its way to anna@example.test. We hold the goods until Tue 24 Nov, 13:00." in page
    assert "Waiting for payment until Tue 24 Nov, 13:00." in page
    [checkout], [payment] = workshop.rows(Checkout), workshop.rows(Payment)
    assert (checkout.lead_id, checkout.channel, checkout.company, checkout.total_minor) == (1, "desk", "Kowalska GmbH", 10_300)
    assert (payment.expires_at - clock()).total_seconds() == 240 * 60
    [mail] = workshop.rows(OutboxMessage, target="mail")
    assert (mail.kind, mail.payload["to"], mail.payload["pay_until"]) == (
        "order_to_pay",
        "anna@example.test",
        "2026-11-24T13:00+01:00",
    )
    assert f'href="{link_of(workshop)}"' in page
    [said] = workshop.rows(Activity, kind="offered")
    assert (said.lead_id, said.actor, said.values["amount_minor"]) == (1, "Bea", 10_300)
    clock.advance(hours=3)
    pay(workshop)
    lead, [order] = workshop.rows(Lead)[0], workshop.rows(Order)
    assert (lead.state, lead.outcome, lead.won_order_ref) == ("done", "won", order.number)
    assert workshop.stock("STOOL") == (5, 2, 0)
    assert f'Became an order:</b> <a href="/desk/sales/orders/{order.number}"' in bea.get("/desk/sales/leads/1")


@pytest.mark.parametrize("language", [one.code for one in languages()])
def test_the_link_speaks_the_customer_s_language(
    at_desk: AtDesk, ask: Ask, workshop: Workshop, visitor: Callable[[], Colleague], language: str
) -> None:
    ask(language=f"{language}-AT")
    send(at_desk("Bea"))
    path = link_of(workshop).removeprefix("http://localhost")
    assert path.startswith("/o/" if language == "en" else f"/{language}/o/")
    assert f'<html lang="{language}"' in visitor().get(path)


def test_the_form_sent_twice_is_one_order_and_one_mail(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    form = form_of(look(bea), action="send")
    for _ in range(2):
        assert bea.post(ORDER, **form).status_code == 303
    assert (len(workshop.rows(Checkout)), len(workshop.rows(OutboxMessage))) == (1, 1)


def test_while_one_link_is_out_there_is_no_second(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea, carl = at_desk("Bea"), at_desk("Carl")
    theirs = form_of(look(carl), action="send")
    old = form_of(look(bea))
    bea.send(ORDER, **(old | {"action": "send"}))
    assert bea.client.get(ORDER).headers["Location"] == "/desk/sales/leads/1"
    assert "A link to pay is out already." in bea.refused(ORDER, 409, **(old | {"action": "look", "quantity": ["3"]}))
    carl.refused(ORDER, 409, **theirs)
    assert [one.state for one in workshop.rows(Payment)] == ["opened"]
    assert [one.owner_id for one in workshop.rows(Lead)] == [1]


def test_what_is_wrong_in_the_address_is_said_and_nothing_is_opened(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    form = form_of(look(bea), action="send", street="", email="no address", note="Ring twice")
    page = bea.refused(ORDER, 422, **form)
    assert page.count("Fill this in.") == 1
    assert "Write an e-mail address, for example ada@example.com." in page
    assert 'value="Ring twice"' in page
    assert "We do not deliver to that postcode." in bea.refused(ORDER, 422, **form_of(page, action="look", postcode="99999"))
    assert bea.post(ORDER, **form_of(page, action="send", pay_minutes="1440")).status_code == 422
    assert (workshop.rows(Checkout), workshop.rows(OutboxMessage), workshop.rows(Lead)[0].state) == ([], [], "new")


def test_days_are_looked_at_before_anything_is_sent(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    page = bea.post(ORDER, **form_of(bea.get(ORDER), action="send")).get_data(as_text=True)
    assert "Look at the days and the total first, then send it." in page
    assert "Wed 25 Nov" in page
    assert workshop.rows(Checkout) == []


def test_a_word_while_the_link_waits_does_not_make_them_late(
    at_desk: AtDesk, ask: Ask, workshop: Workshop, clock: FixedClock
) -> None:
    ask()
    bea = at_desk("Bea")
    send(bea, pay_minutes="1380")
    until = workshop.rows(Lead)[0].follow_up_at
    bea.send("/desk/sales/leads/1/call", version=workshop.rows(Lead)[0].version, call="Pays tonight", follow_up_on="")
    bea.send("/desk/sales/leads/1/answer", version=workshop.rows(Lead)[0].version, answer="Thank you", follow_up_on="")
    assert workshop.rows(Lead)[0].follow_up_at == until
    clock.advance(hours=10)  # past the hour by which they were to be answered
    assert "waits for payment: Wed 25 Nov, 08:00" in bea.get("/desk/sales/leads/1")


def test_a_link_taken_back_frees_the_goods(
    at_desk: AtDesk, ask: Ask, workshop: Workshop, visitor: Callable[[], Colleague]
) -> None:
    ask()
    bea = at_desk("Bea")
    send(bea)
    link = link_of(workshop).removeprefix("http://localhost")
    assert "We keep what is in your order for you until" in visitor().get(link)
    assert "The link no longer works, and the goods are free." in bea.send(f"{ORDER}/withdraw")
    assert "There is nothing to take back" in bea.send(f"{ORDER}/withdraw")
    assert [one.state for one in workshop.rows(Payment)] == ["expired"]
    assert workshop.stock("STOOL") == (5, 0, 0)
    assert [one.actor for one in workshop.rows(Activity, kind="offer_withdrawn")] == ["Bea"]
    page = visitor().get(link)
    assert "The time to pay is over" in page
    assert "Answer our e-mail or write to us" in page
    assert "Go to the cart" not in page


def test_one_that_was_paid_meanwhile_is_not_taken_back(at_desk: AtDesk, ask: Ask, workshop: Workshop, clock: FixedClock) -> None:
    ask()
    bea = at_desk("Bea")
    send(bea)
    payment = workshop.rows(Payment)[0]
    workshop.services.gateway.pay(payment.provider_ref, now=clock())  # type: ignore[attr-defined] # paid there, and we have not heard
    assert "There is nothing to take back: it was paid" in bea.send(f"{ORDER}/withdraw")
    assert [one.outcome for one in workshop.rows(Lead)] == ["won"]
    assert workshop.rows(Activity, kind="offer_withdrawn") == []


@contextmanager
def provider_away(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the payment provider answer nobody who opens a page or looks for one, for a while."""

    def away(*_: object, **__: object) -> None:
        raise GatewayError("no answer")

    with monkeypatch.context() as patched:
        for asked in ("open_session", "find_session"):
            patched.setattr(type(workshop.services.gateway), asked, away)
        yield


def test_a_provider_that_does_not_answer_is_asked_again_and_nobody_is_written_to_before(
    at_desk: AtDesk, ask: Ask, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    bea = at_desk("Bea")
    form = form_of(look(bea), action="send")

    with provider_away(workshop, monkeypatch):
        page = bea.refused(ORDER, 409, **form)
        assert "The payment provider does not answer." in page
        assert "The link is not sent yet" in bea.get("/desk/sales/leads/1")
        assert "The payment provider does not answer." in bea.send(f"{ORDER}/withdraw")
    assert workshop.rows(OutboxMessage) == []
    bea.send(ORDER, **form_of(page, action="send", cart_version=form["cart_version"], total_minor=form["total_minor"]))
    assert [one.kind for one in workshop.rows(OutboxMessage)] == ["order_to_pay"]
    assert len(workshop.rows(Payment)) == 1


def test_a_link_that_was_never_sent_is_taken_back_without_a_word(
    at_desk: AtDesk, ask: Ask, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    bea = at_desk("Bea")
    form = form_of(look(bea), action="send")

    with provider_away(workshop, monkeypatch):
        bea.refused(ORDER, 409, **form)
    assert "The link no longer works" in bea.send(f"{ORDER}/withdraw")
    assert (workshop.rows(OutboxMessage), [one.state for one in workshop.rows(Payment)]) == ([], ["failed"])
    assert workshop.stock("STOOL") == (5, 0, 0)


@pytest.mark.parametrize(("minutes", "left"), [("31", 31), ("1380", 1380)])
def test_a_link_that_ran_out_brings_them_back_to_the_list(
    at_desk: AtDesk, ask: Ask, workshop: Workshop, clock: FixedClock, minutes: str, left: int
) -> None:
    ask()
    bea = at_desk("Bea")
    send(bea, pay_minutes=minutes)
    assert "waits for payment" in bea.get("/desk/sales")
    clock.advance(minutes=left - 1)
    workshop.services.till.poll(now=clock())
    assert [one.state for one in workshop.rows(Reservation)] == ["paying"]
    clock.advance(minutes=2)
    workshop.services.till.poll(now=clock())
    assert [one.state for one in workshop.rows(Reservation)] == ["released"]
    lead = workshop.rows(Lead)[0]
    assert (lead.state, lead.follow_up_at) == ("working", clock())
    assert [one.actor for one in workshop.rows(Activity, kind="offer_ended")] == [""]
    assert "call again" in bea.get("/desk/sales?state=due")


def test_the_shop_window_cannot_make_an_order_of_the_desk(
    ask: Ask, workshop: Workshop, visitor: Callable[[], Colleague], at_desk: AtDesk
) -> None:
    ask()
    browser = visitor()
    browser.client.post("/cart/add", data={"sku": "STOOL", "quantity": "1"})
    page = browser.get("/checkout")
    form = ADDRESS | {name: hidden(page, name) for name in ("key", "cart_version", "total_minor")}
    lies = {"lead_id": "1", "channel": "desk", "desk": "1", "pay_minutes": "1380", "staff_id": "1", "lead_version": "1"}
    assert browser.client.post("/checkout", data=form | lies).status_code == 422
    assert (workshop.rows(Checkout), workshop.rows(Payment)) == ([], [])
    assert browser.client.post("/checkout", data=form).status_code == 303
    [checkout], [payment] = workshop.rows(Checkout), workshop.rows(Payment)
    assert (checkout.lead_id, checkout.channel) == (None, "web")
    assert (payment.expires_at - payment.opened_at).total_seconds() == 31 * 60
    assert workshop.rows(OutboxMessage) == []


def test_the_e_mail_of_an_order_makes_the_caller_a_customer(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    bea = at_desk("Bea")
    bea.send(
        "/desk/sales/phone", action="save", key="k-1", name="Anna Kowalska", phone="+48 22 111", message="Two stools", sku="stool"
    )
    send(bea)
    [party] = workshop.rows(Party)
    assert party.email == "anna@example.test"
    pay(workshop)
    assert [one.party_id for one in workshop.rows(Order)] == [party.id]
    assert [one.text for one in workshop.rows(Activity, kind="introduced")] == ["anna@example.test"]
