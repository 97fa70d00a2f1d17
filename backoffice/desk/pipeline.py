"""The board of the sales desk: how far everything is on its way to an order."""

from __future__ import annotations

from typing import Any

from babel import Locale
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy.orm import Session

from backoffice.crm import pipeline
from backoffice.desk import amounts, context, forms, pipeline_board, sales
from backoffice.desk.listing import write_place
from backoffice.desk.phrases import gettext as _
from backoffice.desk.pipeline_board import Filters
from backoffice.desk.timeline_words import stages
from backoffice.desk.wording import explain
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("pipeline", __name__, url_prefix="/desk/sales/pipeline")


@bp.get("")
def home() -> ResponseReturnValue:
    """Show every stage with its cards."""
    return _page()


@bp.post("/<int:lead_id>/move")
def move(lead_id: int) -> ResponseReturnValue:
    """Bring a card to another stage, and go back to where the card is now."""
    me, version, now, stage = context.me(), forms.version(), context.now(), forms.text("stage")
    try:
        context.write(lambda db: pipeline.move(db, lead_id, stage, staff=me, version=version, now=now))
    except ShopError as error:
        return _page(explain(error), lead_id), error.status
    flash(_("It is in “%(stage)s” now.", stage=stages()[stage]))
    there: dict[str, Any] = {
        name: value for name, value in Filters.parse(request.args).args().items() if name != f"after_{stage}"
    }
    return redirect(f"{url_for('pipeline.home', **there)}#lead-{lead_id}", 303)


@bp.post("/<int:lead_id>/estimate")
def estimate(lead_id: int) -> ResponseReturnValue:
    """Write down what an enquiry may bring and when; back to the enquiry."""
    me, version, now = context.me(), forms.version(), context.now()

    def work(db: Session) -> None:
        typed, currency = forms.text("value").strip(), context.house().currency
        value = amounts.minor(typed, currency, get_locale() or Locale("en")) if typed else None
        if typed and value is None:
            raise BadInput("invalid_form", {"value": "bad_amount"})
        on = forms.past_day("expected_on") if forms.text("expected_on").strip() else None
        pipeline.estimate(db, lead_id, value_minor=value, expected_on=on, staff=me, version=version, now=now)

    return sales.save(lead_id, work, _("Kept."), form="estimate")


def _page(problem: str = "", lead_id: int | None = None) -> str:
    filters, me, now = Filters.parse(request.args), context.me(), context.now()
    columns = context.read(lambda db: pipeline_board.find_board(db, filters, staff_id=me.id, now=now))
    return render_template(
        "desk/sales/board.html",
        filters=filters,
        columns=columns,
        choices=pipeline_board.WHOSE,
        write_place=write_place,
        problem_text=problem,
        problem_with=lead_id,
    )
