"""Goods that bear less tax: their rate is frozen with the order, shown apart on its papers, and taken back as it was."""

from __future__ import annotations

import pytest

from backoffice.erp import models as t
from backoffice.erp import pricing
from backoffice.payments import billing
from backoffice.payments.models import Refund
from backoffice.public.errors import BadInput, NotFound
from tests.company import item_id
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_withdrawing import bought, withdraw


def make(workshop: Workshop, sku: str, kind: str) -> None:
    workshop.db.run(lambda s: pricing.set_tax_kind(s, item_id(s, sku), kind, by="Petra", now=workshop.now))


def lines(workshop: Workshop, kind: str) -> list[tuple[str, int, int, int]]:
    billing.issue_due(workshop.db, now=workshop.now)
    paper = workshop.rows(t.Invoice, kind=kind)[-1]
    return [(one.kind, one.rate_bp, one.gross_minor, one.tax_minor) for one in workshop.rows(t.InvoiceLine, invoice_id=paper.id)]


def test_an_invoice_groups_by_rate_and_shares_the_delivery(workshop: Workshop) -> None:
    make(workshop, "STOOL", "books")
    workshop.buy(STOOL=1, LAMP=1)
    assert lines(workshop, "invoice") == [
        ("goods", 1900, 7_900, 1_262),
        ("goods", 700, 4_900, 321),
        ("delivery", 1900, 309, 49),  # 500 by 7,900 to 4,900
        ("delivery", 700, 191, 12),
    ]


def test_the_kind_at_the_order_counts_not_that_of_today(workshop: Workshop) -> None:
    workshop.buy(STOOL=1)
    make(workshop, "STOOL", "books")
    workshop.buy(STOOL=1)
    billing.issue_due(workshop.db, now=workshop.now)
    rates = [{one.rate_bp for one in workshop.rows(t.InvoiceLine, invoice_id=paper.id)} for paper in workshop.rows(t.Invoice)]
    assert rates == [{1900}, {700}]


def test_money_back_for_one_thing_is_at_its_own_rate(workshop: Workshop) -> None:
    make(workshop, "STOOL", "books")
    start = bought(workshop, STOOL=2, LAMP=1)
    billing.issue_due(workshop.db, now=workshop.now)
    withdraw(workshop, start, 2, 0)
    assert [one.parts for one in workshop.rows(Refund)] == [{"STOOL": 9_800}]
    for one in workshop.rows(Refund):
        workshop.services.till.send_refund(one.id, now=workshop.now)
    assert lines(workshop, "credit_note") == [("refund", 700, 9_800, 641)]


def test_only_kinds_that_there_are(workshop: Workshop) -> None:
    with pytest.raises(BadInput):
        make(workshop, "STOOL", "gold")
    with pytest.raises(NotFound, match="unknown_product"):
        make(workshop, "LEG", "books")
    assert {one.tax_kind for one in workshop.rows(t.Product)} == {"standard"}
