"""Lots at the warehouse desk: what expires soon, what is too old to be sent, and taking that off the shelf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.desk import context, forms, moved
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import expiring, lots
from backoffice.erp.models import Item, StockLot
from backoffice.public.errors import ShopError

bp = Blueprint("expiry", __name__, url_prefix="/desk/warehouse/lots")
SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Aging:
    """A lot on the shelf. last_on: the last day on which it may arrive; over: that day has passed."""

    lot: StockLot
    item: Item
    last_on: date
    over: bool


@bp.get("")
def home() -> ResponseReturnValue:
    """List what expires soon, the oldest first."""
    return _page()


@bp.post("/<int:lot_id>/write-off")
def write_off(lot_id: int) -> ResponseReturnValue:
    """Take what is left of a lot off the shelf for good."""
    actor, now, ref, watch = context.me().name, context.now(), f"expired:{lot_id}:{forms.text('key')}", moved.Watch()
    try:
        context.write(
            watch.over(lambda db: expiring.write_off(db, lot_id, ref=ref, actor=actor, now=now)), scope=f"expired:{lot_id}"
        )
    except ShopError as error:
        if error.code == "unknown_record":
            raise
        return _page(explain(error), error.status)
    flash(f"{_('Taken off the shelf.')} {watch.words()}".strip())
    return redirect(url_for("expiry.home"), 303)


def find_aging(session: Session, today: date) -> Sequence[Aging]:
    """Return the lots that nobody can be sent in thirty days, the oldest first."""
    found = lots.expiring(session, today + timedelta(days=SOON_DAYS))
    until: Mapping[int, date] = {lot.id: lots.expires_on(lot.best_before_on, item.days_left or 0) for lot, item in found}
    return [Aging(lot, item, until[lot.id] - timedelta(days=1), until[lot.id] <= today) for lot, item in found]


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    shown: dict[str, Any] = {"aging": context.read(lambda db: find_aging(db, context.today())), "days": SOON_DAYS}
    return render_template("desk/warehouse/lots.html", **shown, problem_text=problem), status
