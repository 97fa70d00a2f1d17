"""Customers at the sales desk: found by anything, changed by one at a time, companies with their people."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm.models import Activity, Consent, Lead, Party
from tests.conftest import FixedClock
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop
from tests.statements import sent

AtDesk = Callable[[str], Colleague]
LIST = "/desk/sales/customers"
FORM = {"version": 1, "name": "Ada Lovelace", "phone": "", "language": "en", "job": "", "vat_number": "", "owner": ""}


def buy(workshop: Workshop, **changes: Any) -> Any:
    """Buy a stool, as somebody."""
    start = workshop.start(workshop.cart(STOOL=1), **changes)
    workshop.pay(start)
    return workshop.order(start)


@pytest.mark.parametrize("typed", ["ada lovelace", "ADA@", "Nordlicht", "4930 123", "(030) 123", "%(number)s", "%(part)s"])
def test_a_customer_is_found_by_anything(at_desk: AtDesk, workshop: Workshop, typed: str) -> None:
    order = buy(workshop, company="Büro Nordlicht", phone="+49 30 123-45")
    buy(workshop, email="other@mail.test", name="Somebody Else")
    page = at_desk("Bea").get(f"{LIST}?q={typed % {'number': order.number.lower(), 'part': order.number[3:]}}")
    assert "Ada Lovelace" in page
    assert "Somebody Else" not in page


def test_people_companies_and_open_orders(at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]) -> None:
    ask()  # Anna, who has bought nothing
    buy(workshop, company="Nordlicht")
    bea = at_desk("Bea")

    def names(query: str) -> list[str]:
        return re.findall(r"data-row><bdi>([^<]+)</bdi>", bea.get(f"{LIST}?{query}"))

    assert names("sort=name") == ["Ada Lovelace", "Anna Kowalska", "Nordlicht"]
    assert names("which=people&sort=new") == ["Ada Lovelace", "Anna Kowalska"]
    assert names("which=companies") == ["Nordlicht"]
    assert names("which=open") == ["Ada Lovelace"]
    assert names("which=nonsense&sort=nonsense&page=nonsense&q=anna") == ["Anna Kowalska"]
    assert names("q=_%25_") == []


def test_ten_thousand_customers_come_in_pages_with_few_questions_to_the_database(at_desk: AtDesk, workshop: Workshop) -> None:
    now = workshop.now

    def many(session: Any) -> None:
        rows = [{"name": f"Person {i:05}", "email": f"p{i}@mail.test", "facts": {}, "created_at": now} for i in range(10_000)]
        session.execute(sa.insert(Party), rows)
        session.execute(sa.insert(Activity), [{"party_id": i, "kind": "note", "at": now} for i in range(1, 10_001)])

    workshop.db.run(many)
    bea = at_desk("Bea")
    with sent(workshop.db) as asked:
        page = bea.get(LIST)
    assert page.count("data-row") == 50
    assert "1 to 50 of 10000" in page
    assert len([one for one in asked if one.startswith("SELECT")]) <= 9
    assert "9951 to 10000 of 10000" in bea.get(f"{LIST}?page=200&sort=name")
    assert bea.client.get(f"{LIST}?page=201").headers["Location"] == f"{LIST}?page=200"


def test_a_customer_s_page_says_everything(at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]) -> None:
    ask(email="ada@example.test", name="Ada Lovelace", source="search", campaign="spring")
    order = buy(workshop, company="Nordlicht", street="Hafen 1")
    page = at_desk("Bea").get(f"{LIST}/1")
    for words in (
        "Is the stool stable on stone?",
        order.number,
        "Nordlicht",
        "Hafen 1",
        "none, buys as a guest",
        "search · spring",
    ):
        assert words in page, words
    assert "sales, answer" not in page


def test_the_second_of_two_colleagues_keeps_what_they_typed(at_desk: AtDesk, workshop: Workshop) -> None:
    buy(workshop)
    bea, carl = at_desk("Bea"), at_desk("Carl")
    assert "Saved." in bea.send(f"{LIST}/1", **FORM)  # nothing was different
    bea.send(f"{LIST}/1", **(FORM | {"job": "Buyer"}))
    page = carl.refused(f"{LIST}/1", 409, **(FORM | {"phone": "+44 <b>1</b>"}))
    assert "Somebody changed this in the meantime." in page
    assert 'value="+44 <b>1</b>"' in page
    assert 'name="version" value="2"' in page
    [ada] = workshop.rows(Party)
    assert (ada.job, ada.phone, ada.version) == ("Buyer", "", 2)


@pytest.mark.parametrize(
    ("field", "typed", "said"), [("name", " ", "Fill this in."), ("vat_number", "x", "Write it as the tax office does")]
)
def test_what_is_wrong_is_said_beside_the_field(at_desk: AtDesk, workshop: Workshop, field: str, typed: str, said: str) -> None:
    buy(workshop)
    page = at_desk("Bea").refused(f"{LIST}/1", 422, **(FORM | {field: typed, "job": "Kept"}))
    assert said in page
    assert 'value="Kept"' in page


def test_the_class_decides_what_is_kept_for_them(at_desk: AtDesk, workshop: Workshop) -> None:
    buy(workshop)
    bea = at_desk("Bea")
    assert "Key accounts</dd>" in bea.send(f"{LIST}/1", **(FORM | {"customer_class": "key"}))
    assert [one.customer_class for one in workshop.rows(Party)] == ["key"]
    assert "Choose one of the list." in bea.refused(f"{LIST}/1", 422, **(FORM | {"customer_class": "kings", "version": "2"}))
    assert [one.customer_class for one in workshop.rows(Party)] == ["key"]


def test_a_company_with_its_people_on_one_timeline(at_desk: AtDesk, workshop: Workshop, ask: Callable[..., Lead]) -> None:
    ask()
    first = buy(workshop)
    bea = at_desk("Bea")
    page = bea.send(LIST, name=" Büro  Nordlicht ", country="DE", vat_number="de123456789")
    assert "Kept. Now say who works there." in page
    [company] = workshop.rows(Party, kind="company")
    assert (company.name, company.vat_number) == ("Büro Nordlicht", "DE123456789")
    here = f"{LIST}/{company.id}"
    assert "is known already: here it is." in bea.send(LIST, name="BÜRO NORDLICHT", country="DE", vat_number="")
    assert "Nobody with that address is known yet." in bea.refused(f"{here}/people", 422, email="nobody@mail.test")
    bea.send(f"{here}/people", email=" ADA@example.test ")
    page = bea.send(f"{LIST}/1/company", company="büro nordlicht", country="DE")
    assert "No longer at Büro Nordlicht" in page
    page = bea.get(here)
    for words in ("Ada Lovelace", "Anna Kowalska", first.number, "Is the stool stable on stone?"):
        assert words in page
    assert "They belong to Büro Nordlicht already." in bea.refused(f"{LIST}/1/company", 409, company="Other", country="DE")
    bea.send(f"{here}/people/1/leave", back="person")
    assert "Anna Kowalska" not in bea.get(here)
    assert bea.refused(LIST, 422, name="", country="XYZ", vat_number="?").count("field-wrong") == 3
    assert len(workshop.rows(Party, kind="company")) == 1


def test_a_consent_on_the_telephone_and_taken_back(at_desk: AtDesk, workshop: Workshop) -> None:
    buy(workshop)
    bea = at_desk("Bea")
    page = bea.refused(f"{LIST}/1/consents", 422, purpose="newsletter", wording=" ", spoken="en")
    assert "Fill this in." in page
    page = bea.send(f"{LIST}/1/consents", purpose="newsletter", wording="May we write to you?", spoken="en")
    for words in ("May we write to you?", "by telephone", "written down by: Bea", "They take it back"):
        assert words in page
    page = bea.send(f"{LIST}/1/consents/1/withdraw")
    assert "Taken back Tue 24 Nov, 09:00" in page
    assert [one.withdrawn_at for one in workshop.rows(Consent)] == [workshop.now]
    bea.refused(f"{LIST}/2/consents/1/withdraw", 404)


def test_many_entries_come_in_parts(at_desk: AtDesk, workshop: Workshop, clock: FixedClock) -> None:
    buy(workshop)
    rows = [{"party_id": 1, "kind": "note", "text": f"Note {i:03}.", "at": clock.advance(minutes=1)} for i in range(250)]
    workshop.db.run(lambda session: session.execute(sa.insert(Activity), rows))
    bea = at_desk("Bea")
    page = bea.get(f"{LIST}/1")
    assert page.index("Note 249.") < page.index("Note 200.")
    assert "Note 199." not in page
    older = re.search(r'href="([^"]*before=[^"]*)"', page)
    assert older
    before = bea.get(older[1])
    assert before.index("Note 199.") < before.index("Note 150.")
    assert "Note 200." not in before


def test_tabs_lead_from_one_to_the_other(at_desk: AtDesk) -> None:
    bea = at_desk("Bea")
    for path, name in (("", "Enquiries"), ("/customers", "Customers"), ("/orders", "Orders")):
        page = bea.get(f"/desk/sales{path}")
        assert re.search(rf'aria-current="page">{name}<', page), name
