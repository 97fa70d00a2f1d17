"""Lost demand beside what is free to cover it, for whoever buys and plans: they decide, nothing is ordered by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import spreadsheet
from backoffice.crm import lost_demand
from backoffice.crm.lost_demand import Lost, Waiting
from backoffice.desk import context
from backoffice.desk.phrases import gettext as _
from backoffice.wording import decimal_of

bp = Blueprint("demand", __name__, url_prefix="/desk/planning/demand")


@bp.get("")
def home() -> ResponseReturnValue:
    """Show what was asked for in vain in the last weeks, who waits, and what was searched for and not found."""
    now = context.now()

    def read(db: Session) -> tuple[Sequence[Lost], Sequence[Waiting], Sequence[tuple[str, int]]]:
        callers = lost_demand.find_waiting(db) if "sales" in context.me().desks else ()  # names are for those who may call
        return lost_demand.find_lost(db, now=now), callers, lost_demand.find_searches(db, now=now)

    lost, callers, searches = context.read(read)
    return render_template(
        "desk/planning/demand.html", lost=lost, callers=callers, searches=searches, weeks=lost_demand.WEEKS, kinds=kinds()
    )


@bp.get("/export.csv")
def export() -> Response:
    """Return the weeks as a file, a row for each item, week and kind of wish."""
    now, said = context.now(), kinds()

    def read(db: Session) -> list[Sequence[spreadsheet.Value]]:
        known = {one.item.sku: one.item for one in lost_demand.find_lost(db, now=now)}
        weeks = lost_demand.find_weeks(db, now=now)
        return [
            (week, sku, known[sku].name, said[kind], people, quantity, decimal_of(known[sku].price_minor, known[sku].currency))
            for week, sku, kind, people, quantity in weeks
            if sku in known
        ]

    heads = (_("Week from"), _("Number"), _("Item"), _("Asked for"), _("Visitors"), _("Pieces"), _("Price"))
    answer = Response(spreadsheet.write(heads, context.read(read)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="lost-demand-{context.today():%Y-%m-%d}.csv"'
    return answer


def by_item(item_ids: Sequence[int]) -> Mapping[int, Lost]:
    """Return item → what of it was asked for in vain, to be shown beside what is bought."""
    if not item_ids:
        return {}
    return {one.item.id: one for one in context.read(lambda db: lost_demand.find_lost(db, now=context.now(), item_ids=item_ids))}


def kinds() -> Mapping[str, str]:
    """Return kind of wish → its words."""
    return {
        "viewed": _("could not be had at all"),
        "quantity": _("more than could be had"),
        "day": _("not by the day asked for"),
    }
