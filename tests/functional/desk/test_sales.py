"""The sales desk: who waits, who has it, what was typed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Lead
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
Ask = Callable[..., Lead]


def mails(workshop: Workshop) -> list[OutboxMessage]:
    """Return the mails that wait to leave."""
    return workshop.rows(OutboxMessage, target="mail")


def test_from_question_to_done(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    assert "Is the stool stable on stone?" in bea.get("/desk/sales")
    assert "You have it now." in bea.send("/desk/sales/leads/1/take", version=1)
    assert "Note kept." in bea.send("/desk/sales/leads/1/note", version=2, note="Ask Wim")
    page = bea.send("/desk/sales/leads/1/answer", version=3, answer="Yes, on felt.")
    assert "Your answer is on its way by mail." in page
    assert page.index("Yes, on felt.") < page.index("Ask Wim") < page.rindex("Is the stool stable on stone?")
    assert "Closed." in bea.send("/desk/sales/leads/1/done", version=4)
    (mail,) = mails(workshop)
    assert (mail.kind, mail.payload["to"], mail.payload["text"]) == ("lead_answer", "anna@example.test", "Yes, on felt.")


def test_the_second_taker_is_told_who_was_first(at_desk: AtDesk, ask: Ask) -> None:
    ask()
    bea, carl = at_desk("Bea"), at_desk("Carl")
    bea.send("/desk/sales/leads/1/take", version=1)
    assert "Bea has this now. Nothing was changed" in carl.refused("/desk/sales/leads/1/take", 409, version=1)
    assert "Bea has this message." in carl.get("/desk/sales/leads/1")
    bea.send("/desk/sales/leads/1/take", version=1)  # pressed twice: harmless


def test_a_stale_page_keeps_what_was_typed(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    at_desk("Carl").send("/desk/sales/leads/1/note", version=1, note="I know her")
    page = at_desk("Bea").refused("/desk/sales/leads/1/answer", 409, version=1, answer="A long <answer> & more")
    assert "Somebody changed this in the meantime." in page
    assert "A long <answer> & more</textarea>" in page
    assert "I know her" in page
    assert 'name="version" value="2"' in page  # sending it again is then possible
    assert mails(workshop) == []


def test_five_thousand_letters_are_kept_and_one_more_is_not_lost(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    page = bea.refused("/desk/sales/leads/1/answer", 422, version=1, answer="ß" * 5_001)
    assert "This is too long. At most 5,000 characters." in page
    assert "ß" * 5_001 + "</textarea>" in page
    bea.send("/desk/sales/leads/1/answer", version=1, answer="ß" * 5_000)
    assert mails(workshop)[0].payload["text"] == "ß" * 5_000


def test_an_empty_answer_says_so(at_desk: AtDesk, ask: Ask) -> None:
    ask()
    assert "Fill this in." in at_desk("Bea").refused("/desk/sales/leads/1/answer", 422, version=1, answer=" \n ")


def test_an_answer_posted_twice_is_one_mail(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask()
    bea = at_desk("Bea")
    for _ in range(2):
        bea.send("/desk/sales/leads/1/answer", version=1, answer="Yes.")
    assert len(mails(workshop)) == 1


def test_a_version_that_is_no_number_is_stale(at_desk: AtDesk, ask: Ask) -> None:
    ask()
    for version in ("", "x", "-1", "9" * 30):
        at_desk("Bea").refused("/desk/sales/leads/1/take", 409, version=version)


def test_text_of_a_customer_is_never_markup(at_desk: AtDesk, ask: Ask) -> None:
    ask(name='<b>"Anna"</b>', message="<script>alert(1)</script>")
    for path in ("/desk/sales", "/desk/sales/leads/1", "/desk/sales/customers/1"):
        raw = at_desk("Bea").client.get(path).get_data(as_text=True)
        assert "<script>alert" not in raw
        assert "<b>" + '"Anna"' not in raw


def test_late_ones_come_first_and_say_so(at_desk: AtDesk, ask: Ask, clock: FixedClock) -> None:
    ask(key="a", name="First Asker")
    clock.advance(hours=2)
    ask(key="b", name="Second Asker", email="b@example.test")
    clock.advance(hours=7)  # 18:00 in Berlin: the first was due at 17:00, the second is due tomorrow at 11:00
    page = at_desk("Bea").get("/desk/sales")
    assert page.index("First Asker") < page.index("Second Asker")
    assert "1 hour late" in page
    assert "1 late" in page
    assert "in 17 hours" in page


def test_filters_stand_in_the_address(at_desk: AtDesk, ask: Ask) -> None:
    ask(key="a", name="Asker")
    ask(key="b", name="Waiter", email="b@example.test", kind="tell_me", sku="VASE", message="")
    ask(key="c", name="Spammer", email="c@example.test", trap="yes")
    bea = at_desk("Bea")
    bea.send("/desk/sales/leads/1/take", version=1)

    def names(query: str) -> set[str]:
        page = bea.get(f"/desk/sales?{query}")
        return {name for name in ("Asker", "Waiter", "Spammer") if name in page}

    assert names("") == {"Asker", "Waiter"}
    assert names("whose=mine") == {"Asker"}
    assert names("state=new") == {"Waiter"}
    assert names("kind=tell_me") == {"Waiter"}
    assert names("state=quarantined") == {"Spammer"}
    assert names("state=any") == {"Asker", "Waiter", "Spammer"}
    assert names("state=nonsense&kind=nonsense&page=nonsense") == {"Asker", "Waiter"}
    bea.send("/desk/sales/leads/3/release?state=quarantined", version=1)
    assert names("state=new") == {"Waiter", "Spammer"}


@pytest.mark.parametrize("typed", ["ÅNNA", "ånna", "anna@EXAMPLE", "wobbly", "L-00001", "stool"])
def test_search_finds_in_any_case(at_desk: AtDesk, ask: Ask, typed: str) -> None:
    ask(name="Ånna", message="It is Wobbly")
    ask(key="2", name="Other", email="other@mail.test", message="100% sure", sku="")
    page = at_desk("Bea").get(f"/desk/sales?q={typed}")
    assert "1 message" in page
    assert "Ånna" in page


def test_search_takes_signs_literally(at_desk: AtDesk, ask: Ask) -> None:
    ask(message="100% sure")
    bea = at_desk("Bea")
    assert "Anna" in bea.get("/desk/sales?q=100%25")
    assert "No message matches." in bea.get("/desk/sales?q=_%25_")


def test_a_thousand_rows_come_in_pages(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    first = ask()

    def many(session: Any) -> None:
        values = {c.name: getattr(first, c.name) for c in Lead.__table__.columns if c.name != "id"}
        session.execute(
            sa.insert(Lead),
            [values | {"number": f"X-{i}", "due_at": first.due_at + timedelta(minutes=i // 3)} for i in range(1, 1_000)],
        )

    workshop.db.run(many)
    bea = at_desk("Bea")
    page = bea.get("/desk/sales")
    assert "1000 messages" in page
    seen = []
    while True:
        seen += re.findall(r"/desk/sales/leads/(\d+)", page)
        further = re.search(r'rel="next" href="([^"]+)"', page)
        if not further:
            break
        page = bea.get(further[1])
    assert seen == [str(one) for one in range(1, 1_001)]
    ask(key="2", email="b@example.test")
    assert "more than 1,000 messages" in bea.get("/desk/sales")
    beyond = "/desk/sales?after=2030-01-01T00%3A00%3A00%2B00%3A00~1"
    assert bea.client.get(beyond).headers["Location"] == "/desk/sales"


def test_the_answer_shows_today_s_promise(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask(quantity="2", postcode="10115", needed_by_on="2026-11-25")
    page = at_desk("Bea").get("/desk/sales/leads/1")
    assert workshop.day("STOOL", 2).isoformat() == "2026-11-25"
    assert "Wed 25 Nov" in page
    assert "in time" in page
    assert "from stock" in page


def test_without_anything_to_promise_the_page_says_that(at_desk: AtDesk, ask: Ask) -> None:
    ask(sku="VASE", kind="tell_me")
    assert "Nothing can be promised today." in at_desk("Bea").get("/desk/sales/leads/1")
    ask(key="2", sku="NO-SUCH", kind="tell_me")
    assert "We have no item with that number." in at_desk("Bea").get("/desk/sales/leads/2")
    ask(key="3", postcode="99999")  # not a place we deliver to: the usual place then
    assert "Wed 25 Nov" in at_desk("Bea").get("/desk/sales/leads/3")


def test_next_opens_what_is_due_first_and_not_a_colleague_s(at_desk: AtDesk, ask: Ask) -> None:
    ask(key="a")
    ask(key="b", email="b@example.test")
    bea, carl = at_desk("Bea"), at_desk("Carl")
    bea.send("/desk/sales/leads/1/take", version=1)
    assert carl.client.get("/desk/sales/next").headers["Location"] == "/desk/sales/leads/2"
    assert bea.client.get("/desk/sales/next").headers["Location"] == "/desk/sales/leads/1"
    carl.send("/desk/sales/leads/2/done", version=1)
    assert "Nobody waits for an answer." in carl.client.get("/desk/sales/next", follow_redirects=True).get_data(as_text=True)


def test_one_timeline_with_orders_and_parcels(at_desk: AtDesk, ask: Ask, workshop: Workshop) -> None:
    ask(email="ada@example.test", name="Ada Lovelace")
    order = workshop.buy(STOOL=1)
    page = at_desk("Bea").get("/desk/sales/customers/1")
    for words in ("Is the stool stable on stone?", order.number, "Confirmed", "€54.00"):
        assert words in page
    assert f'href="/desk/sales/orders/{order.number}"' in page
