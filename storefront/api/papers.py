"""Operations for bookkeepers: invoices and credit notes as they were issued, month by month, and one to print."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from flask import Response, current_app
from pydantic import BaseModel, Field

from backoffice.public.orders import PaperView
from storefront.api import asked as a
from storefront.api import schemas as s
from storefront.api.operations import Call, Operation, Reply, cursor_for, cursor_of
from storefront.api.reading import NOT_KEPT, money
from storefront.front import Front
from storefront.tax_words import percent_of


class PapersAsked(a.Asked):
    """Filters of the list of papers."""

    limit: Annotated[int, a.Digits, Field(ge=1, le=100)] = 50
    cursor: Annotated[str, Field(max_length=100)] | None = None
    month: Annotated[str, Field(pattern="^2[01][0-9][0-9]-(0[1-9]|1[0-2])$", examples=["2026-11"])] | None = None


class PaperLineShown(BaseModel):
    """A line. kind: goods | delivery | discount | refund; rate_bp: the tax's rate in hundredths of a percent."""

    kind: str
    sku: str
    text: str
    quantity: int
    rate_bp: int
    gross: s.MoneyShown


class PaperTaxShown(BaseModel):
    """What a paper says of one rate."""

    rate_bp: int
    net: s.MoneyShown
    tax: s.MoneyShown


class PaperShown(BaseModel):
    """An invoice or a credit note, written once. corrects: the number of the paper that it takes back, or a part of.

    due_on: of an invoice on account, until when it is to be paid; paid_on is then the day on which its goods left.
    """

    number: str
    kind: str
    order: str
    corrects: str
    issued_on: date
    paid_on: date
    due_on: date | None
    seller: list[str]
    vat_number: str
    register_entry: str
    buyer: list[str]
    buyer_country: str
    lines: list[PaperLineShown]
    taxes: list[PaperTaxShown]
    gross: s.MoneyShown


class PapersShown(BaseModel):
    """A part of the list, in the order of issue. next: the cursor of the part that follows, null at the end."""

    papers: list[PaperShown]
    next: str | None


def list_papers(call: Call) -> Reply:
    """List papers."""
    asked: PapersAsked = call.params
    month = date.fromisoformat(f"{asked.month}-01") if asked.month else None
    found = call.partners.papers.list(after=cursor_of(asked.cursor), limit=asked.limit, month=month)
    return Reply(PapersShown(papers=[_shown(one) for one in found.rows], next=cursor_for(found.next_after)), NOT_KEPT)


def get_paper(call: Call) -> Reply:
    """Return one paper."""
    return Reply(_shown(call.partners.papers.get(call.path["number"])), NOT_KEPT)


def page_of(call: Call) -> Response:
    """Return one paper as a page to print."""
    found = call.partners.papers.get(call.path["number"])
    front: Front = current_app.extensions["shopfloor-front"]
    page = front.page("storefront/paper.html", call.now, paper=found, token=None, percent=percent_of)
    page.headers.update(NOT_KEPT)
    return page


def _shown(found: PaperView) -> PaperShown:
    return PaperShown(
        number=found.number,
        kind=found.kind,
        order=found.order,
        corrects=found.corrects,
        issued_on=found.issued_on,
        paid_on=found.paid_on,
        due_on=found.due_on,
        seller=list(found.seller),
        vat_number=found.vat_number,
        register_entry=found.register_entry,
        buyer=list(found.buyer),
        buyer_country=found.buyer_country,
        lines=[
            PaperLineShown(
                kind=one.kind, sku=one.sku, text=one.text, quantity=one.quantity, rate_bp=one.rate_bp, gross=money(one.gross)
            )
            for one in found.lines
        ],
        taxes=[PaperTaxShown(rate_bp=one.rate_bp, net=money(one.net), tax=money(one.tax)) for one in found.taxes],
        gross=money(found.gross),
    )


PAPERS = (
    Operation(
        "list_papers",
        "GET",
        "/papers",
        "List invoices and credit notes",
        list_papers,
        PapersShown,
        "papers:read",
        anonymous=False,
        params=PapersAsked,
        raises={400: ["bad_cursor"]},
        about="In the order of issue, all or of one month (`2026-11`, where the company is). Amounts of a credit note are "
        "what it takes back. They name buyers: give this scope to whoever keeps the books.",
    ),
    Operation(
        "get_paper",
        "GET",
        "/papers/{number}",
        "Read one invoice or credit note",
        get_paper,
        PaperShown,
        "papers:read",
        anonymous=False,
        raises={404: ["unknown_order"]},
        about="With `Accept: text/html` it is the page that its buyer can print.",
        page=page_of,
    ),
)
