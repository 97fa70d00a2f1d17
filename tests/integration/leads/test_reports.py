"""Reports, counted by hand over a handful of enquiries and orders; their mail, once for each period."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.bridge.models import OutboxMessage
from backoffice.crm import leads, report_mails, reports
from backoffice.crm.models import Activity, Order
from backoffice.crm.reports import Answers, Cohort, Funnel, Span
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput
from backoffice.public.leads import LeadForm
from tests.conftest import NOW
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.conftest import workshop as workshop
from tests.statements import sent

BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = Span(date(2026, 11, 1), date(2026, 12, 1), BERLIN)
FORM = LeadForm(key="0", kind="question", name="A", email="a@example.test", phone="", message="?", sku="STOOL")


def ask(shop: Workshop, key: str, *, heard_after: float | None = None, reason: str | None = None, **changes: object) -> None:
    """Let an enquiry have come; heard_after: hours past the hour it was due at that we answered; reason: lost because of it."""

    def work(session: Session) -> None:
        lead = leads.submit(session, replace(FORM, key=key, email=f"a{key}@example.test", message=f"? {key}"), now=NOW)
        for name, value in changes.items():
            setattr(lead, name, value)
        if heard_after is not None:
            at = lead.due_at + timedelta(hours=heard_after)
            session.add(Activity(party_id=lead.party_id, lead_id=lead.id, kind="answer", at=at))
            session.add(Activity(party_id=lead.party_id, lead_id=lead.id, kind="call", at=at + timedelta(days=9)))
        if reason is not None:
            lead.outcome = "lost"
            session.add(Activity(party_id=lead.party_id, lead_id=lead.id, kind="lost", text=reason, at=NOW))

    shop.db.run(work)


def test_what_came_what_became_of_it_and_how_fast_we_were(workshop: Workshop) -> None:
    ask(workshop, "1", source="fair", state="done", outcome="won", heard_after=-1)
    ask(workshop, "2", source="fair", state="done", heard_after=0, reason="too dear")
    ask(workshop, "3", source="fair", state="answered", heard_after=1)
    ask(workshop, "4", source="web")
    ask(workshop, "5", source="web", state="quarantined")
    ask(workshop, "6", source="fair", state="done", reason="too dear", created_at=datetime(2026, 10, 31, 22, 59, tzinfo=UTC))
    ask(workshop, "7", source="web", kind="dispute")  # nobody outside asked
    with workshop.db.read() as session:
        with sent(workshop.db) as said:
            assert reports.find_funnel(session, NOVEMBER) == [Funnel("fair", 3, 3, 1, 1), Funnel("web", 1, 0, 0, 0)]
            assert reports.find_losses(session, NOVEMBER) == [("too dear", 1)]
            assert reports.find_answers(session, NOVEMBER, now=NOW) == [Answers("question", 2, 1, 0)]
        assert len(said) == 3
        later = NOW + timedelta(days=7)  # by then the one of the web should have been answered
        assert reports.find_answers(session, NOVEMBER, now=later) == [Answers("question", 2, 1, 1)]
        assert reports.find_funnel(session, NOVEMBER)[0].rate == 0.5


def test_customers_who_came_back_by_the_month_of_their_first_order(workshop: Workshop) -> None:
    when = [("a", 9, 30), ("a", 10, 5), ("a", 10, 9), ("b", 9, 2), ("c", 10, 31)]
    for who, month, day in when:
        start = workshop.start(workshop.cart(STOOL=1), email=f"{who}@example.test")
        workshop.pay(start)
        at = datetime(2026, month, day, 12, tzinfo=BERLIN)
        change = sa.update(Order).where(Order.number == workshop.order(start).number).values(placed_at=at)
        workshop.db.run(lambda session, change=change: session.execute(change))
    with workshop.db.read() as session, sent(workshop.db) as said:
        found = reports.find_cohorts(session, today=NOW.date(), zone=BERLIN)
    assert found == [Cohort(date(2026, 9, 1), 2, [1, 0]), Cohort(date(2026, 10, 1), 1, [0])]
    assert len(said) == 1


def test_reports_are_mailed_once_for_each_period_and_only_to_managers_who_asked(workshop: Workshop) -> None:
    def work(session: Session) -> list[int]:
        people = [
            Staff(email=f"{role}@werk.test", name=role, role=role, password_hash="x", session_nonce="n", created_at=NOW)
            for role in ("admin", "sales")
        ]
        session.add_all(people)
        session.flush()
        for one in people:
            report_mails.choose(session, one.id, "week", language="en", now=NOW)
        return [one.id for one in people]

    admin, _sales = workshop.db.run(work)
    ask(workshop, "1", source="fair", state="done", outcome="won", heard_after=-1)

    def send(days: int) -> int:
        return report_mails.send_due(workshop.db, base_url="https://werk.test", now=NOW + timedelta(days=days))

    # NOW is a Tuesday: the week it lies in is over on Monday, six days later
    assert [send(0), send(5), send(6), send(6), send(12), send(13)] == [0, 0, 1, 0, 0, 1]
    mails = [one.payload for one in workshop.rows(OutboxMessage, kind="report")]
    assert [(one["to"], one["first_on"], one["last_on"], one["came"], one["won"]) for one in mails] == [
        ("admin@werk.test", "2026-11-23", "2026-11-29", 1, 1),
        ("admin@werk.test", "2026-11-30", "2026-12-06", 0, 0),
    ]
    with pytest.raises(BadInput):
        workshop.db.run(lambda session: report_mails.choose(session, admin, "daily", language="en", now=NOW))
    workshop.db.run(lambda session: report_mails.choose(session, admin, "", language="en", now=NOW))
    assert send(20) == 0


def test_a_month_is_mailed_when_it_is_over() -> None:
    assert report_mails.period("month", date(2027, 1, 31)) == (date(2026, 12, 1), date(2027, 1, 1))
    assert report_mails.period("week", date(2026, 11, 30)) == (date(2026, 11, 23), date(2026, 11, 30))
