"""Who asked to be told is told once, as soon as what they asked for can be promised in their quantity."""

from __future__ import annotations

import email
import email.policy
from typing import Any

import pytest

from backoffice.bridge.mail import MailFolder
from backoffice.bridge.models import OutboxMessage
from backoffice.bridge.worker import Worker
from backoffice.crm import telling
from backoffice.crm.models import Activity, Lead
from backoffice.erp import counting
from backoffice.erp import models as t
from backoffice.public.leads import LeadForm


def ask(workshop: Any, key: str, **changes: str) -> None:
    """Send the "tell me" form of a product page."""
    values = {"kind": "tell_me", "name": "", "email": f"{key}@example.test", "phone": "", "message": "", "sku": "VASE"}
    values |= {"quantity": "1", "postcode": "10115", "page": "/p/vase"} | changes
    workshop.shop.leads.submit(LeadForm(key=key, **values), now=workshop.now)


def tell(workshop: Any) -> int:
    """Let the worker look."""
    return telling.tell_waiting(workshop.db, base_url="https://werk.test", now=workshop.now)


def test_told_once_when_it_can_be_had(workshop):
    ask(workshop, "one-piece")
    ask(workshop, "three-pieces", quantity="3")
    ask(workshop, "from-nowhere", postcode="99999")
    ask(workshop, "a-robot", trap="filled")
    assert tell(workshop) == 0
    vase = workshop.rows(t.Item, sku="VASE")[0].id
    workshop.do(counting.count_stock, vase, 1, 2, ref="count:1")
    assert tell(workshop) == 2
    assert tell(workshop) == 0
    mails = [mail.payload for mail in workshop.rows(OutboxMessage, kind="can_be_had")]
    assert [(mail["to"], mail["deliver_on"], mail["link"]) for mail in mails] == [
        ("one-piece@example.test", "2026-11-25", "https://werk.test/p/vase"),
        ("from-nowhere@example.test", "2026-11-25", "https://werk.test/p/vase"),
    ]
    assert [lead.state for lead in workshop.rows(Lead)] == ["answered", "new", "answered", "quarantined"]
    assert len(workshop.rows(Activity, kind="answer")) == 2
    workshop.do(counting.count_stock, vase, 1, 3, ref="count:2")
    assert tell(workshop) == 1  # now there are three


def test_other_questions_wait_for_a_person(workshop):
    ask(workshop, "a-question", kind="question", sku="STOOL", message="Is it oak?", name="Ada")
    assert tell(workshop) == 0
    assert workshop.rows(OutboxMessage) == []


@pytest.mark.parametrize("link", ["https://werk.test/p/vase", ""])
def test_the_mail_reads_well_with_and_without_an_address(workshop, tmp_path, link):
    ask(workshop, "reader", name="Ada")
    workshop.do(counting.count_stock, workshop.rows(t.Item, sku="VASE")[0].id, 1, 1, ref="count:1")
    telling.tell_waiting(workshop.db, base_url="https://werk.test" if link else "", now=workshop.now)
    clock = workshop.services.clock
    Worker(workshop.db, {"mail": MailFolder(tmp_path, lambda: "hello@werk.test")}, [], name="test", clock=clock).turn()
    mail = email.message_from_bytes(next(tmp_path.glob("*.eml")).read_bytes(), policy=email.policy.default)
    assert mail["Subject"] == "Vase can be had: arrives Wed 25 Nov"
    text = mail.get_body(("plain",)).get_content()
    assert "Ordered today it arrives on" in text
    assert (link in text) if link else ("http" not in text)
