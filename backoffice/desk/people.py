"""The people who work here: who they are, what they may open, whether they may log in."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from backoffice import second_step, staff
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("people", __name__, url_prefix="/desk/admin/people")
Shown = tuple[Staff, str]


def admin() -> staff.Admin:
    """Return who is logged in, for the audit."""
    return staff.Admin(context.me().email, context.me().role)


@bp.get("")
def home() -> ResponseReturnValue:
    """List everybody."""
    return _page()


@bp.post("")
def add() -> ResponseReturnValue:
    """Add somebody and show their password, this once."""
    typed = {name: forms.text(name)[:300] for name in ("email", "name", "role")}
    made: list[Shown] = []
    by, now = admin(), context.now()
    try:
        context.write(lambda db: made.append(staff.welcome(db, **typed, by=by, now=now)))
    except ShopError as error:
        return _wrong(error, typed)
    return _page(shown=made[-1])


@bp.post("/<int:staff_id>")
def change(staff_id: int) -> ResponseReturnValue:
    """Change somebody."""
    by, now, active = admin(), context.now(), forms.text("active") == "yes"
    name, role = forms.text("name"), forms.text("role")
    try:
        context.write(lambda db: staff.change(db, staff_id, name=name, role=role, active=active, by=by, now=now))
    except ShopError as error:
        return _wrong(error, {"id": str(staff_id)})
    flash(_("Saved. If their role or log-in changed, they must log in again."))
    return redirect(url_for("people.home"), 303)


@bp.post("/<int:staff_id>/password")
def password(staff_id: int) -> ResponseReturnValue:
    """Give somebody a new password and show it, this once."""
    made: list[Shown] = []
    by, now = admin(), context.now()
    try:
        context.write(lambda db: made.append(staff.reset_password(db, staff_id, by=by, now=now)))
    except ShopError as error:
        return _wrong(error, {})
    return _page(shown=made[-1])


@bp.post("/<int:staff_id>/second-step")
def second_step_reset(staff_id: int) -> ResponseReturnValue:
    """Take somebody's phone off their log-in, because it is lost."""
    by, now = admin(), context.now()
    try:
        context.write(lambda db: second_step.reset(db, staff_id, by=by.email, role=by.role, now=now))
    except ShopError as error:
        return _wrong(error, {"id": str(staff_id)})
    flash(_("Done. They are logged out, and set up their new phone when they log in."))
    return redirect(url_for("people.home"), 303)


def _wrong(error: ShopError, typed: Mapping[str, str]) -> ResponseReturnValue:
    fields = error.fields if isinstance(error, BadInput) else {}
    return _page(problem=explain(error), fields=fields, typed=typed, status=error.status)


def _page(
    *,
    shown: Shown | None = None,
    problem: str = "",
    fields: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    return render_template(
        "desk/admin/people.html",
        people=context.read(staff.find_all),
        with_code=context.read(second_step.find_all),
        roles=staff.ROLES,
        shown=shown,
        problem_text=problem,
        fields=fields or {},
        typed=typed or {},
    ), status
