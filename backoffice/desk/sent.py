"""Parcels on their way: who has them, when they should arrive, and saying that they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.desk import context, forms
from backoffice.desk.phrases import ngettext
from backoffice.desk.wording import explain
from backoffice.erp import delivering
from backoffice.erp.models import Shipment
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("sent", __name__, url_prefix="/desk/warehouse/sent")
PAGE = 50


@bp.get("")
def home() -> ResponseReturnValue:
    """List parcels that left and have not arrived, those that should be there first."""
    return _page()


@bp.post("/arrived")
def arrived() -> ResponseReturnValue:
    """Say that the chosen parcels arrived."""
    actor, now, count = context.me().name, context.now(), [0]
    chosen = [int(typed) for typed in request.form.getlist("parcel")[:PAGE] if typed.isdecimal() and len(typed) < 12]

    def work(db: Session) -> None:
        count[0] = delivering.deliver(db, chosen, on, actor=actor, now=now)

    try:
        on = forms.past_day("on")
        if not chosen:
            raise BadInput("nothing_chosen", {"parcel": "bad_choice"})
        context.write(work)
    except ShopError as error:
        fields = error.fields if isinstance(error, BadInput) else {}
        return _page(explain(error), fields, {"on": forms.text("on"), "chosen": chosen}, error.status)
    flash(ngettext("%(num)d parcel has arrived.", "%(num)d parcels have arrived.", count[0]))
    return redirect(url_for("sent.home"), 303)


def find_sent(session: Session, page: int) -> tuple[Sequence[Shipment], int]:
    """Return one page of parcels on their way, the longest expected first, and how many there are in all."""
    away = sa.select(Shipment).where(Shipment.state == "shipped")
    total = session.scalar(sa.select(sa.func.count()).select_from(away.subquery())) or 0
    ordered = away.order_by(Shipment.expected_on, Shipment.id).limit(PAGE).offset((page - 1) * PAGE)
    return session.scalars(ordered).all(), total


def _page(
    problem: str = "", fields: Mapping[str, str] | None = None, typed: Mapping[str, object] | None = None, status: int = 200
) -> ResponseReturnValue:
    number = forms.page()
    rows, total = context.read(lambda db: find_sent(db, number))
    return render_template(
        "desk/warehouse/sent.html",
        rows=rows,
        total=total,
        page_number=number,
        page_size=PAGE,
        problem_text=problem,
        fields=fields or {},
        typed=typed or {},
        today=context.today(),
    ), status
