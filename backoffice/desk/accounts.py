"""Invoices and credit notes for the bookkeeper: by month, one by one, and as a file for a spreadsheet."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import spreadsheet
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.erp import invoicing
from backoffice.erp.models import Invoice, InvoiceLine
from backoffice.payments import captures
from backoffice.public.errors import NotFound
from backoffice.wording import decimal_of

bp = Blueprint("accounts", __name__, url_prefix="/desk/accounts")
PAGE = 100
MONTH = re.compile(r"(20\d\d|21\d\d)-(0[1-9]|1[0-2])", re.ASCII)
SIGNED = sa.case((Invoice.kind == "invoice", 1), else_=-1)


@dataclass(frozen=True, slots=True)
class Total:
    """What a month's papers say of one rate in one currency: invoices less credit notes."""

    currency: str
    rate_bp: int
    net_minor: int
    tax_minor: int
    gross_minor: int


@bp.get("")
def home() -> ResponseReturnValue:
    """List a month's papers, the newest first, with its sums."""
    month, number = _month(), forms.page()

    def read(db: Session) -> tuple[Sequence[Invoice], int, Sequence[Total], Sequence[sa.Row[str, int, int]]]:
        wanted = _of_month(month)
        rows = db.scalars(wanted.order_by(Invoice.id.desc()).limit(PAGE).offset((number - 1) * PAGE)).all()
        count = db.scalar(sa.select(sa.func.count()).select_from(wanted.subquery())) or 0
        return rows, count, totals(db, month), captures.waiting(db)

    papers, count, sums, aside = context.read(read)
    return render_template(
        "desk/accounts/home.html",
        month_shown=month,
        before=_next(month, -1),
        after=_next(month, 1) if _next(month, 1) <= context.today() else None,
        papers=papers,
        total=count,
        totals=sums,
        aside=aside,
        page_number=number,
        page_size=PAGE,
    )


@bp.get("/<number>")
def paper(number: str) -> ResponseReturnValue:
    """Show one paper."""

    def read(db: Session) -> tuple[Invoice, Sequence[InvoiceLine], str]:
        found = db.scalar(sa.select(Invoice).where(Invoice.number == number))
        if found is None:
            raise NotFound("unknown_record")
        corrects = db.get_one(Invoice, found.corrects_id).number if found.corrects_id else ""
        return found, invoicing.lines_of(db, found.id), corrects

    found, lines, corrects = context.read(read)
    return render_template("desk/accounts/paper.html", paper=found, lines=lines, corrects=corrects)


@bp.get("/export.csv")
def export() -> Response:
    """Return a month's papers as a file, a row for each paper and rate; credit notes are less than nothing."""
    month = _month()
    heads = (
        _("Number"), _("Kind"), _("Date"), _("Paid on"), _("Order"), _("For"), _("Name"), _("Company"), _("Country"),
        _("Currency"), _("Tax rate"), _("Net"), _("Tax"), _("Gross"),
    )  # fmt: skip
    kinds = {"invoice": _("Invoice"), "credit_note": _("Credit note")}
    rows = context.read(lambda db: list(exported(db, month, kinds)))
    answer = Response(spreadsheet.write(heads, rows), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="invoices-{month:%Y-%m}.csv"'
    return answer


def exported(session: Session, month: date, kinds: Mapping[str, str]) -> Iterator[Sequence[spreadsheet.Value]]:
    """Yield the rows of a month's file, in the order of issue."""
    taxed: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    papers = session.scalars(_of_month(month).order_by(Invoice.id)).all()
    numbers: dict[int, str] = {one.id: one.number for one in papers}
    missing = {one.corrects_id for one in papers if one.corrects_id} - numbers.keys()
    numbers |= {one.id: one.number for one in session.scalars(sa.select(Invoice).where(Invoice.id.in_(missing)))}
    for line in session.scalars(sa.select(InvoiceLine).join(Invoice, Invoice.id == InvoiceLine.invoice_id).where(*_in(month))):
        sums = taxed[line.invoice_id][line.rate_bp]
        for at, amount in enumerate((line.net_minor, line.tax_minor, line.gross_minor)):
            sums[at] += amount
    for one in papers:
        sign = 1 if one.kind == "invoice" else -1
        for rate, sums in sorted(taxed[one.id].items(), reverse=True):
            buyer, corrects = one.buyer, numbers[one.corrects_id] if one.corrects_id else ""
            whose = (buyer.get("name", ""), buyer.get("company", ""), buyer.get("country", ""))
            amounts = (decimal_of(sign * amount, one.currency) for amount in sums)
            rate_in_percent = decimal_of(rate, "EUR")  # hundredths of a percent are to percent what cents are to euros
            yield (
                one.number, kinds[one.kind], one.issued_on, one.paid_on, one.order_ref, corrects, *whose, one.currency,
                rate_in_percent, *amounts,
            )  # fmt: skip


def totals(session: Session, month: date) -> Sequence[Total]:
    """Return a month's sums by currency and rate."""
    line = InvoiceLine
    net, tax, gross = (sa.func.sum(column * SIGNED) for column in (line.net_minor, line.tax_minor, line.gross_minor))
    rows = session.execute(
        sa.select(Invoice.currency, line.rate_bp, net, tax, gross)
        .join(line, line.invoice_id == Invoice.id)
        .where(*_in(month))
        .group_by(Invoice.currency, line.rate_bp)
        .order_by(Invoice.currency, line.rate_bp.desc())
    )
    return [Total(one[0], one[1], *(int(amount) for amount in one[2:])) for one in rows]


def _of_month(month: date) -> sa.Select[Invoice]:
    return sa.select(Invoice).where(*_in(month))


def _in(month: date) -> tuple[sa.ColumnElement[bool], ...]:
    return (Invoice.issued_on >= month, Invoice.issued_on < _next(month, 1))


def _month() -> date:
    """Return the first day of the month that the address asks for; this month if it makes no sense."""
    found = MONTH.fullmatch(request.args.get("month", ""))
    return date(int(found[1]), int(found[2]), 1) if found else context.today().replace(day=1)


def _next(month: date, by: int) -> date:
    return (month + timedelta(days=32 if by > 0 else -1)).replace(day=1)
