"""Quotations to approve: what sales drew up with a discount above the company's limit, decided by somebody else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import quoting
from backoffice.crm.models import Quotation
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.company import get_company
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("discounts", __name__, url_prefix="/desk/admin/quotations")
MOST = 200


@bp.get("")
def home() -> ResponseReturnValue:
    """List what waits, the oldest first."""
    return _page({}, {})


@bp.post("/<int:quotation_id>/approve")
def approve(quotation_id: int) -> ResponseReturnValue:
    """Approve one: it is kept and sent now."""
    me, now = context.me(), context.now()
    return _do(
        quotation_id,
        lambda db: quoting.approve(db, quotation_id, by=me, now=now),
        _("Approved. It is kept, and on its way to the customer."),
    )


@bp.post("/<int:quotation_id>/decline")
def decline(quotation_id: int) -> ResponseReturnValue:
    """Decline one and say why."""
    me, now, note = context.me(), context.now(), forms.text("note")[:5_100].replace("\x00", "")
    return _do(
        quotation_id,
        lambda db: quoting.decline(db, quotation_id, note, by=me, now=now),
        _("Declined. Whoever drew it up comes back to it with your reason."),
    )


def find_waiting(session: Session) -> Sequence[tuple[Quotation, str]]:
    """Return what waits with who drew it up, the oldest first."""
    rows = sa.select(Quotation, Staff.name).join(Staff, Staff.id == Quotation.staff_id)
    return [
        (one, name) for one, name in session.execute(rows.where(Quotation.state == "waiting").order_by(Quotation.id).limit(MOST))
    ]


def _do(quotation_id: int, work: Callable[[Session], object], said: str) -> ResponseReturnValue:
    try:
        context.write(work)
    except ShopError as error:
        if error.status == 404:
            raise
        fields = error.fields if isinstance(error, BadInput) else {}
        return _page({"id": str(quotation_id), "note": forms.text("note"), "problem": explain(error)}, fields, error.status)
    flash(said)
    return redirect(url_for("discounts.home"), 303)


def _page(typed: Mapping[str, str], fields: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
    waiting, company = context.read(find_waiting), context.read(get_company)
    return render_template("desk/admin/discounts.html", waiting=waiting, company=company, typed=typed, fields=fields), status
