"""Somebody is forgotten: no text of any table, no mail says anything of them, and every sum is what it was."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import bootstrap, tables, verify
from backoffice.audit import AuditEntry
from backoffice.bridge import outbox
from backoffice.crm import customers, identity, leads, parties, visits
from backoffice.crm.models import Account, AccountLink, AccountSession, Address, Order, Party
from backoffice.db import Database
from backoffice.erp import fulfilment
from backoffice.erp.models import Shipment, Staff
from backoffice.payments import billing, requests
from backoffice.payments.models import Payment, PaymentEvent, Refund
from backoffice.privacy import erasing, forgetting, telling
from backoffice.privacy.again import erase_again, list_erasures
from backoffice.privacy.declared import HOLDS
from backoffice.privacy.erasing import Asked, House
from backoffice.privacy.models import Erasure
from backoffice.privacy.of_nobody import OF_NOBODY
from backoffice.privacy.person import find_by_email, get_person
from backoffice.public.errors import BadInput, Refused
from backoffice.public.leads import LeadForm
from backoffice.public.visits import Look
from tests.company import open_company
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_redirecting import send as redirect

EMAIL = "Zzyx.Kundin@example.test"
FORM = {
    "email": EMAIL,
    "name": "Zzyxa Kundin",
    "phone": "+49 30 98765432",
    "street": "Zzyxweg 7",
    "note": "Ring at zzyx",
    "company": "Brett & Co",  # a company is no person: it stays
}
TRACES = ("zzyx", "98765432")
BY = {"by": "ada@werk.test", "role": "admin"}
ASKED = Asked("letter", date(2026, 11, 20), "ada@werk.test", "admin")


@pytest.fixture
def workshop(services: Any, now: datetime) -> Workshop:
    services.db.run(lambda session: open_company(session, now=now))
    return Workshop(services, now)


def deliver(shop: Workshop) -> None:
    """Let the worker's carriers take everything that waits."""
    carriers = bootstrap.carriers(shop.services)
    while waiting := shop.db.run(lambda session: outbox.lease(session, "post", now=shop.now)):
        for message in waiting:
            carriers[message.target](message)
            shop.db.run(lambda session, message=message: outbox.done(session, message, "post", now=shop.now))


def live(shop: Workshop) -> str:
    """Give somebody a whole life with the shop; return the number of their order."""
    bea = Staff(email="bea@werk.test", name="Bea", role="sales", password_hash="x", created_at=shop.now)
    shop.db.run(lambda session: session.add(bea))
    form = LeadForm(
        key="page-1",
        kind="question",
        name=FORM["name"],
        email=EMAIL,
        phone=FORM["phone"],
        message="Zzyx wants to know whether the stool stands",
        sku="STOOL",
        company=FORM["company"],
        newsletter="Yes, write to me",
        landing="/?utm_content=zzyx",
    )
    lead = shop.db.run(lambda session: leads.submit(session, form, now=shop.now))

    def look(session: Session) -> None:
        token = visits.allow(session, wording="Yes", language="en", now=shop.now)
        visits.record(session, [Look(token, "search", "zzyx shelf", shop.now, email=EMAIL)])
        parties.of_address(session, "other@example.test", name=FORM["name"], phone=FORM["phone"], language="", now=shop.now)

    shop.db.run(look)
    assert identity.resolve(shop.db, now=shop.now) == 1
    shop.db.run(
        lambda s: s.execute(sa.update(Party).where(Party.email == "other@example.test").values(name="O", phone="", phone_key=""))
    )

    def work(session: Session) -> None:
        leads.take(session, lead.id, staff_id=bea.id, version=1, now=shop.now)
        leads.answer(session, lead.id, "Dear Zzyxa, it does.", staff=bea, version=2, now=shop.now)
        party = session.get_one(Party, lead.party_id)
        typed = {"name": "Zzyxa K.", "phone": party.phone, "language": "de", "job": "Zzyx's buyer", "vat_number": ""}
        customers.change(session, party.id, typed, owner_id=None, version=party.version, by=bea, now=shop.now)
        account = Account(party_id=party.id, email=EMAIL.lower(), name=FORM["name"], password_hash="h", created_at=shop.now)
        session.add(account)
        session.flush()
        later = shop.now + timedelta(days=1)
        times = {"created_at": shop.now, "expires_at": later}
        session.add(AccountSession(account_id=account.id, token_hash="t", device="Zzyx's phone", seen_at=shop.now, **times))
        session.add(AccountLink(account_id=account.id, purpose="reset", token_hash="l", **times))
        session.add(Address(account_id=account.id, name=FORM["name"], street="Zzyxweg 8", country="DE", created_at=shop.now))

    shop.db.run(work)
    start = shop.start(shop.cart(STOOL=1), **FORM)
    shop.pay(start)
    number = shop.order(start).number
    redirect(shop, number, name="Zzyxa", street="Zzyxallee 9")
    reason = "Zzyx found a scratch"
    shop.db.run(lambda s: requests.ask(s, number, 100, reason=reason, key="k", by=bea, now=shop.now))
    [payment] = shop.rows(Payment)
    event = {"provider_ref": payment.provider_ref, "payload": {"customer_details": {"email": EMAIL}}, "received_at": shop.now}
    shop.db.run(lambda s: s.add(PaymentEvent(id="evt_1", provider="sandbox", kind="paid", **event)))
    shop.start(shop.cart(LAMP=1), **FORM)  # and a page to pay that was left open
    return str(number)


def finish(shop: Workshop, number: str) -> None:
    """Bring what is under way of an order to its end."""
    deliver(shop)
    for parcel in shop.rows(Shipment, order_ref=number):
        shop.do(fulfilment.pick, parcel.id, "STOOL", 1)
        shop.do(fulfilment.pack, parcel.id)
        shop.do(fulfilment.ship, parcel.id, tracking="ZZYX-1")
    deliver(shop)
    shop.now += timedelta(hours=3)
    shop.services.till.poll(now=shop.now)
    billing.issue_due(shop.db, now=shop.now)


def house(shop: Workshop) -> House:
    return House.of(shop.services.settings)


def erase(shop: Workshop, party_id: int) -> int:
    return erasing.erase(shop.db, party_id, ASKED, house(shop), now=shop.now)


def hand_over(shop: Workshop, erasure_id: int) -> None:
    shop.db.run(lambda s: erasing.drop_export(s, erasure_id, actor=BY["by"], role="admin", now=shop.now))


def traces(shop: Workshop) -> Iterator[str]:
    """Yield each value of any table that says something of them, however it is stored."""
    with shop.db.read() as session:
        for table in tables.metadata.sorted_tables:
            for row in session.execute(sa.select(table)).mappings():
                for column, value in row.items():
                    text = json.dumps(value, ensure_ascii=False, default=str).casefold()
                    if any(trace in text for trace in TRACES):
                        yield f"{table.name}.{column}: {text[:80]}"


def sums(shop: Workshop) -> list[str]:
    """Return what the books need: goods, amounts, days, states, by their keys."""
    kinds: dict[Any, tuple[str, ...]] = {
        Order: ("number", "state", "total_minor", "currency", "placed_at"),
        Payment: ("id", "state", "amount_minor", "refunded_minor", "provider_ref"),
        Refund: ("key", "state", "amount_minor"),
        Shipment: ("number", "state", "shipped_at"),
    }
    return [str([getattr(row, name) for name in names]) for kind, names in kinds.items() for row in shop.rows(kind)]


def breaches(shop: Workshop) -> list[str]:
    with shop.db.read() as session:
        return [line for line in verify.breaches(session, now=shop.now) if "waits since long" not in line]


def party_of(shop: Workshop) -> int:
    with shop.db.read() as session:
        found = find_by_email(session, f" {EMAIL} ")
    assert found is not None
    return found


def test_nothing_is_left_of_somebody_who_is_forgotten_and_every_sum_stays(workshop: Workshop) -> None:
    number = live(workshop)
    other = workshop.start(workshop.cart(LAMP=1))
    workshop.pay(other)
    party_id, mails = party_of(workshop), workshop.services.settings.mail_path
    before = [str(list(traces(workshop))), breaches(workshop)]
    with pytest.raises(Refused, match="still_open"):
        erase(workshop, party_id)
    assert workshop.rows(Erasure) == []
    assert [str(list(traces(workshop))), breaches(workshop)] == before
    finish(workshop, number)
    books, written = sums(workshop), {path.name for path in mails.glob("*.eml")}
    theirs = {path.name for path in forgetting.find_mails(mails, [EMAIL.lower()])}
    assert len(theirs) >= 3
    assert len(list(traces(workshop))) > 30

    hand_over(workshop, erase(workshop, party_id))
    assert {trace.partition(":")[0] for trace in traces(workshop)} == {"invoice.buyer"}  # which the law wants whole
    assert {path.name for path in mails.glob("*.eml")} == written - theirs
    assert not [path for path in mails.rglob("*") if path.is_file() and "zzyx" in path.read_text(errors="replace").casefold()]
    assert sums(workshop) == books
    assert breaches(workshop) == []
    assert workshop.order(other).name == "Ada Lovelace"  # somebody else's stays
    entry = workshop.rows(AuditEntry)[-2]
    assert (entry.action, entry.subject, entry.actor) == ("person.forget", f"party:{party_id}", "ada@werk.test")
    with workshop.db.read() as session:
        assert find_by_email(session, EMAIL) is None


@pytest.mark.parametrize(
    ("plant", "place"),
    [
        ("UPDATE lead SET message = 'call Zzyx' WHERE id = {0}", "lead"),
        ("UPDATE checkout SET street = 'Weg 1' WHERE id = {0}", "checkout"),
        ("UPDATE party SET phone = '030 1' WHERE id = {0}", "party"),
        ("UPDATE party SET name = 'Zzyx' WHERE id = {0}", "party"),
        ("UPDATE cart SET party_id = {1}, postcode = '10115' WHERE id = {0}", "cart"),
    ],
)
def test_what_comes_back_of_somebody_who_was_forgotten_breaks_a_rule(workshop: Workshop, plant: str, place: str) -> None:
    number, party_id = live(workshop), party_of(workshop)
    finish(workshop, number)
    hand_over(workshop, erase(workshop, party_id))
    assert breaches(workshop) == []
    which = {
        "lead": "SELECT min(id) FROM lead WHERE party_id = :party",
        "checkout": "SELECT min(checkout_id) FROM orders WHERE party_id = :party",
        "party": "SELECT :party",
        "cart": "SELECT max(id) FROM cart",
    }

    def spoil(session: Session) -> int:
        row = session.scalar(sa.text(which[place]), {"party": party_id})
        session.execute(sa.text(plant.format(row, party_id)))
        return int(row)

    row = workshop.db.run(spoil)
    assert breaches(workshop) == [f"I20 {place} {row} still says something of person {party_id}, who was forgotten"]


@pytest.mark.postgresql
def test_two_forms_at_once_are_one_erasure(postgres_db: Database, settings_for: Any, now: datetime) -> None:
    services = bootstrap.build(settings_for(postgres_db.url))
    form = LeadForm(key="page-1", kind="question", name="Zzyxa", email=EMAIL, phone="", message="Zzyx wants to know", sku="STOOL")
    services.db.run(lambda session: open_company(session, now=now))
    lead = services.db.run(lambda session: leads.submit(session, form, now=now))
    two, found = threading.Barrier(2), list[int]()

    def send() -> None:
        two.wait()
        found.append(erasing.erase(services.db, lead.party_id, ASKED, House.of(services.settings), now=now))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with services.db.read() as session:
        rows = session.scalars(sa.select(Erasure)).all()
        chain = session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "person.forget")).all()
    assert (found, [one.id for one in rows], len(chain)) == ([rows[0].id] * 2, [rows[0].id], 1)
    assert rows[0].counts["lead"] == 1
    services.db.dispose()


def test_a_restored_backup_is_erased_again(workshop: Workshop) -> None:
    number = live(workshop)
    finish(workshop, number)
    key = workshop.services.settings.secret_key
    with workshop.db.read() as session:
        person = get_person(session, party_of(workshop))
    marks, (party_id, twin) = erasing.marks_of(person, key), person.party_ids
    told = {"erasure": 7, "asked_how": "letter", "asked_on": "2026-11-20", "parties": [1], "marks": marks}
    old = json.dumps({**told, "at": (workshop.now - timedelta(days=400)).isoformat()})  # then they came back
    late = json.dumps({**told, "erasure": 8, "at": workshop.now.isoformat()})
    none = json.dumps({**told, "erasure": 9, "at": workshop.now.isoformat(), "marks": ["of nobody here"]})

    def again(*lines: str) -> list[tuple[int, str, int | None]]:
        done = erase_again(workshop.db, lines, house(workshop), now=workshop.now)
        return [(one.erasure, one.outcome, one.party_id) for one in done]

    with pytest.raises(BadInput):
        again(old, "not a line")
    assert again(old, none) == [(7, "newer", party_id), (7, "newer", twin), (9, "nobody", None)]
    assert workshop.rows(Erasure) == []
    assert again(late) == [(8, "erased", party_id), (8, "erased", twin)]
    assert {trace.partition(":")[0] for trace in traces(workshop)} == {"invoice.buyer"}
    assert [(one.actor, one.asked_on, one.export) for one in workshop.rows(Erasure)] == [("command", date(2026, 11, 20), None)]
    with workshop.db.read() as session:
        [line] = list_erasures(session)
    assert again(line) == [(1, "known", None)]


def test_an_export_that_nobody_fetches_goes_after_a_week(workshop: Workshop) -> None:
    number = live(workshop)
    finish(workshop, number)
    erase(workshop, party_of(workshop))

    def left(**later: float) -> list[bool]:
        at = workshop.now + timedelta(**later)
        workshop.db.run(lambda session: erasing.drop_exports(session, now=at))
        return [one.export is not None for one in workshop.rows(Erasure)]

    assert (left(days=6, hours=23), left(days=7)) == ([True], [False])


def test_all_that_is_known_is_handed_out_but_nothing_that_opens_a_door(workshop: Workshop) -> None:
    number = live(workshop)
    party_id = party_of(workshop)
    known = workshop.db.run(lambda s: telling.hand_out(s, party_id, **BY, now=workshop.now))
    text = json.dumps(known)
    for words in (
        "Zzyxweg 7",
        "Zzyxallee 9",
        "Zzyx wants to know",
        "Ring at zzyx",
        "Zzyx found a scratch",
        "Yes, write to me",
        number,
    ):
        assert words in text, words
    secrets = {"password_hash", "token_hash", "link_nonce", "salt", "pay_url"}
    assert not [name for rows in known.values() for row in rows for name in row if name in secrets]
    assert {row["number"] for row in known["orders"]} == {number}
    assert [one.action for one in workshop.rows(AuditEntry)][-1] == "person.export"


def test_every_table_says_what_it_holds_of_a_person() -> None:
    """A new table is declared in backoffice/privacy/declared.py: what of it goes, what stays, or that it is of nobody."""
    assert HOLDS.keys() | OF_NOBODY.keys() == tables.metadata.tables.keys()
    assert not HOLDS.keys() & OF_NOBODY.keys()


def test_every_text_of_a_table_of_nobody_was_looked_at() -> None:
    """A new column of text is read by somebody, who writes it down in backoffice/privacy/of_nobody.py or declares it."""
    found = {name: {column.name for column in tables.metadata.tables[name].c if _is_text(column)} for name in OF_NOBODY}
    assert found == OF_NOBODY


def _is_text(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.Text | sa.JSON | sa.LargeBinary)


@pytest.mark.parametrize("name", [name for name, held in HOLDS.items() if not held.goes])
def test_every_text_of_a_table_that_stays_is_emptied_or_said_to_stay(name: str) -> None:
    held, table = HOLDS[name], tables.metadata.tables[name]
    texts = {column.name for column in table.c if _is_text(column)}
    assert texts <= held.empties.keys() | set(held.stays.split())
    assert held.empties.keys() | set(held.stays.split()) | set(held.hidden.split()) <= set(table.c.keys())
    assert not held.empties.keys() & set(held.stays.split())


def test_a_company_is_not_forgotten(workshop: Workshop) -> None:
    firm = Party(kind="company", name="Zzyx AG", country="DE", company_key="zzyx", created_at=workshop.now)
    workshop.db.run(lambda session: session.add(firm))
    with pytest.raises(Refused, match="not_a_person"):
        erase(workshop, firm.id)
