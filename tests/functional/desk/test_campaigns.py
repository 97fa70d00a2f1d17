"""Campaigns at the desk: written, tried, sent once, watched, stopped, counted."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm import leads, segments
from backoffice.crm.models import Campaign, Checkout, Order
from backoffice.crm.segment_rules import Condition
from backoffice.payments.models import Payment
from backoffice.public.leads import LeadForm
from tests.conftest import FixedClock
from tests.integration.campaigns.conftest import Mailing
from tests.integration.chain.conftest import Workshop

FORM = {
    "name": "Oak in autumn",
    "segment_id": "1",
    "subject-en": "New in oak",
    "body-en": "Hello {first_name},\n\n{link}",
    "subject-de": "",
    "body-de": "",
}
HOME = "/desk/sales/campaigns"


@pytest.fixture
def mailing(site: Flask, clock: FixedClock) -> Mailing:
    found = Mailing(site.extensions["shopfloor"], clock)
    found.meet("ada", "bob")
    found.meet("eve", allowed=False)
    everybody = [Condition("visits", "at_least", 0)]
    found.db.run(lambda session: segments.save(session, None, name="All", matching="all", conditions=everybody, now=clock()))
    return found


def rows(mailing: Mailing, *columns: Any) -> list[tuple[Any, ...]]:
    with mailing.db.read() as session:
        return [tuple(row) for row in session.execute(sa.select(*columns))]


def test_written_tried_and_sent_once(mailing: Mailing, at_desk: Any) -> None:
    bea = at_desk("Bea")
    told = bea.get(f"{HOME}/audience?segment_id=1")
    assert ("2 people would get it now." in told, "1: never allowed letters" in told) == (True, True)
    assert "Choose a segment" in bea.get(f"{HOME}/audience?segment_id=7")
    bea.send(HOME, **FORM, key="one")
    assert "Oak in autumn" in bea.send(HOME, **FORM, key="one")  # the same form twice is one campaign
    bea.refused(HOME, 409, **FORM, key="two")
    assert rows(mailing, Campaign.id, Campaign.state, Campaign.version) == [(1, "draft", 1)]
    page = bea.refused(HOME, 422, **FORM | {"body-en": "Hello {you}"}, campaign_id="1", version="1", key="three")
    assert ("A word in {braces}" in page, "Hello {you}" in page) == (True, True)
    bea.send(HOME, **FORM | {"subject-en": "Newer in oak"}, campaign_id="1", version="1", key="four")
    bea.refused(HOME, 409, **FORM, campaign_id="1", version="1", key="five")
    assert "A trial is on its way to bea@werk.test" in bea.send(f"{HOME}/1/trial", key="t")
    assert "2 people would get it now." in bea.get(f"{HOME}/1/send")
    bea.refused(f"{HOME}/1/send", 409, version="1")  # a colleague has changed it since
    assert "It is on its way." in bea.send(f"{HOME}/1/send", version="2")
    assert "Nothing is sent twice." in at_desk("Carl").send(f"{HOME}/1/send", version="2")
    assert mailing.queue() == 2
    assert mailing.carry() == ["ada", "bea@werk.test"[:3], "bob"]
    trial = next(one for one in mailing.sent if one["to"] == "bea@werk.test")
    assert (trial["subject"], trial["unsubscribe"]) == ("Newer in oak", "")
    link = "http://localhost/?utm_source=newsletter&utm_medium=email&utm_campaign=oak-in-autumn"
    assert trial["body"] == f"Hello Bea,\n\n{link}"
    page = bea.get(f"{HOME}/1/progress")
    assert re.findall(r"<dd>(\d+)</dd>", page) == ["2", "0", "1"]
    assert "3 of 3 people looked at" in page
    mailing.queue()
    assert "Sent" in bea.get(HOME)
    bea.get(f"{HOME}/1/send", 303)
    assert rows(mailing, AuditEntry.action)[-1] == ("campaign.send",)


def test_stopped_at_the_desk(mailing: Mailing, at_desk: Any) -> None:
    bea = at_desk("Bea")
    bea.send(HOME, **FORM, key="one")
    assert "page was out of date" in bea.send(f"{HOME}/1/stop")  # a draft has nothing to stop
    bea.send(f"{HOME}/1/send", version="1")
    mailing.queue()
    for _twice in range(2):
        assert "What has not left does not leave." in bea.send(f"{HOME}/1/stop")
    assert mailing.carry() == []
    assert rows(mailing, OutboxMessage.state) == [("done",), ("done",)]


def test_nobody_else_writes_one(mailing: Mailing, at_desk: Any) -> None:
    for name in ("Wim", "Petra"):
        assert at_desk(name).post(HOME, **FORM).status_code == 403
    assert rows(mailing, Campaign.id) == []


def test_what_became_of_it(mailing: Mailing, workshop: Workshop, at_desk: Any, clock: FixedClock) -> None:
    bea = at_desk("Bea")
    bea.send(HOME, **FORM, key="one")
    bea.send(f"{HOME}/1/send", version="1")
    mailing.queue()
    mailing.carry()
    bea.client.post(str(mailing.sent[0]["unsubscribe"]).removeprefix("http://localhost"))
    traced = {"source": "newsletter", "medium": "email", "campaign": "oak-in-autumn"}
    first, second, cancelled = (workshop.buy(STOOL=1) for _one in range(3))
    form = LeadForm(key="k", kind="question", name="A", email="ada@post.test", phone="", message="?", sku="STOOL", **traced)

    def come(session: Any) -> None:
        leads.submit(session, form, now=clock())
        session.execute(sa.update(Checkout).where(Checkout.id != 9).values(source=traced | {"landing": "/"}))
        by_number = {one.number: one for one in session.scalars(sa.select(Order))}
        session.get_one(Payment, by_number[second.number].payment_id).refunded_minor = 1_000
        by_number[cancelled.number].state = "cancelled"

    workshop.db.run(come)
    page = bea.get(f"{HOME}/1/results")
    assert "Who opened it is not known" in page
    table = list(csv.reader(io.StringIO(bea.get(f"{HOME}/1/results.csv"))))
    price = first.total.amount_minor
    paid, stayed = f"{2 * price / 100:.2f}", f"{(2 * price - 1_000) / 100:.2f}"
    assert [row[:2] for row in table[1:]] == [
        ["People of the segment", "3"],
        ["Sent", "2"],
        ["Waiting", "0"],
        ["Left out: never allowed letters", "1"],
        ["Want no more letters", "1"],
        ["Enquiries", "1"],
        ["Orders", "2"],
        ["Paid", paid],
        ["Gone back", "10.00"],
        ["Stayed", stayed],
    ]

    def undo(session: Any) -> None:  # the figures of the house must add up again
        session.execute(sa.update(Payment).values(refunded_minor=0))
        session.execute(sa.update(Order).where(Order.state == "cancelled").values(state="placed"))

    workshop.db.run(undo)
