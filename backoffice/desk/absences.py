"""Who is away and when: new work goes to others meanwhile."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from backoffice import staff
from backoffice.crm import routines
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.models import Staff, StaffAbsence
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("absences", __name__, url_prefix="/desk/admin/absences")
MOST = 200


@bp.get("")
def home() -> ResponseReturnValue:
    """List absences that are not over, the next first."""
    return _page("", {}, {})


@bp.post("")
def add() -> ResponseReturnValue:
    """Note that somebody is away."""
    me, now = context.me(), context.now()
    typed = {name: forms.text(name)[:40] for name in ("staff_id", "starts_on", "ends_on")}
    try:
        staff_id = forms.number("staff_id", wrong="bad_choice")
        starts_on, ends_on = forms.past_day("starts_on"), forms.day("ends_on", earliest=context.today())
        context.write(lambda db: routines.add_absence(db, staff_id, starts_on, ends_on, by=me.email, role=me.role, now=now))
    except ShopError as error:
        return _page(explain(error), error.fields if isinstance(error, BadInput) else {}, typed, error.status)
    flash(_("Saved."))
    return redirect(url_for("absences.home"), 303)


@bp.post("/<int:absence_id>/remove")
def remove(absence_id: int) -> ResponseReturnValue:
    """Take an absence back."""
    me, now = context.me(), context.now()
    context.write(lambda db: routines.remove(db, StaffAbsence, absence_id, by=me.email, role=me.role, now=now))
    flash(_("Taken back."))
    return redirect(url_for("absences.home"), 303)


def _page(problem: str, fields: Mapping[str, str], typed: Mapping[str, str], status: int = 200) -> ResponseReturnValue:
    rows = context.read(
        lambda db: db.execute(
            sa.select(StaffAbsence, Staff.name)
            .join(Staff, Staff.id == StaffAbsence.staff_id)
            .where(StaffAbsence.ends_on >= context.today())
            .order_by(StaffAbsence.starts_on, StaffAbsence.id)
            .limit(MOST)
        ).all()
    )
    return render_template(
        "desk/admin/absences.html",
        rows=rows,
        people=[one for one in context.read(staff.find_all) if one.active],
        problem_text=problem,
        fields=fields,
        typed=typed,
        today=context.today(),
    ), status
