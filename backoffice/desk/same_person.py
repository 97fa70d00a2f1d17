"""Two people who are perhaps one: a colleague says whether they are."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.crm import collapsing
from backoffice.desk import context, forms

bp = Blueprint("sales_same", __name__, url_prefix="/desk/sales/same")


@bp.post("/<int:pair_id>")
def decide(pair_id: int) -> ResponseReturnValue:
    """Write the verdict down and go back to the lead."""
    me, now = context.me(), context.now()
    context.write(lambda db: collapsing.decide(db, pair_id, forms.text("verdict"), by=me.name, now=now))
    back = request.form.get("back", "")
    return redirect(back if back.startswith("/desk/sales/") and "\\" not in back else url_for("sales.home"), 303)
