"""How often the first promise is kept: by month and by basis, for the planner and whoever runs the company."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from backoffice.crm import kept_promises
from backoffice.crm.kept_promises import Kept
from backoffice.desk import context

bp = Blueprint("kept", __name__, url_prefix="/desk/planning/kept")
MONTHS = 12


@bp.get("")
def home() -> ResponseReturnValue:
    """Show the last twelve months."""
    return render_template("desk/planning/kept.html", months=find_months(MONTHS))


def find_months(months: int) -> Sequence[Kept]:
    """Return this month and those before it, as many as asked for, with all their bases."""
    today = context.today()
    first = today.replace(day=1)
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    # goods may arrive before their month has come: the next one is looked at too
    return context.read(lambda db: kept_promises.find_kept(db, first, today + timedelta(days=62), today=today))


def find_whole(months: int) -> Sequence[Kept]:
    """Return each of the last months as a whole, for pages that name the figure in passing."""
    return [one for one in find_months(months) if one.basis is None]
