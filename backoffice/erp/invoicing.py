"""Issuing invoices and credit notes: numbered without a gap, written once.

The number is taken in the transaction that issues, by one statement that raises the series and keeps its row until the end:
whoever issues next waits, and what is taken back gives its number back with it. So take it last, in a short transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from backoffice.db import table_of
from backoffice.erp import models as t
from backoffice.erp import taxes
from backoffice.erp.company import get_company, local_today
from backoffice.wording import day_in

PREFIXES = {"invoice": "INV", "credit_note": "CN"}


@dataclass(frozen=True, slots=True)
class Part:
    """A line to be: what it costs with its tax, and the tax's rate (hundredths of a percent). kind: as of t.InvoiceLine."""

    kind: str
    gross_minor: int
    rate_bp: int
    sku: str = ""
    text: str = ""
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class Left:
    """What of an invoice has not been taken back, at one rate."""

    rate_bp: int
    gross_minor: int
    tax_minor: int


def issue(
    session: Session,
    cause: str,
    order_ref: str,
    parts: Sequence[Part],
    *,
    currency: str,
    buyer: Mapping[str, Any],
    paid_at: datetime,
    due_on: date | None = None,
    now: datetime,
) -> t.Invoice:
    """Issue the invoice over parts; the same `cause` is one invoice. due_on: until when it is to be paid; None: it was."""
    known = find_by_cause(session, cause)
    if known is not None:
        return known
    taxed = taxes.taxes_in([(part.gross_minor, part.rate_bp) for part in parts])
    lines = [_line(part, tax) for part, tax in zip(parts, taxed, strict=True)]
    return _write(session, "invoice", cause, order_ref, lines, None, currency, buyer, paid_at, now, due_on)


def credit(
    session: Session,
    cause: str,
    invoice: t.Invoice,
    gross_minor: int,
    *,
    parts: Mapping[str, int] | None = None,
    paid_at: datetime,
    now: datetime,
) -> t.Invoice:
    """Issue a credit note over a part of an invoice, a line for each of its rates; the same `cause` is one credit note.

    parts: SKU → what of it is for that, which is taken back at the rate of its line on the invoice; the rest, and all of it
    where nothing is named, is shared over what is left. What is taken back last takes
    back what is left of the tax, so that nothing of it stays. Raises ValueError for more than is left of the invoice.
    """
    known = find_by_cause(session, cause)
    if known is not None:
        return known
    rates = left_of(session, invoice)
    if gross_minor > sum(one.gross_minor for one in rates):
        raise ValueError(f"{cause}: {gross_minor} is more than is left of {invoice.number}")
    lines = []
    for one, gross in zip(rates, _shared(session, invoice, gross_minor, rates, parts or {}), strict=True):
        if gross:
            tax = one.tax_minor if gross == one.gross_minor else min(taxes.tax_in(gross, one.rate_bp), one.tax_minor)
            lines.append(_line(Part("refund", gross, one.rate_bp), tax))
    return _write(
        session, "credit_note", cause, invoice.order_ref, lines, invoice.id, invoice.currency, invoice.buyer, paid_at, now
    )


def _shared(
    session: Session, invoice: t.Invoice, gross_minor: int, rates: Sequence[Left], parts: Mapping[str, int]
) -> Sequence[int]:
    """Return what of an amount is taken back at each rate, never more than is left of it."""
    left = [one.gross_minor for one in rates]
    if len(rates) < 2 or not parts:
        return taxes.shares(gross_minor, left)
    rate_of = {line.sku: line.rate_bp for line in lines_of(session, invoice.id) if line.kind == "goods"}
    named = [sum(gross for sku, gross in parts.items() if rate_of.get(sku) == one.rate_bp) for one in rates]
    taken = [min(gross, most) for gross, most in zip(named, left, strict=True)]
    if sum(taken) > gross_minor:
        return taxes.shares(gross_minor, taken)
    rest, room = gross_minor - sum(taken), [most - gross for most, gross in zip(left, taken, strict=True)]
    return [gross + more for gross, more in zip(taken, taxes.shares(rest, room), strict=True)] if rest else taken


def take_back(session: Session, cause: str, note: t.Invoice, *, paid_at: datetime, now: datetime) -> t.Invoice:
    """Issue the invoice that takes a whole credit note back, because its money never arrived."""
    known = find_by_cause(session, cause)
    if known is not None:
        return known
    lines = [_line(Part("refund", one.gross_minor, one.rate_bp), one.tax_minor) for one in lines_of(session, note.id)]
    return _write(session, "invoice", cause, note.order_ref, lines, note.id, note.currency, note.buyer, paid_at, now)


def find_by_cause(session: Session, cause: str) -> t.Invoice | None:
    """Return the paper that was issued for something."""
    return session.scalar(sa.select(t.Invoice).where(t.Invoice.cause == cause))


def of_order(session: Session, order_ref: str) -> Sequence[t.Invoice]:
    """Return an order's papers, the oldest first."""
    return session.scalars(sa.select(t.Invoice).where(t.Invoice.order_ref == order_ref).order_by(t.Invoice.id)).all()


def lines_of(session: Session, invoice_id: int) -> Sequence[t.InvoiceLine]:
    """Return a paper's lines."""
    return session.scalars(
        sa.select(t.InvoiceLine).where(t.InvoiceLine.invoice_id == invoice_id).order_by(t.InvoiceLine.position)
    ).all()


def left_of(session: Session, invoice: t.Invoice) -> Sequence[Left]:
    """Return what of an order's invoice has not been taken back, by rate, the highest first."""
    line = t.InvoiceLine
    sign = sa.case((t.Invoice.kind == "invoice", 1), else_=-1)
    rows = session.execute(
        sa.select(line.rate_bp, sa.func.sum(line.gross_minor * sign), sa.func.sum(line.tax_minor * sign))
        .join(t.Invoice, t.Invoice.id == line.invoice_id)
        .where(t.Invoice.order_ref == invoice.order_ref)
        .group_by(line.rate_bp)
        .order_by(line.rate_bp.desc())
    )
    return [Left(rate, int(gross), int(tax)) for rate, gross, tax in rows]


def _line(part: Part, tax: int) -> t.InvoiceLine:
    return t.InvoiceLine(
        kind=part.kind,
        sku=part.sku,
        text=part.text,
        quantity=part.quantity,
        rate_bp=part.rate_bp,
        gross_minor=part.gross_minor,
        tax_minor=tax,
        net_minor=part.gross_minor - tax,
    )


def _write(
    session: Session,
    kind: str,
    cause: str,
    order_ref: str,
    lines: Sequence[t.InvoiceLine],
    corrects_id: int | None,
    currency: str,
    buyer: Mapping[str, Any],
    paid_at: datetime,
    now: datetime,
    due_on: date | None = None,
) -> t.Invoice:
    company = get_company(session)
    issued_on = local_today(company, now)
    serial = _next(session, kind, issued_on.year)
    paper = t.Invoice(
        kind=kind,
        year=issued_on.year,
        serial=serial,
        number=f"{PREFIXES[kind]}-{issued_on.year}-{serial:06}",
        cause=cause,
        order_ref=order_ref,
        corrects_id=corrects_id,
        currency=currency,
        net_minor=sum(line.net_minor for line in lines),
        tax_minor=sum(line.tax_minor for line in lines),
        gross_minor=sum(line.gross_minor for line in lines),
        seller=_seller(company),
        buyer=dict(buyer),
        issued_on=issued_on,
        issued_at=now,
        paid_on=_day(company, paid_at),
        due_on=due_on,
    )
    session.add(paper)
    session.flush()
    for position, line in enumerate(lines, start=1):
        line.invoice_id, line.position = paper.id, position
        session.add(line)
    session.flush()
    return paper


def _day(company: t.Company, at: datetime) -> date:
    return day_in(company.timezone, at)


def _seller(company: t.Company) -> dict[str, Any]:
    names = ("name", "address", "country", "email", "phone", "vat_number", "register_entry")
    return {name: getattr(company, name) for name in names}


@cache
def _raising(dialect: str) -> sa.Executable:
    series = table_of(t.NumberSeries)
    begun = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(series).values(last=1)
    raised = begun.on_conflict_do_update(index_elements=["kind", "year"], set_={"last": series.c.last + 1})
    return raised.returning(series.c.last)


def _next(session: Session, kind: str, year: int) -> int:
    """Take the next number of a series: nobody else gets one of it before this transaction has ended."""
    raised = session.execute(_raising(session.get_bind().dialect.name), {"kind": kind, "year": year})
    return int(raised.scalar_one())
