"""The forecast beside what stock and capacity can carry, and what open enquiries may bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice import spreadsheet
from backoffice.crm import forecasting
from backoffice.crm.forecasting import Deals, Gap
from backoffice.desk import context
from backoffice.desk.phrases import gettext as _
from backoffice.wording import decimal_of

bp = Blueprint("forecasts", __name__, url_prefix="/desk/planning/forecast")


@bp.get("")
def home() -> ResponseReturnValue:
    """Show the items with the dearest gap first, and the weighted enquiries by month."""

    def read(db: Session) -> tuple[Sequence[Gap], Sequence[Deals]]:
        return forecasting.find_gaps(db), forecasting.find_pipeline(db)

    gaps, deals = context.read(read)
    return render_template("desk/planning/forecast.html", gaps=gaps, deals=deals, classes=classes())


@bp.get("/export.csv")
def export() -> Response:
    """Return every item and month as a file."""
    said = classes()
    heads = (
        _("Number"), _("Item"), _("Month"), _("Kind of series"), _("Months known"), _("Expected"), _("At least"), _("At most"),
        _("Expected until then"), _("Can be delivered"), _("Price"),
    )  # fmt: skip

    def read(db: Session) -> list[Sequence[spreadsheet.Value]]:
        return [
            (
                gap.item.sku, gap.item.name, one.month_on, said[one.method], one.months, f"{one.mean:.1f}",
                "" if one.low is None else f"{one.low:.1f}", "" if one.high is None else f"{one.high:.1f}",
                one.until, one.deliverable, decimal_of(gap.item.price_minor, gap.item.currency),
            )
            for gap in forecasting.find_gaps(db, most=100_000)
            for one in gap.months
        ]  # fmt: skip

    answer = Response(spreadsheet.write(heads, context.read(read)), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="forecast-{context.today():%Y-%m-%d}.csv"'
    return answer


def classes() -> Mapping[str, str]:
    """Return class of a series → its words."""
    return {
        "short": _("too short: the mean so far, no interval"),
        "intermittent": _("sold now and then"),
        "smooth": _("steady"),
        "seasonal": _("two years or more, seasons looked for"),
    }
