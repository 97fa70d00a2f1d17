"""What companies owe: open invoices on account, what came for them, how much each may owe and which prices it pays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from babel import Locale
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy.orm import Session

from backoffice.crm import company_prices, terms
from backoffice.desk import amounts, company_account, context, customers, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.payments import receiving
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("receivables", __name__, url_prefix="/desk/accounts/companies")
RECEIVED = ("amount", "received_on", "reference", "key")
AGREED = ("limit", "due_days", "pause_overdue", "price_list", "valid_from", "valid_to")


@bp.get("")
def home() -> ResponseReturnValue:
    """List what is open, the ones due first on top."""
    return _page(0, "", {}, {})


@bp.post("/invoices/<int:payment_id>")
def record(payment_id: int) -> ResponseReturnValue:
    """Write down money that came for an invoice."""
    me, now, typed = context.me(), context.now(), _typed(*RECEIVED)

    def work(db: Session) -> None:
        day = forms.past_day("received_on")
        reference, key = typed["reference"], typed["key"]
        receiving.record(
            db, payment_id, _amount(typed["amount"], "amount"), received_on=day, reference=reference, key=key, by=me, now=now
        )

    try:
        context.write(work)
    except ShopError as error:
        if error.status == 404:
            raise
        return _page(payment_id, explain(error), _fields(error), typed | {"key": forms.kept_key(error)}, error.status)
    flash(_("Written down."))
    return redirect(url_for("receivables.home"), 303)


@bp.post("/<int:party_id>/terms")
def agree(party_id: int) -> ResponseReturnValue:
    """Say how much a company may owe, and when it has to pay."""
    me, now, typed = context.me(), context.now(), _typed(*AGREED)

    def work(db: Session) -> None:
        limit, pauses = _amount(typed["limit"], "limit"), typed["pause_overdue"] == "yes"
        days = forms.number("due_days", least=0, most=terms.MOST_DAYS, wrong="out_of_range")
        terms.set_terms(db, party_id, limit, due_days=days, pause_overdue=pauses, by=me, now=now)

    return _save(party_id, work, "terms", typed)


@bp.post("/<int:party_id>/prices")
def assign(party_id: int) -> ResponseReturnValue:
    """Let a price list hold for a company."""
    me, now, typed = context.me(), context.now(), _typed(*AGREED)

    def work(db: Session) -> None:
        list_id = forms.number("price_list", wrong="bad_choice")
        first, last = forms.past_day("valid_from"), forms.past_day("valid_to") if typed["valid_to"] else None
        company_prices.assign(db, party_id, list_id, valid_from=first, valid_to=last, by=me, now=now)

    return _save(party_id, work, "prices", typed)


@bp.post("/<int:party_id>/prices/<int:row_id>/end")
def end(party_id: int, row_id: int) -> ResponseReturnValue:
    """Let a price list hold no more for a company."""
    me, now = context.me(), context.now()
    return _save(party_id, lambda db: company_prices.end(db, party_id, row_id, by=me, now=now), "", {})


def _save(party_id: int, work: Callable[[Session], object], form: str, typed: Mapping[str, str]) -> ResponseReturnValue:
    return customers.save(party_id, work, _("Saved."), form, typed)


def _typed(*names: str) -> dict[str, str]:
    return {name: forms.text(name).replace("\x00", "").strip()[:300] for name in names}


def _amount(typed: str, field: str) -> int:
    found = amounts.minor(typed, context.house().currency, get_locale() or Locale("en"))
    if found is None:
        raise BadInput("invalid_form", {field: "bad_amount"})
    return found


def _fields(error: ShopError) -> Mapping[str, str]:
    return error.fields if isinstance(error, BadInput) else {}


def _page(
    payment_id: int, problem: str, fields: Mapping[str, str], typed: Mapping[str, str], status: int = 200
) -> ResponseReturnValue:
    now = context.now()
    return render_template(
        "desk/accounts/companies.html",
        rows=context.read(lambda db: company_account.find_owed(db, now=now)),
        at=payment_id,
        problem_text=problem,
        fields=fields,
        typed=typed,
        today=context.today(),
    ), status
