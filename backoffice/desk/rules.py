"""Who gets a new message: rules, the first that fits decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from babel import Locale
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backoffice import staff
from backoffice.crm import routines
from backoffice.crm.lead_forms import ALL_KINDS
from backoffice.crm.models import AssignmentRule
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp.models import Category
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("rules", __name__, url_prefix="/desk/admin/rules")
KINDS = (*ALL_KINDS, "case")


@bp.get("")
def home() -> ResponseReturnValue:
    """List the rules in the order in which they are tried; `?edit=` fills the form with one."""
    edit = request.args.get("edit", "")
    return _page("", {}, _kept(int(edit)) if edit.isdecimal() and len(edit) < 12 else {"active": "yes"})


@bp.post("")
def save() -> ResponseReturnValue:
    """Write a rule, a new one without an id."""
    me, now = context.me(), context.now()
    typed = {name: forms.text(name).replace("\x00", "").strip()[:100] for name in (*routines.RULE_FIELDS, "id")}
    try:
        values = _values(typed)
        rule_id = int(typed["id"]) if typed["id"].isdecimal() and len(typed["id"]) < 12 else None
        context.write(lambda db: routines.save_rule(db, rule_id, values, by=me.email, role=me.role, now=now))
    except ShopError as error:
        return _page(explain(error), error.fields if isinstance(error, BadInput) else {}, typed, error.status)
    flash(_("Saved."))
    return redirect(url_for("rules.home"), 303)


@bp.post("/<int:rule_id>/remove")
def remove(rule_id: int) -> ResponseReturnValue:
    """Take a rule away."""
    me, now = context.me(), context.now()
    context.write(lambda db: routines.remove(db, AssignmentRule, rule_id, by=me.email, role=me.role, now=now))
    flash(_("Taken away."))
    return redirect(url_for("rules.home"), 303)


def _values(typed: Mapping[str, str]) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    if typed["kind"] and typed["kind"] not in KINDS:
        wrong["kind"] = "bad_choice"
    language, country = typed["language"].lower(), typed["country"].upper()
    if language and not (2 <= len(language) <= 8 and language.replace("-", "").isalnum()):
        wrong["language"] = "bad_choice"
    if country and country not in Locale("en").territories:
        wrong["country"] = "bad_country"
    if wrong:
        raise BadInput("invalid_form", wrong)
    return {
        "position": forms.number("position", most=9_999, wrong="bad_number"),
        "kind": typed["kind"],
        "language": language,
        "country": country,
        "postcode_prefix": typed["postcode_prefix"].upper()[:12],
        "category_id": forms.number("category_id", wrong="bad_choice") if typed["category_id"] else None,
        "owner_id": forms.number("owner_id", wrong="bad_choice"),
        "active": typed["active"] == "yes",
    }


def _kept(rule_id: int) -> dict[str, Any]:
    row = context.read(lambda db: db.get(AssignmentRule, rule_id))
    if row is None:
        raise NotFound("unknown_record")
    kept = {name: getattr(row, name) for name in routines.RULE_FIELDS}
    return {**kept, "active": "yes" if row.active else "no", "category_id": row.category_id or "", "id": row.id}


def _page(problem: str, fields: Mapping[str, str], typed: Mapping[str, Any], status: int = 200) -> ResponseReturnValue:
    people = context.read(staff.find_all)
    categories = context.read(lambda db: db.scalars(sa.select(Category).order_by(Category.name, Category.id)).all())
    rules = context.read(
        lambda db: db.scalars(sa.select(AssignmentRule).order_by(AssignmentRule.position, AssignmentRule.id)).all()
    )
    return render_template(
        "desk/admin/rules.html",
        rules=rules,
        kinds=sorted(KINDS),
        owners=[one for one in people if one.active and one.role in ("sales", "admin")],
        names={one.id: one.name for one in people},
        categories=categories,
        category_names={one.id: one.name for one in categories},
        problem_text=problem,
        fields=fields,
        typed=typed,
    ), status
