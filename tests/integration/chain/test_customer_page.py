"""What a customer's page knows: its timeline part by part, what they are worth, our word to them, what they may want next."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import companies, profiles, visits
from backoffice.crm.models import Activity, Party
from backoffice.db import Database
from backoffice.desk import customer_figures, customer_sheets, timeline_pages
from backoffice.desk.customer_figures import Again, Others, Worth
from backoffice.erp.models import Staff
from backoffice.public.visits import Look
from tests.conftest import NOW
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_quotations import BEA
from tests.statements import sent

PEOPLE, EACH = 5, 2_000


def fill(db: Database) -> list[int]:
    """Write a company with five people, and ten thousand entries of theirs; return its id and theirs."""

    def work(session: Session) -> list[int]:
        company = Party(kind="company", name="Werk & Söhne", company_key="werk", country="DE", facts={}, created_at=NOW)
        session.add(company)
        session.flush()
        people = [
            Party(name=f"P{n}", email=f"p{n}@example.test", company_id=company.id, facts={}, created_at=NOW)
            for n in range(PEOPLE)
        ]
        session.add_all(people)
        session.flush()
        entries = [
            {
                "party_id": one.id,
                "kind": "note",
                "text": f"{one.name} {n}",
                "values": {},
                "actor": "",
                "at": NOW - timedelta(minutes=n // 3),
            }
            for n in range(EACH)
            for one in people
        ]
        session.execute(sa.insert(Activity), entries)
        return [company.id, *(one.id for one in people)]

    return db.run(work)


def test_the_timeline_is_read_part_by_part_and_none_is_lost(workshop: Workshop) -> None:
    ids, before, seen = fill(workshop.db), "", list[tuple[object, int]]()
    with workshop.db.read() as session:
        while True:
            part = timeline_pages.find_part(session, ids, before, size=700)
            seen += [(one.at, one.id) for one in part.entries]
            if not part.older:
                break
            before = part.older
    assert len(seen) == len(set(seen)) == PEOPLE * EACH
    assert all(newer > older for newer, older in pairwise(seen))


def test_of_more_people_than_fit_on_a_part_none_is_forgotten(workshop: Workshop) -> None:
    ids, before, seen = fill(workshop.db), "", list[int]()
    with workshop.db.read() as session:
        newest = sa.select(Activity.id).order_by(Activity.at.desc(), Activity.id.desc()).limit(80)
        for _ in range(40):
            part = timeline_pages.find_part(session, ids, before, size=2)
            seen, before = [*seen, *(one.id for one in part.entries)], part.older
        assert seen == list(session.scalars(newest))
        with sent(workshop.db) as asked:
            timeline_pages.find_part(session, ids, size=2)
        assert len(asked) == 3  # whose entries are the newest, these, and the visits


def test_a_part_costs_the_same_however_much_there_is(workshop: Workshop) -> None:
    ids = fill(workshop.db)
    with workshop.db.read() as session:
        with sent(workshop.db) as few:
            part = timeline_pages.find_part(session, ids)
        assert (len(few), len(part.entries)) == (2, timeline_pages.ENTRIES)
        with sent(workshop.db) as all_of_it:
            customer_sheets.get_sheet(session, ids[0], now=NOW)
        assert len(all_of_it) <= 20
        if workshop.db.is_sqlite:
            one = timeline_pages._newest(ids[1], timeline_pages.Place(NOW, False, 5), 51).compile(
                session.get_bind(), compile_kwargs={"literal_binds": True}
            )  # type: ignore[arg-type] # an engine
            plan = [row[3] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {one}")]
            assert any("ix_activity_party_id_at" in step for step in plan), plan


@pytest.mark.parametrize("size", [5, 7])  # a part that ends above a visit, and one that ends with it
def test_visits_stand_between_what_else_happened(workshop: Workshop, size: int) -> None:
    ids, moments = fill(workshop.db), [NOW - timedelta(minutes=n) for n in range(3)]

    def come(session: Session) -> None:
        token = visits.allow(session, wording="Yes", language="en", now=NOW)
        for n, at in enumerate(moments):  # each of two people in turn, so that each is a visit
            email = f"p{n % 2}@example.test"
            visits.record(session, [Look(token, "page", f"/p/{n}-{look}", at, email=email) for look in range(8)])

    workshop.db.run(come)
    profiles.refresh_all(workshop.db)
    both, before, seen = ids[1:3], "", list[timeline_pages.Entry]()
    with workshop.db.read() as session:
        while True:
            with sent(workshop.db) as statements:
                part = timeline_pages.find_part(session, both, before, size=size)
            assert len(statements) <= 3
            seen += part.entries
            if not (before := part.older) or len(seen) > 60:
                break
    first = [one for one in seen if isinstance(one, timeline_pages.Visited)]
    assert [(one.at, one.party_id) for one in first] == [(moments[0], both[0]), (moments[1], both[1]), (moments[2], both[0])]
    assert first[0].values == {"looks": [("page", f"/p/0-{look}") for look in range(6)], "more": 2, "rule": "form"}
    places = [(one.at, not isinstance(one, timeline_pages.Visited), one.id) for one in seen]
    assert all(newer > older for newer, older in pairwise(places))  # none twice, none out of its turn
    assert [isinstance(one, timeline_pages.Visited) for one in seen[:8]] == [False] * 6 + [True, False]  # of one instant below


def test_what_is_no_place_is_the_beginning(workshop: Workshop) -> None:
    ids = fill(workshop.db)
    with workshop.db.read() as session:
        newest = [one.id for one in timeline_pages.find_part(session, ids).entries]
        for typed in ("x", "1-", "-1", "9" * 40 + "-1", "1-2-3", "1-v", "1-vv1"):
            assert [one.id for one in timeline_pages.find_part(session, ids, typed).entries] == newest


def buy(shop: Workshop, email: str, sku: str) -> None:
    start = shop.start(shop.cart(**{sku: 1}), email=email, key=f"{email}-{sku}-{shop.now.isoformat()}")
    shop.pay(start)


def test_what_they_are_worth_and_may_want_next(workshop: Workshop) -> None:
    for n in range(3):
        buy(workshop, f"other{n}@example.test", "LAMP")
    for n in range(3):
        buy(workshop, f"other{n}@example.test", "TABLE")
    buy(workshop, "anna@example.test", "STOOL")
    workshop.now += timedelta(days=1)
    buy(workshop, "anna@example.test", "STOOL")
    workshop.now += timedelta(days=1)
    buy(workshop, "anna@example.test", "STOOL")
    buy(workshop, "anna@example.test", "LAMP")
    [anna] = workshop.rows(Party, email="anna@example.test")
    with workshop.db.read() as session:
        found = customer_figures.find_figures(session, [anna.id], now=workshop.now)
        lamp, stool = (
            session.execute(sa.text("SELECT price_minor FROM item WHERE sku = :sku"), {"sku": sku}).scalar_one()
            for sku in ("LAMP", "STOOL")
        )
    assert found.worth == [Worth("EUR", 4, 3 * stool + lamp + 4 * 500, workshop.now)]
    assert found.again == Again("Stool", 3, 1, date(2026, 11, 27))
    assert found.others == Others("Lamp", "Table", 3, 3)
    assert (found.kept, found.broken) == (0, 1)  # nobody sent the first


def test_a_company_is_its_people_together(workshop: Workshop) -> None:
    buy(workshop, "anna@example.test", "STOOL")
    buy(workshop, "bert@example.test", "STOOL")

    def work(session: Session) -> int:
        session.add(Staff(email=BEA.email, name=BEA.name, role="sales", password_hash="-", created_at=NOW))
        session.flush()
        people = session.scalars(sa.select(Party).order_by(Party.id)).all()
        company = companies.found(session, "Werk", country="DE", by=BEA, now=NOW)
        for one in people:
            companies.join(session, one.id, company.id, by=BEA, now=NOW)
        return company.id

    company_id = workshop.db.run(work)
    with workshop.db.read() as session:
        sheet = customer_sheets.get_sheet(session, company_id, now=NOW)
        assert [(one.orders, one.currency) for one in sheet.figures.worth] == [(2, "EUR")]
        assert {one.party_id for one in sheet.part.entries if one.kind == "order"} == {one.id for one in sheet.people}
