"""The list of enquiries: parts that somebody keeps, and the same thing done to many at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import follow_ups, lost_reasons, many_leads, saved_views
from backoffice.crm.assigning import SELLERS
from backoffice.crm.many_leads import Outcome
from backoffice.crm.models import Lead
from backoffice.desk import context, forms, lead_lists
from backoffice.desk.lead_lists import Filters
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext
from backoffice.desk.wording import explain
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("lead_list", __name__, url_prefix="/desk/sales/list")
ACTIONS = ("hand", "follow_up", "lose")


@bp.get("")
def home() -> ResponseReturnValue:
    """List enquiries; `?view=` opens a list that somebody kept."""
    wanted = request.args.get("view", "")
    if wanted.isdecimal() and len(wanted) < 12:
        views = context.read(lambda db: saved_views.find(db, context.me().id))
        view = next((one for one in views if one.id == int(wanted)), None)
        if view is not None:
            return redirect(url_for("lead_list.home", **Filters.parse(view.args).args()), 303)
    return _page(Filters.parse(request.args))


@bp.post("/do")
def many() -> ResponseReturnValue:
    """Do one thing to each that is chosen; name those to which it could not be done."""
    filters, chosen = Filters.parse(request.args), _chosen()
    try:
        if not chosen:
            raise BadInput("nothing_chosen")
        outcome = many_leads.each(context.write, chosen, _work())
    except ShopError as error:
        return _page(
            filters, problem=explain(error), typed=request.form, fields=error.fields if isinstance(error, BadInput) else {}
        ), error.status
    if outcome.done:
        flash(ngettext("Done for %(num)d enquiry.", "Done for %(num)d enquiries.", len(outcome.done)))
    if not outcome.refused:
        return redirect(url_for("lead_list.home", **filters.args()), 303)
    return _page(filters, outcome=outcome, typed=request.form), 409


@bp.post("/views")
def save_view() -> ResponseReturnValue:
    """Keep this list under a name."""
    filters, me, now = Filters.parse(request.args), context.me(), context.now()
    name, shared = forms.text("name"), forms.text("shared") == "yes"
    try:
        context.write(lambda db: saved_views.save(db, me.id, name=name, args=filters.args(), shared=shared, now=now))
    except ShopError as error:
        return _page(
            filters, problem=explain(error), typed=request.form, fields=error.fields if isinstance(error, BadInput) else {}
        ), error.status
    flash(_("The list is kept."))
    return redirect(url_for("lead_list.home", **filters.args()), 303)


@bp.post("/views/<int:view_id>/drop")
def drop_view(view_id: int) -> ResponseReturnValue:
    """Forget a list that I kept."""
    me = context.me()
    context.write(lambda db: saved_views.drop(db, me.id, view_id))
    flash(_("The list is forgotten. The enquiries are untouched."))
    return redirect(url_for("lead_list.home", **Filters.parse(request.args).args()), 303)


def _chosen() -> dict[int, int]:
    """Return the enquiries that were ticked, with the versions that were seen."""
    chosen = {}
    for typed in request.form.getlist("lead")[: many_leads.AT_ONCE]:
        lead_id, _sep, version = typed.partition(".")
        if lead_id.isdecimal() and version.isdecimal() and len(typed) < 24:
            chosen[int(lead_id)] = int(version)
    return chosen


def _work() -> many_leads.OneLead:
    """Return what is to be done to each. Raises BadInput for what would be wrong for all of them."""
    me, now, action = context.me(), context.now(), forms.text("action")
    if action == "hand":
        to = forms.number("to", wrong="bad_choice")
        return lambda db, *, lead_id, version: follow_ups.hand(db, lead_id, to, staff=me, version=version, now=now)
    if action == "follow_up":
        on = forms.day("follow_up_on", earliest=context.today())
        return lambda db, *, lead_id, version: follow_ups.come_back(db, lead_id, on, staff=me, version=version, now=now)
    if action == "lose":
        chosen, words = forms.text("reason"), forms.text("lose")
        reason = int(chosen) if chosen.isdecimal() and len(chosen) < 12 else None
        if reason is None and not words.strip():
            raise BadInput("invalid_form", {"reason": "missing"})
        return lambda db, *, lead_id, version: follow_ups.lose(
            db, lead_id, words, reason_id=reason, staff=me, version=version, now=now
        )
    raise BadInput("invalid_form", {"action": "bad_choice"})


def _page(
    filters: Filters,
    *,
    problem: str = "",
    outcome: Outcome | None = None,
    typed: Mapping[str, str] | None = None,
    fields: Mapping[str, str] | None = None,
) -> str:
    me, now = context.me(), context.now()

    def everything(db: Session) -> dict[str, Any]:
        sellers = sa.select(Staff).where(Staff.active, Staff.role.in_(SELLERS)).order_by(Staff.name, Staff.id)
        numbers = {one: row.number for one in (outcome.refused if outcome else ()) if (row := db.get(Lead, one)) is not None}
        return {
            "found": lead_lists.find_list(db, filters, staff_id=me.id, now=now),
            "views": saved_views.find(db, me.id),
            "colleagues": db.scalars(sellers).all(),
            "lost_reasons": lost_reasons.find_active(db),
            "refused": [
                (one, numbers.get(one, str(one)), explain(why)) for one, why in (outcome.refused if outcome else {}).items()
            ],
        }

    return render_template(
        "desk/sales/lead_list.html",
        filters=filters,
        choices=lead_lists.CHOICES,
        all_columns=lead_lists.COLUMNS,
        problem_text=problem,
        typed=typed or {},
        fields=fields or {},
        ticked={one.partition(".")[0] for one in request.form.getlist("lead")},
        **context.read(everything),
    )
