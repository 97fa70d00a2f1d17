"""A quotation for somebody who asked: lines with discounts, for how long it is valid, and what follows: day, total, approval."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.crm import quotations, quoting
from backoffice.crm.models import Quotation
from backoffice.desk import context, forms, item_search
from backoffice.desk.drafts import TYPED, first_address, language_of, sheet_of, shop_address
from backoffice.desk.formats import moment
from backoffice.desk.lead_sheet import Sheet
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.company import get_company
from backoffice.local.quotations import try_out
from backoffice.public.checkout import CheckoutForm
from backoffice.public.errors import BadInput, NotFound, Refused, ShopError

bp = Blueprint("quoting", __name__, url_prefix="/desk/sales/leads/<int:lead_id>/quotation")
USUAL_DAYS = 7


@dataclass(frozen=True, slots=True)
class Line:
    """One line as typed."""

    sku: str
    quantity: str
    percent: str = "0"


@dataclass(frozen=True, slots=True)
class Typed:
    """The quotation as it stands on the page: all of it is in the form."""

    lines: tuple[Line, ...] = ()
    address: Mapping[str, str] = field(default_factory=dict)
    days: str = str(USUAL_DAYS)
    find: str = ""
    key: str = ""

    @classmethod
    def parse(cls) -> Typed:
        """Read the form; lines without an item are left out."""
        columns = [request.form.getlist(name) for name in ("sku", "quantity", "percent")]
        rows = [Line(sku.strip()[:100], quantity.strip()[:12], percent.strip()[:4]) for sku, quantity, percent in zip(*columns)]  # noqa: B905 - a form cut off is as long as its shortest column
        return cls(
            lines=tuple(row for row in rows if row.sku)[: quoting.MOST_LINES],
            address={name: forms.text(name)[:2_000].replace("\x00", "") for name in TYPED},
            days=forms.text("days")[:6],
            find=forms.text("find").strip()[:100],
            key=forms.text("key") or secrets.token_urlsafe(18),
        )

    def draft(self, language: str) -> quoting.Draft:
        """Return what is typed. Raises BadInput(invalid_form, lines | valid_days) for a number that is none."""
        lines = []
        for one in self.lines:
            if not (_is_number(one.quantity) and int(one.quantity)):
                raise BadInput("invalid_form", {"lines": "bad_quantity"})
            if not _is_number(one.percent or "0"):
                raise BadInput("invalid_form", {"lines": "bad_percent"})
            lines.append(quoting.Line(one.sku, int(one.quantity), int(one.percent or "0")))
        if not _is_number(self.days):
            raise BadInput("invalid_form", {"valid_days": "bad_number"})
        address: dict[str, Any] = dict(self.address)
        form = CheckoutForm(key=self.key, cart_version=0, total_minor=0, language=language, **address)
        return quoting.Draft(lines, form, int(self.days), shop_address(language))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says of it: how it would be now, what is wrong, what the search found."""

    typed: Typed
    tried: Quotation | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    found: tuple[item_search.Found, ...] = ()
    status: int = 200


@bp.get("")
def home(lead_id: int) -> ResponseReturnValue:
    """Begin with the newest version, else with what they asked for, and with where their last order went."""
    sheet = sheet_of(lead_id)
    lead = sheet.lead
    newest = next(iter(sheet.quotations), None)
    if newest is not None and newest.state != "accepted":
        lines = tuple(Line(one["sku"], str(one["quantity"]), str(one["percent"])) for one in newest.asked)
        address = {name: str(newest.buyer.get(name, "")) for name in TYPED} | {"note": newest.note}
        return _page(sheet, Shown(Typed(lines, address, str(newest.valid_days), key=secrets.token_urlsafe(18))))
    lines = (Line(lead.sku, str(lead.quantity or 1)),) if lead.sku else ()
    return _page(sheet, Shown(Typed(lines, first_address(sheet), key=secrets.token_urlsafe(18))))


@bp.post("")
def change(lead_id: int) -> ResponseReturnValue:
    """Add or take out a line, show day and total, or send it."""
    typed, sheet, action = Typed.parse(), sheet_of(lead_id), forms.text("action")
    if forms.text("pick"):
        return _page(sheet, _look(sheet, replace(typed, lines=(*typed.lines, Line(forms.text("pick"), "1")), find="")))
    if forms.text("remove").isdecimal():
        gone = int(forms.text("remove"))
        return _page(sheet, _look(sheet, replace(typed, lines=tuple(one for at, one in enumerate(typed.lines) if at != gone))))
    if action == "add":
        exact = context.read(lambda db: item_search.find_item(db, typed.find))
        if exact is not None:
            return _page(sheet, _look(sheet, replace(typed, lines=(*typed.lines, Line(exact.sku, "1")), find="")))
        found = tuple(context.read(lambda db: item_search.find_items(db, typed.find)))
        return _page(sheet, replace(_look(sheet, typed), found=found))
    return _send(sheet, typed) if action == "send" else _page(sheet, _look(sheet, typed))


@bp.post("/<int:quotation_id>/withdraw")
def withdraw(lead_id: int, quotation_id: int) -> ResponseReturnValue:
    """Take a quotation back: its link no longer sells, and its goods are free."""
    me, now = context.me(), context.now()
    try:
        context.write(lambda db: quotations.withdraw(db, quotation_id, by=me, now=now))
    except NotFound:
        raise
    except ShopError as error:
        sheet = sheet_of(lead_id)
        return _page(sheet, Shown(Typed(key=secrets.token_urlsafe(18)), problem=explain(error), status=error.status))
    flash(_("Taken back. The link no longer sells it, and the goods are free."))
    return redirect(url_for("sales.lead", lead_id=lead_id), 303)


def _look(sheet: Sheet, typed: Typed) -> Shown:
    """Show how it would be if it were sent now; nothing is kept by that."""
    services, me, now = context.services(), context.me(), context.now()
    try:
        draft = typed.draft(language_of(sheet))
        tried = try_out(
            services.db,
            sheet.lead.id,
            draft,
            lead_version=forms.version(),
            secret_key=services.settings.secret_key,
            by=me,
            now=now,
        )
    except ShopError as error:
        fields = error.fields if isinstance(error, BadInput) else {}
        return Shown(typed, wrong=fields, problem=explain(error), status=error.status)
    return Shown(typed, tried)


def _send(sheet: Sheet, typed: Typed) -> ResponseReturnValue:
    """Send what the page showed, or let it wait for a colleague's approval."""
    me, now, secret_key = context.me(), context.now(), context.services().settings.secret_key
    total, told = forms.text("total_minor"), forms.text("told_on")
    try:
        seen = (int(total), date.fromisoformat(told)) if told and total.isdecimal() and len(total) < 15 else None
    except ValueError:
        seen = None
    if seen is None and forms.text("shown") != "yes":
        return _page(sheet, replace(_look(sheet, typed), problem=_("Look at the day and the total first, then send it.")))
    made: list[Quotation] = []
    try:
        draft, version = replace(typed.draft(language_of(sheet)), seen=seen), forms.version()
        context.write(
            lambda db: made.append(
                quoting.draw_up(db, sheet.lead.id, draft, lead_version=version, secret_key=secret_key, by=me, now=now)
            )
        )
    except NotFound:
        raise
    except ShopError as error:
        fields = error.fields if isinstance(error, BadInput) else {}
        fresh = sheet_of(sheet.lead.id)
        return _page(fresh, replace(_look(fresh, typed), wrong=fields, problem=explain(error), status=error.status))
    quotation = made[-1]
    if quotation.valid_until_at is None:
        flash(_("Its discount is above the limit: a colleague of administration has it to approve."))
    else:
        mail, until = quotation.buyer["email"], moment(quotation.valid_until_at)
        flash(_("The quotation is on its way to %(mail)s. Its goods are kept until %(until)s.", mail=mail, until=until))
    return redirect(url_for("sales.lead", lead_id=sheet.lead.id), 303)


def _is_number(typed: str) -> bool:
    return typed.isdecimal() and len(typed) < 7


def _page(sheet: Sheet, shown: Shown) -> ResponseReturnValue:
    skus = [line.sku for line in shown.typed.lines]
    if sheet.lead.state == "done":
        shown = replace(shown, problem=shown.problem or explain(Refused("wrong_state")))
    company = context.read(get_company)
    page = render_template(
        "desk/sales/quoting.html",
        sheet=sheet,
        shown=shown,
        draft=shown.typed,
        names=context.read(lambda db: {sku: item_search.find_item(db, sku) for sku in skus}),
        priced={one["sku"]: one for one in (shown.tried.lines if shown.tried else [])},
        fields=shown.wrong,
        wrong=shown.wrong,
        company=company,
        countries=sorted(context.services().shop.profile.get().countries),
    )
    return page, shown.status
