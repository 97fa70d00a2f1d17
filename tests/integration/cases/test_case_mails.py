"""Mails about service cases: by the secret of our mail, by an order that is its sender's; never by a machine, never lost."""

from __future__ import annotations

from backoffice import bootstrap
from backoffice.bridge.outbox import Message
from backoffice.crm import cases, links
from backoffice.crm.models import Lead, ServiceCase
from tests.company import at
from tests.integration.cases.conftest import BEA, Service


def test_a_customer_who_names_their_order_opens_a_case_and_joins_it(service: Service) -> None:
    assert service.mail(f"Where is {service.number.lower()}?") == "new case"
    [case] = service.rows(ServiceCase)
    assert (case.order_ref, case.kind, case.priority, case.source) == (service.number, "other", "normal", "mail")
    assert service.mail("Still waiting.", uid=2, Subject=f"Re: {service.number}", at=at(24, 12)) == "threaded case"
    assert service.said() == [("message", f"Where is {service.number.lower()}?"), ("reply", "Still waiting.")]
    assert service.mail("Once more", uid=3, **{"Message-ID": "<2@example.test>"}) == "repeated nothing"
    assert service.rows(Lead) == []


def test_an_answer_to_our_mail_opens_it_again_whoever_writes(service: Service) -> None:
    service.ask()
    service.answer(then="solved", at=at(24, 10))
    other = "Ada's brother <bo@example.test>"
    assert service.mail("It broke again.", sender=other, References=service.thread(), at=at(25, 9)) == "threaded case"
    assert (service.case().state, service.said()[-1]) == ("open", ("reply", "Ada's brother <bo@example.test>\nIt broke again."))


def test_a_machine_opens_nothing_and_is_never_answered(service: Service) -> None:
    service.ask()
    service.answer(then="solved", at=at(24, 10))
    before = service.case()
    away = {"Auto_Submitted": "auto-replied", "References": service.thread()}
    assert service.mail("I am on holiday.", at=at(24, 10), **away) == "threaded case"
    after = service.case()
    assert (after.state, after.version, service.said()[-1]) == ("solved", before.version, ("automatic", "I am on holiday."))
    assert service.mail(f"Delivery of {service.number} failed.", uid=2, Precedence="bulk") == "doubtful lead"
    assert (len(service.mails()), len(service.rows(ServiceCase))) == (1, 1)


def test_an_order_of_somebody_else_or_a_made_up_secret_goes_the_way_of_every_mail(service: Service) -> None:
    service.ask()
    stranger = "Eve <eve@example.test>"
    assert service.mail(f"Where is {service.number}?", sender=stranger) == "new lead"
    forged = service.thread().replace("c1-", "c2-")
    assert service.mail("Me too.", uid=2, sender="Max <max@example.test>", References=forged) == "new lead"
    assert service.mail(f"{service.number}", uid=3, X_Spam_Flag="YES") == "doubtful lead"
    assert service.mail("A table for eight?", uid=4) == "new lead"  # of Ada, and of no order
    assert service.said() == [("message", "Can it be oiled?")]
    assert len(service.rows(ServiceCase)) == 1


def test_an_answer_to_a_closed_one_is_a_new_one_with_the_same_colleague(embedded: Service) -> None:
    embedded.ask("return")
    embedded.answer()
    embedded.db.run(lambda s: cases.close(s, 1, staff=BEA, version=2, now=embedded.now))
    assert embedded.mail("And the lamp?", References=embedded.thread()) == "new case"
    new = embedded.case(2)
    assert (new.owner_id, new.kind, new.order_ref, new.state) == (1, "return", embedded.number, "open")
    assert embedded.case().state == "closed"


def test_our_mail_carries_the_secret_and_the_link_and_the_outbox_neither(embedded: Service) -> None:
    token = embedded.ask()
    embedded.answer(then="solved")
    [row] = embedded.mails()
    settings = embedded.services.settings
    thread = links.case_thread(settings.secret_key, 1)
    assert thread not in str(row.payload)
    assert token not in str(row.payload)
    message = Message(row.id, "mail", row.aggregate, row.kind, row.payload, 1, embedded.now, embedded.now)
    sent = bootstrap._with_link(message, settings.model_copy(update={"reply_address": "reply@werk.test"}))
    assert sent.payload["link"] == f"https://werk.test/question/{token}"
    assert (sent.payload["thread"], sent.payload["reply_to"]) == (thread, f"reply+{thread}@werk.test")
    assert links.read_case_thread(settings.secret_key, f"<x@y> <case_answer.7.{thread.upper()}@WERK.TEST>") == 1
    assert links.read_case_token(settings.secret_key, thread) is None  # whoever is copied in has no page
    assert links.read_thread(settings.secret_key, thread) is None
