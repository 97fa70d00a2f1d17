"""What is known of a customer: handed out to them, or forgotten."""

from __future__ import annotations

import json

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from backoffice.crm import parties
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.privacy import forgetting, telling
from backoffice.privacy.person import find_by_email
from backoffice.public.errors import NotFound, Refused

bp = Blueprint("persons", __name__, url_prefix="/desk/admin/persons")


@bp.get("")
def home() -> ResponseReturnValue:
    """Look somebody up by their e-mail."""
    sought = forms.sought()
    found = context.read(lambda db: find_by_email(db, sought)) if sought else None
    if found is not None:
        return _page(found, "")
    problem = _("Nobody with this address is known.") if sought else ""
    return render_template("desk/admin/persons.html", party=None, known={}, sought=sought, problem_text=problem, fields={})


@bp.post("/<int:party_id>/export")
def export(party_id: int) -> ResponseReturnValue:
    """Hand out all that is known of somebody, as a file."""
    made: list[telling.Known] = []
    me, now = context.me(), context.now()
    try:
        context.write(lambda db: made.append(telling.hand_out(db, party_id, by=me.email, role=me.role, now=now)))
    except Refused as error:
        return _page(party_id, explain(error), error.status)
    text = json.dumps(made[-1], ensure_ascii=False, indent=2)
    named = {"Content-Disposition": f'attachment; filename="person-{party_id}.json"'}
    return Response(text, mimetype="application/json", headers=named)


@bp.post("/<int:party_id>/forget")
def forget(party_id: int) -> ResponseReturnValue:
    """Forget somebody, once their address was typed again."""
    me, services = context.me(), context.services()
    if context.read(lambda db: find_by_email(db, forms.text("email"))) != party_id:
        return _page(party_id, _("Type their address again, so that it is the right one. Nothing was changed."), 422)
    try:
        mails = services.settings.mail_path
        forgetting.forget(services.db, party_id, mails=mails, by=me.email, role=me.role, now=context.now())
    except Refused as error:
        return _page(party_id, explain(error), error.status)
    flash(_("Forgotten. Orders keep their goods and amounts, and say nothing of who it was."))
    return redirect(url_for("persons.home"), 303)


def _page(party_id: int, problem: str, status: int = 200) -> ResponseReturnValue:
    party = context.read(lambda db: parties.get_party(db, party_id))
    try:
        known = context.read(lambda db: telling.tell(db, party_id))
    except (NotFound, Refused) as error:
        known, problem = {}, problem or explain(error)
    return render_template(
        "desk/admin/persons.html", party=party, known=known, sought=party.email or "", problem_text=problem, fields={}
    ), status
