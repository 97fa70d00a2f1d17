"""What administrators set for the pipeline: how likely a stage is, why enquiries are lost, what happens to what is overdue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import assigning, escalating, lost_reasons, pipeline
from backoffice.crm.models import EscalationRule, MailTaken
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("stages", __name__, url_prefix="/desk/admin/pipeline")


@bp.get("")
def home() -> ResponseReturnValue:
    """Show all of it."""
    return _page()


@bp.post("/likelihood")
def likelihood() -> ResponseReturnValue:
    """Write how many of a hundred in each stage become orders."""
    me, now = context.me(), context.now()

    def work(db: Session) -> None:
        percents = {stage: forms.number(stage, least=0, most=100, wrong="bad_number") for stage in pipeline.STAGES}
        pipeline.set_probabilities(db, percents, by=me.email, role=me.role, now=now)

    return _save(work)


@bp.post("/reasons")
def reason() -> ResponseReturnValue:
    """Write a reason, a new one without an id."""
    me, now, typed = context.me(), context.now(), forms.text("id")
    reason_id = int(typed) if typed.isdecimal() and len(typed) < 12 else None

    def work(db: Session) -> None:
        position, active = forms.number("position", least=0, most=9_999, wrong="bad_number"), forms.text("active") != "no"
        values = {"name": forms.name("name"), "position": position, "active": active}
        lost_reasons.save(db, reason_id, **values, by=me.email, role=me.role, now=now)  # type: ignore[arg-type] # a mixed dict

    return _save(work)


@bp.post("/overdue")
def overdue() -> ResponseReturnValue:
    """Write what happens to what is overdue."""
    me, now = context.me(), context.now()

    def work(db: Session) -> None:
        minutes = forms.number("after_minutes", most=escalating.MOST_MINUTES, wrong="bad_number")
        to_id = forms.number("to_id", wrong="bad_choice") if forms.text("to_id") else None
        active = forms.text("active") != "no"
        escalating.save_rule(db, after_minutes=minutes, to_id=to_id, active=active, by=me.email, role=me.role, now=now)

    return _save(work)


def _save(work: Callable[[Session], None]) -> ResponseReturnValue:
    try:
        context.write(work)
    except ShopError as error:
        return _page(explain(error), error.fields if isinstance(error, BadInput) else {}), error.status
    flash(_("Saved."))
    return redirect(url_for("stages.home"), 303)


def _page(problem: str = "", fields: Mapping[str, str] | None = None) -> str:
    def everything(db: Session) -> dict[str, Any]:
        sellers = sa.select(Staff).where(Staff.active, Staff.role.in_(assigning.SELLERS)).order_by(Staff.name, Staff.id)
        aside = sa.select(MailTaken).where(MailTaken.outcome == "set_aside", MailTaken.problem != "our own")
        return {
            "percents": pipeline.probabilities(db),
            "reasons": lost_reasons.find_all(db),
            "rule": db.get(EscalationRule, 1),
            "sellers": db.scalars(sellers).all(),
            "aside": db.scalars(aside.order_by(MailTaken.id.desc()).limit(20)).all(),
        }

    return render_template(
        "desk/admin/stages.html",
        usual_minutes=escalating.USUAL_MINUTES,
        problem_text=problem,
        fields=fields or {},
        **context.read(everything),
    )
