"""Invoices and credit notes of an order, as its buyer sees them: what was frozen when they were issued."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp import invoicing
from backoffice.erp import models as t
from backoffice.public import addresses
from backoffice.public.errors import NotFound
from backoffice.public.money import Money
from backoffice.public.orders import OrderPaper, PaperLine, PaperTax, PaperView
from backoffice.public.partners import Place, Slice


class LocalPapers:
    """Read papers, whoever they were issued to."""

    def __init__(self, db: Database) -> None:
        """Read from `db`."""
        self._db = db

    def list(self, *, after: Place | None, limit: int, month: date | None) -> Slice[PaperView]:
        """Return papers in the order of issue."""
        with self._db.read() as session:
            query = sa.select(t.Invoice).where(t.Invoice.id > (after.row_id if after else 0))
            if month is not None:
                query = query.where(
                    t.Invoice.issued_on >= month, t.Invoice.issued_on < (month + timedelta(days=32)).replace(day=1)
                )
            rows = session.scalars(query.order_by(t.Invoice.id).limit(limit + 1)).all()
            lines, corrected = _lines_of_each(session, rows), _numbers(session, rows)
            shown = [_view(one, lines[one.id], corrected.get(one.corrects_id or 0, "")) for one in rows[:limit]]
            return Slice(shown, Place(rows[limit - 1].id) if len(rows) > limit else None)

    def get(self, number: str) -> PaperView:
        """Return a paper. Raises NotFound(unknown_order)."""
        with self._db.read() as session:
            found = session.scalar(sa.select(t.Invoice).where(t.Invoice.number == number))
            if found is None:
                raise NotFound("unknown_order")
            return view(session, found)


def _lines_of_each(session: Session, papers: Sequence[t.Invoice]) -> Mapping[int, Sequence[t.InvoiceLine]]:
    found: dict[int, list[t.InvoiceLine]] = {one.id: [] for one in papers}
    wanted = sa.select(t.InvoiceLine).where(t.InvoiceLine.invoice_id.in_(found))
    for line in session.scalars(wanted.order_by(t.InvoiceLine.invoice_id, t.InvoiceLine.position)):
        found[line.invoice_id].append(line)
    return found


def _numbers(session: Session, papers: Sequence[t.Invoice]) -> Mapping[int, str]:
    ids = {one.corrects_id for one in papers if one.corrects_id}
    rows = session.execute(sa.select(t.Invoice.id, t.Invoice.number).where(t.Invoice.id.in_(ids)))
    return {row.id: row.number for row in rows}


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
    corrects = session.get_one(t.Invoice, paper.corrects_id).number if paper.corrects_id else ""
    return _view(paper, invoicing.lines_of(session, paper.id), corrects)


def _view(paper: t.Invoice, lines: Sequence[t.InvoiceLine], corrects: str) -> PaperView:
    seller, buyer = paper.seller, addresses.of({part: paper.buyer.get(part, "") for part in addresses.PARTS})
    return PaperView(
        number=paper.number,
        kind=paper.kind,
        order=paper.order_ref,
        corrects=corrects,
        issued_on=paper.issued_on,
        paid_on=paper.paid_on,
        due_on=paper.due_on,
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
