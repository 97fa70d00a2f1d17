"""Ready answers that the sales desk starts from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.crm import routines
from backoffice.crm.models import MailTemplate
from backoffice.desk import context, forms, phrases
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("templates", __name__, url_prefix="/desk/admin/answers")


@bp.get("")
def home() -> ResponseReturnValue:
    """List ready answers by name; `?edit=` fills the form with one."""
    edit = request.args.get("edit", "")
    if not (edit.isdecimal() and len(edit) < 12):
        return _page("", {}, {})
    row = context.read(lambda db: db.get(MailTemplate, int(edit)))
    if row is None:
        raise NotFound("unknown_record")
    return _page("", {}, {"id": row.id, "name": row.name, "language": row.language, "body": row.body})


@bp.post("")
def save() -> ResponseReturnValue:
    """Write a ready answer, a new one without an id."""
    me, now = context.me(), context.now()
    typed = {name: forms.text(name).replace("\x00", "")[:6000] for name in ("id", "name", "language", "body")}
    words = {name: typed[name] for name in ("name", "language", "body")}
    row_id = int(typed["id"]) if typed["id"].isdecimal() and len(typed["id"]) < 12 else None
    try:
        if words["language"] not in {one.code for one in phrases.languages()}:
            raise BadInput("invalid_form", {"language": "bad_choice"})
        context.write(lambda db: routines.save_template(db, row_id, **words, by=me.email, role=me.role, now=now))
    except ShopError as error:
        return _page(explain(error), error.fields if isinstance(error, BadInput) else {}, typed, error.status)
    flash(_("Saved."))
    return redirect(url_for("templates.home"), 303)


@bp.post("/<int:template_id>/remove")
def remove(template_id: int) -> ResponseReturnValue:
    """Take a ready answer away."""
    me, now = context.me(), context.now()
    context.write(lambda db: routines.remove(db, MailTemplate, template_id, by=me.email, role=me.role, now=now))
    flash(_("Taken away."))
    return redirect(url_for("templates.home"), 303)


def _page(problem: str, fields: Mapping[str, str], typed: Mapping[str, Any], status: int = 200) -> ResponseReturnValue:
    rows = context.read(lambda db: db.scalars(sa.select(MailTemplate).order_by(MailTemplate.name, MailTemplate.language)).all())
    return render_template(
        "desk/admin/templates.html", rows=rows, spoken=phrases.languages(), problem_text=problem, fields=fields, typed=typed
    ), status
