"""Keys of partners for the API: make one, see it once, end it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import api_keys, audit
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.classes import RETAIL
from backoffice.public.errors import BadInput, ShopError
from backoffice.public.partners import SCOPES

bp = Blueprint("keys", __name__, url_prefix="/desk/admin/keys")


@bp.get("")
def home() -> ResponseReturnValue:
    """List all keys, ended ones too."""
    return _page()


@bp.post("")
def create() -> ResponseReturnValue:
    """Make a key and show its secret, this once."""
    me, now = context.me(), context.now()
    name, scopes = forms.text("name").replace("\x00", ""), request.form.getlist("scopes")[:20]
    whose = forms.text("customer_class") or RETAIL
    made: list[tuple[api_keys.ApiKey, str]] = []

    def work(db: Session) -> None:
        row, secret = api_keys.create(db, name, scopes, customer_class=whose, by=me.email, now=now)
        details = {"name": row.name, "prefix": row.prefix, "scopes": row.scopes, "customer_class": row.customer_class}
        audit.record(db, "api_key.create", f"api_key:{row.id}", actor=me.email, role=me.role, details=details, now=now)
        made.append((row, secret))

    try:
        context.write(work)
    except ShopError as error:
        fields = error.fields if isinstance(error, BadInput) else {}
        typed = {"name": name, "scopes": scopes, "customer_class": whose}
        return _page(problem=explain(error), fields=fields, typed=typed, status=error.status)
    return _page(shown=made[-1])


@bp.post("/<int:key_id>/class")
def classify(key_id: int) -> ResponseReturnValue:
    """Set to which class of customers a partner belongs."""
    me, now, whose = context.me(), context.now(), forms.text("customer_class")

    def work(db: Session) -> None:
        row, before = api_keys.set_class(db, key_id, whose)
        if before != whose:
            details = {"name": row.name, "before": before, "after": whose}
            audit.record(db, "api_key.class", f"api_key:{row.id}", actor=me.email, role=me.role, details=details, now=now)

    try:
        context.write(work)
    except BadInput as error:
        return _page(problem=explain(error), status=error.status)
    flash(_("Saved."))
    return redirect(url_for("keys.home"), 303)


@bp.post("/<int:key_id>/revoke")
def revoke(key_id: int) -> ResponseReturnValue:
    """End a key at once."""
    me, now = context.me(), context.now()

    def work(db: Session) -> None:
        known = db.get(api_keys.ApiKey, key_id)
        was_over = known is not None and known.revoked_at is not None
        row = api_keys.revoke(db, key_id, now=now)
        if not was_over:
            details = {"name": row.name, "prefix": row.prefix}
            audit.record(db, "api_key.revoke", f"api_key:{row.id}", actor=me.email, role=me.role, details=details, now=now)

    context.write(work)
    flash(_("The key is over. Whoever uses it is refused from now on."))
    return redirect(url_for("keys.home"), 303)


def _page(
    *,
    shown: tuple[api_keys.ApiKey, str] | None = None,
    problem: str = "",
    fields: Mapping[str, str] | None = None,
    typed: Mapping[str, Any] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    return render_template(
        "desk/admin/keys.html",
        keys=context.read(api_keys.find_all),
        scopes=SCOPES,
        shown=shown,
        problem_text=problem,
        fields=fields or {},
        typed=typed or {},
    ), status
