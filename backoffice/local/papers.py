"""Invoices and credit notes of an order, as its buyer sees them: what was frozen when they were issued."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy.orm import Session

from backoffice.erp import invoicing
from backoffice.erp import models as t
from backoffice.public import addresses
from backoffice.public.errors import NotFound
from backoffice.public.money import Money
from backoffice.public.orders import OrderPaper, PaperLine, PaperTax, PaperView


def of_order(session: Session, order_ref: str) -> Sequence[OrderPaper]:
    """Return an order's papers, the oldest first."""
    return [
        OrderPaper(one.number, one.kind, one.issued_on, Money(one.gross_minor, one.currency))
        for one in invoicing.of_order(session, order_ref)
    ]


def get(session: Session, order_ref: str, number: str) -> PaperView:
    """Return one of an order's papers. Raises NotFound(unknown_order)."""
    papers = {one.number: one for one in invoicing.of_order(session, order_ref)}
    if number not in papers:
        raise NotFound("unknown_order")
    return view(session, papers[number])


def view(session: Session, paper: t.Invoice) -> PaperView:
    """Return a paper with its lines and its tax by rate."""
    lines = invoicing.lines_of(session, paper.id)
    corrects = session.get_one(t.Invoice, paper.corrects_id).number if paper.corrects_id else ""
    seller, buyer = paper.seller, addresses.of({part: paper.buyer.get(part, "") for part in addresses.PARTS})
    return PaperView(
        number=paper.number,
        kind=paper.kind,
        order=paper.order_ref,
        corrects=corrects,
        issued_on=paper.issued_on,
        paid_on=paper.paid_on,
        seller=[seller["name"], *seller["address"]],
        vat_number=seller["vat_number"],
        register_entry=seller["register_entry"],
        email=seller["email"],
        phone=seller["phone"],
        buyer=addresses.write(buyer),
        buyer_country=buyer.country,
        lines=[
            PaperLine(one.kind, one.sku, one.text, one.quantity, one.rate_bp, Money(one.gross_minor, paper.currency))
            for one in lines
        ],
        taxes=_taxes(lines, paper.currency),
        gross=Money(paper.gross_minor, paper.currency),
    )


def _taxes(lines: Sequence[t.InvoiceLine], currency: str) -> Sequence[PaperTax]:
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for line in lines:
        sums[line.rate_bp][0] += line.net_minor
        sums[line.rate_bp][1] += line.tax_minor
    return [PaperTax(rate, Money(net, currency), Money(tax, currency)) for rate, (net, tax) in sorted(sums.items(), reverse=True)]
