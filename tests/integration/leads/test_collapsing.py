"""Duplicates become one lead, what contradicts stays two and is linked, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime

import pytest
import sqlalchemy as sa

from backoffice.crm import collapsing, follow_ups, leads, telephones
from backoffice.crm.models import Activity, Lead, Party, PerhapsSame
from backoffice.db import Database
from backoffice.public.leads import LeadForm
from tests.integration.leads.conftest import FORM, Person

Submit = Callable[..., Lead]
CALL = LeadForm(key="c1", kind="phone", name="Anna Kowalska", email="", phone="030 1234567", message="Has it drawers?")
BEA = Person(1, "Bea")


def entries(shop: Database, lead_id: int) -> list[tuple[str, str, dict[str, object]]]:
    with shop.read() as session:
        found = session.scalars(sa.select(Activity).where(Activity.lead_id == lead_id).order_by(Activity.id))
        return [(one.kind, one.text, one.values) for one in found]


def count(shop: Database, table: type[Lead | Party | PerhapsSame]) -> int:
    with shop.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("030 1234567", "+49301234567"),
        ("+49 (0)30 / 123 45 67", "+49301234567"),
        ("0049 30 1234567", "+49301234567"),
        ("030 1234567 ext. 12", "+49301234567;ext=12"),
        ("+1 212 555 0100", "+12125550100"),
        ("12", ""),
        ("ask for Anna", ""),
        ("٠٣٠ ١٢٣٤٥٦٧", "+49301234567"),
    ],
)
def test_a_telephone_is_one_however_it_is_typed(typed: str, key: str) -> None:
    assert telephones.key_of(typed, "DE") == key


def test_an_open_lead_takes_the_next_message_about_the_same_thing(shop: Database, submit: Submit, now: datetime) -> None:
    first = submit()
    again = submit(key="k2", message="And on carpet?", quantity="5", needed_by_on="2026-12-09", source="fair")
    assert (again.id, again.message, again.quantity, again.needed_by_on) == (
        first.id,
        "And on carpet?",
        5,
        date(2026, 12, 9),
    )
    assert count(shop, Lead) == 1
    (_, said, _), (_, later, values) = entries(shop, first.id)
    assert (said, later) == (FORM.message, "And on carpet?")
    assert values == {"was": {"quantity": "2", "needed_by_on": "2026-12-01"}, "came_by": {"source": "fair"}}


def test_the_same_words_again_are_counted_in_one_line(shop: Database, submit: Submit) -> None:
    lead_id = submit().id
    for number in range(5):
        assert submit(key=f"again-{number}").version == 1
    assert [(kind, values) for kind, _, values in entries(shop, lead_id)] == [("message", {}), ("repeated", {"times": 5})]


@pytest.mark.parametrize("changes", [{"sku": "SHELF"}, {"kind": "quote_request"}, {"name": "Jan"}, {"phone": "+48 22 1112233"}])
def test_another_thing_or_another_person_at_the_same_address_is_another_lead(
    shop: Database, submit: Submit, changes: dict[str, str]
) -> None:
    submit(phone="+49 30 1234567")
    submit(**({"key": "k2", "phone": "+49 30 1234567"} | changes))
    assert (count(shop, Lead), count(shop, Party)) == (2, 1)


def test_an_answered_lead_comes_back_when_they_write_again(shop: Database, submit: Submit, now: datetime) -> None:
    lead = submit()
    shop.run(lambda s: leads.answer(s, lead.id, "It is.", staff=BEA, version=1, now=now))
    again = submit(key="k2")
    assert (again.id, again.state, again.owner_id) == (lead.id, "working", 1)


def test_who_called_is_known_when_they_write_with_the_same_name_and_telephone(
    shop: Database, submit: Submit, now: datetime
) -> None:
    shop.run(lambda s: follow_ups.phone_in(s, CALL, staff=BEA, now=now))
    submit(phone="+49 30 1234567", name="anna  kowalska")
    with shop.read() as session:
        party = session.scalars(sa.select(Party)).one()
    assert (party.email, party.phone_key) == ("anna@example.test", "+49301234567")
    assert count(shop, PerhapsSame) == 0


@pytest.mark.parametrize("changes", [{"name": "Jan Nowak"}, {"email": "jan@example.test"}])
def test_what_contradicts_stays_two_and_is_linked(shop: Database, submit: Submit, now: datetime, changes: dict[str, str]) -> None:
    if "email" in changes:
        submit(phone="+49 30 1234567")
    else:
        shop.run(lambda s: follow_ups.phone_in(s, CALL, staff=BEA, now=now))
    lead = submit(**({"key": "k2", "phone": "030/1234567"} | changes))
    assert (count(shop, Lead), count(shop, Party), count(shop, PerhapsSame)) == (2, 2, 1)
    with shop.read() as session:
        [(pair, other)] = collapsing.find_twins(session, lead.party_id)
    assert (pair.verdict, other.id) == ("", 1)
    shop.run(lambda s: collapsing.decide(s, pair.id, "different", by="Bea", now=now))
    submit(**({"key": "k3", "phone": "030/1234567", "message": "Hello?"} | changes))  # nobody is asked twice
    with shop.read() as session:
        assert list(collapsing.find_twins(session, lead.party_id)) == []


def test_a_caller_is_found_by_telephone_and_name_and_not_by_telephone_alone(shop: Database, now: datetime) -> None:
    for number, name in enumerate(("Anna Kowalska", "ANNA KOWALSKA", "Jan Nowak")):
        call = replace(CALL, key=f"c{number}", name=name, message=f"Call {number}")
        shop.run(lambda s, call=call: follow_ups.phone_in(s, call, staff=BEA, now=now))
    assert (count(shop, Party), count(shop, PerhapsSame)) == (2, 1)


def test_a_bot_that_says_the_same_ten_times_keeps_nobody_out(embedded_shop: Database, now: datetime) -> None:
    for number in range(10):
        form = replace(FORM, key=f"b{number}", trap="x" if number else "")
        embedded_shop.run(lambda s, form=form: leads.submit(s, form, now=now))
    assert count(embedded_shop, Lead) == 1
