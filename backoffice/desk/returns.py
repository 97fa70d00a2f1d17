"""Goods that come back: what is expected, and taking it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import returning
from backoffice.erp.models import GoodsReturn, GoodsReturnLine, Item
from backoffice.public.errors import ShopError

bp = Blueprint("returns", __name__, url_prefix="/desk/warehouse/returns")
MOST = 100


@dataclass(frozen=True, slots=True)
class Expected:
    """A return with what is still to come of it."""

    row: GoodsReturn
    lines: Sequence[tuple[GoodsReturnLine, Item]]


@bp.get("")
def home() -> ResponseReturnValue:
    """List what is expected back, what was announced first on top."""
    return _page()


@bp.post("/<int:return_id>")
def receive(return_id: int) -> ResponseReturnValue:
    """Take in what came."""
    actor, now, version = context.me().name, context.now(), forms.version()

    def work(db: Session) -> None:
        came = {line.id: _typed(line.id) for line in returning.lines_of(db, return_id) if line.received < line.quantity}
        came = {line_id: one for line_id, one in came.items() if one.quantity or one.restock}
        returning.receive(db, return_id, came, version=version, actor=actor, now=now)

    try:
        context.write(work)
    except ShopError as error:
        if error.status == 404:
            raise
        return _page(explain(error), error.status)
    flash(_("Taken in. The money is on its way back."))
    return redirect(url_for("returns.home"), 303)


def find_expected(session: Session, query: str) -> Sequence[Expected]:
    """Return what is expected back; query: a part of a number."""
    wanted = sa.select(GoodsReturn).where(GoodsReturn.state == "expected")
    if query:
        wanted = wanted.where(GoodsReturn.number.icontains(query, autoescape=True))
    found = session.scalars(wanted.order_by(GoodsReturn.id).limit(MOST)).all()
    rows = session.execute(
        sa.select(GoodsReturnLine, Item)
        .join(Item, Item.id == GoodsReturnLine.item_id)
        .where(GoodsReturnLine.return_id.in_([one.id for one in found]))
        .order_by(GoodsReturnLine.id)
    )
    lines: Mapping[int, list[tuple[GoodsReturnLine, Item]]] = {one.id: [] for one in found}
    for line, item in rows:
        lines[line.return_id].append((line, item))
    return [Expected(one, lines[one.id]) for one in found]


def _typed(line_id: int) -> returning.Came:
    quantity = forms.number(f"came-{line_id}", least=0) if forms.text(f"came-{line_id}").strip() else 0
    restock = forms.number(f"shelf-{line_id}", least=0) if forms.text(f"shelf-{line_id}").strip() else 0
    return returning.Came(quantity, restock)


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    query = forms.sought()
    return render_template(
        "desk/warehouse/returns.html",
        expected=context.read(lambda db: find_expected(db, query)),
        query=query,
        can_restock=returning.can_restock,
        problem_text=problem,
    ), status
