"""Invoices and credit notes: one for each order and each refund, numbered without a gap, written once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from backoffice.crm.models import Order
from backoffice.erp import models as t
from backoffice.payments import billing, refunds
from backoffice.payments.gateway import GatewayRefund
from backoffice.payments.models import Payment, Refund
from backoffice.public.money import Money
from backoffice.verify import money
from tests.integration.chain.conftest import Workshop


def issue(workshop: Workshop) -> int:
    """Let the worker issue what is due."""
    return billing.issue_due(workshop.db, now=workshop.now)


def papers(workshop: Workshop) -> Sequence[tuple[str, str, int, int, int]]:
    """Return (number, cause, net, tax, gross) of each paper."""
    return [(one.number, one.cause, one.net_minor, one.tax_minor, one.gross_minor) for one in workshop.rows(t.Invoice)]


def give_back(workshop: Workshop, amount: int, key: str) -> int:
    """Ask for money back and let the provider say that it is done; return the refund's id."""

    def ask(session: Any) -> int:
        payment = session.scalars(sa.select(Payment)).one()
        return refunds.request(session, payment, amount, reason="partial", key=key, by="Bea", now=workshop.now).id

    asked = workshop.db.run(ask)
    workshop.services.till.send_refund(asked, now=workshop.now)
    return asked


def breaches(workshop: Workshop, **later: float) -> list[str]:
    now = workshop.now + timedelta(**later)
    with workshop.db.read() as session:
        return [line for rule in money.RULES if rule.name == "I5" for line in rule.lines(session, now)]


def test_a_paid_order_has_its_invoice_once(workshop: Workshop) -> None:
    order = workshop.buy(STOOL=2, TABLE=1)
    assert workshop.rows(t.Invoice) == []  # nobody waits for a number while they pay
    assert issue(workshop) == 1
    assert issue(workshop) == 0
    # 2 × 49.00 + 499.00 + 5.00 delivery = 602.00, of which 19 %: 96.12
    assert papers(workshop) == [("INV-2026-000001", f"order:{order.number}", 50_588, 9_612, 60_200)]
    [paper] = workshop.rows(t.Invoice)
    assert (paper.issued_on, paper.paid_on, paper.currency) == (date(2026, 11, 24), date(2026, 11, 24), "EUR")
    assert paper.seller["name"] == "Werk"
    assert paper.buyer["street"] == "Weg 1"
    lines = [
        (one.kind, one.sku, one.quantity, one.rate_bp, one.gross_minor, one.tax_minor) for one in workshop.rows(t.InvoiceLine)
    ]
    assert lines == [
        ("goods", "STOOL", 2, 1900, 9_800, 1_565),
        ("goods", "TABLE", 1, 1900, 49_900, 7_967),
        ("delivery", "", 1, 1900, 500, 80),
    ]


def test_an_order_that_cannot_have_its_invoice_keeps_no_other_from_theirs(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, real = workshop.buy(STOOL=1), workshop.buy(STOOL=1), billing.invoice_order

    def broken(session: Session, order_id: int, *, now: datetime) -> t.Invoice | None:
        if order_id == 1:
            raise RuntimeError("planted")
        return real(session, order_id, now=now)

    with monkeypatch.context() as patched:
        patched.setattr(billing, "invoice_order", broken)
        assert issue(workshop) == 1
    assert [cause for _, cause, *_ in papers(workshop)] == [f"order:{second.number}"]
    assert issue(workshop) == 1
    assert [cause for _, cause, *_ in papers(workshop)] == [f"order:{second.number}", f"order:{first.number}"]


def test_each_refund_has_its_credit_note_and_the_last_leaves_nothing(workshop: Workshop) -> None:
    workshop.buy(STOOL=1)  # 54.00, of which tax 8.62
    one = give_back(workshop, 1_000, "one")
    assert issue(workshop) == 2
    two, three = give_back(workshop, 1, "two"), give_back(workshop, 4_399, "three")
    assert issue(workshop) == 2
    assert papers(workshop)[1:] == [
        ("CN-2026-000001", f"refund:{one}", 840, 160, 1_000),
        ("CN-2026-000002", f"refund:{two}", 1, 0, 1),
        ("CN-2026-000003", f"refund:{three}", 3_697, 702, 4_399),
    ]
    invoice, *notes = workshop.rows(t.Invoice)
    assert {note.corrects_id for note in notes} == {invoice.id}
    assert sum(note.tax_minor for note in notes) == invoice.tax_minor == 862
    assert breaches(workshop, days=1) == []


def test_money_that_the_bank_sends_back_is_owed_again(workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    refund_id = give_back(workshop, 1_000, "one")
    issue(workshop)
    news = GatewayRefund(workshop.rows(Refund)[0].provider_ref, "failed", Money(1_000, "EUR"))
    workshop.services.till.settle_refund(refund_id, news, now=workshop.now)
    assert issue(workshop) == 1
    assert issue(workshop) == 0
    assert papers(workshop)[-1] == ("INV-2026-000002", f"refund:{refund_id}:failed", 840, 160, 1_000)
    assert breaches(workshop, days=1) == []
    again = give_back(workshop, 4_400, "rest")  # the sandbox itself does not know that the first one failed
    issue(workshop)
    assert papers(workshop)[-1] == ("CN-2026-000002", f"refund:{again}", 3_697, 703, 4_400)
    assert breaches(workshop, days=1) == []


def test_money_for_which_there_was_no_order_needs_no_paper(workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(STOOL=5))
    workshop.now += timedelta(hours=2)
    workshop.services.till.poll(now=workshop.now)
    workshop.buy(STOOL=5)
    issue(workshop)
    payment = next(one for one in workshop.rows(Payment) if one.state == "expired")
    news = workshop.services.gateway.get_session(payment.provider_ref, now=workshop.now)
    late = type(news)(news.ref, news.pay_url, "paid", news.amount, news.expires_at, "pi_late")
    workshop.services.till.settle(late, event_id="late", now=workshop.now)
    [refund] = workshop.rows(Refund)
    workshop.services.till.settle_refund(refund.id, GatewayRefund("r", "succeeded", news.amount), now=workshop.now)
    assert issue(workshop) == 0
    assert len(papers(workshop)) == 1
    assert start.order_token
    assert breaches(workshop, days=1) == []


@pytest.mark.parametrize("statement", ["UPDATE invoice SET gross_minor = 1", "DELETE FROM invoice_line"])
def test_nobody_changes_or_deletes_a_paper(workshop: Workshop, statement: str) -> None:
    workshop.buy(STOOL=1)
    issue(workshop)
    before = papers(workshop)
    with pytest.raises(DBAPIError, match="written once"):
        workshop.db.run(lambda session: session.execute(sa.text(statement)))
    assert papers(workshop) == before


def test_a_refused_transaction_gives_its_number_back(workshop: Workshop) -> None:
    workshop.buy(STOOL=1)

    def fail(session: Any) -> None:
        assert billing.invoice_order(session, workshop.orders()[0].id, now=workshop.now)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        workshop.db.run(fail)
    assert workshop.orders()[0].to_invoice
    issue(workshop)
    assert [paper[0] for paper in papers(workshop)] == ["INV-2026-000001"]
    workshop.now += timedelta(days=60)
    workshop.buy(STOOL=1)
    issue(workshop)
    assert [paper[0] for paper in papers(workshop)] == ["INV-2026-000001", "INV-2027-000001"]


def test_missing_and_wrong_papers_are_found(workshop: Workshop) -> None:
    number = workshop.buy(STOOL=1).number
    assert breaches(workshop, minutes=4) == []
    assert breaches(workshop, minutes=6) == [f"I5 order {number} has had no invoice since 2026-11-24 08:00:00"]
    issue(workshop)
    give_back(workshop, 1_000, "one")
    assert breaches(workshop, minutes=6) == [f"I5 order {number}: its papers make 5400 EUR, paid and not given back are 4400"]
    issue(workshop)

    def skip(session: Any) -> None:
        session.execute(sa.update(t.NumberSeries).where(t.NumberSeries.kind == "invoice").values(last=3))

    workshop.db.run(skip)
    assert breaches(workshop) == ["I5 numbers of invoice in 2026: the series stands at 3, of which 1 are there"]
    workshop.db.run(lambda session: session.execute(sa.update(t.NumberSeries).values(last=1)))
    assert workshop.rows(Order)[0].to_invoice is False
