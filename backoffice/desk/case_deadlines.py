"""What administrators set for service: how many open office minutes each priority has."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.crm import case_times
from backoffice.crm.case_rules import PRIORITIES, Minutes
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("case_deadlines", __name__, url_prefix="/desk/admin/service")


@bp.get("")
def home() -> ResponseReturnValue:
    """Show the minutes of every priority."""
    return _page({})


@bp.post("")
def save() -> ResponseReturnValue:
    """Write them."""
    me, now = context.me(), context.now()
    names = [f"{which}_{priority}" for priority in PRIORITIES for which in ("answer", "solve")]
    typed = {name: forms.text(name)[:12] for name in names}

    def work(db: Session) -> None:
        minutes = {name: int(text) if text.isdecimal() else 0 for name, text in typed.items()}
        wanted = {priority: Minutes(minutes[f"answer_{priority}"], minutes[f"solve_{priority}"]) for priority in PRIORITIES}
        case_times.save_minutes(db, wanted, by=me.email, role=me.role, now=now)

    try:
        context.write(work)
    except ShopError as error:
        return _page(typed, explain(error), error.fields if isinstance(error, BadInput) else {}), error.status
    flash(_("Saved."))
    return redirect(url_for("case_deadlines.home"), 303)


def _page(typed: Mapping[str, str], problem: str = "", fields: Mapping[str, str] | None = None) -> str:
    minutes = context.read(case_times.find_minutes)
    return render_template(
        "desk/admin/case_deadlines.html", minutes=minutes, typed=typed, problem_text=problem, fields=fields or {}
    )
