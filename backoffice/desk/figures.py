"""Stock figures of an outside ERP: what came, what was not believed, and what a person must decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.bridge.outside import figures
from backoffice.desk import context, forms
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import models as t
from backoffice.erp import stock_snapshots
from backoffice.erp.company import get_warehouse
from backoffice.public.errors import Refused, ShopError

bp = Blueprint("figures", __name__, url_prefix="/desk/admin/figures")
PAGE = 50


@dataclass(frozen=True, slots=True)
class Shelves:
    """How many items lie at the works, and how many pieces of them."""

    items: int
    pieces: int


@bp.get("")
def home() -> ResponseReturnValue:
    """Show how old the figures are, what waits for a decision, and the newest snapshots."""
    return _page()


@bp.post("/<int:snapshot_id>/approve")
def approve(snapshot_id: int) -> ResponseReturnValue:
    """Say that a snapshot is true after all: it is applied."""
    me, now = context.me(), context.now()
    max_age = timedelta(seconds=context.services().settings.erp_max_snapshot_age_seconds)

    def work(db: Session) -> None:
        row = stock_snapshots.get_waiting(db, snapshot_id)
        if seen(row) != forms.text("seen"):  # others have come meanwhile: a person decides over what they saw
            raise Refused("wrong_state")
        gone = figures.unbooked(db, row.as_of)
        stock_snapshots.approve(db, snapshot_id, unbooked=gone, max_age=max_age, by=me.email, role=me.role, now=now)

    try:
        context.write(work)
    except ShopError as error:
        return _refused(error)
    flash(_("Applied. Promises that lost their goods are planned again."))
    return redirect(url_for("figures.home"), 303)


@bp.post("/<int:snapshot_id>/decline")
def decline(snapshot_id: int) -> ResponseReturnValue:
    """Say that a snapshot is wrong: the figures stay as they are."""
    me, now = context.me(), context.now()
    try:
        context.write(lambda db: stock_snapshots.decline(db, snapshot_id, by=me.email, role=me.role, now=now))
    except ShopError as error:
        return _refused(error)
    flash(_("Declined. The figures stay as they were."))
    return redirect(url_for("figures.home"), 303)


def find_snapshots(session: Session) -> tuple[Sequence[t.StockSnapshot], Sequence[t.StockSnapshot]]:
    """Return what waits for a decision, the oldest first, and the newest that came."""
    rows = sa.select(t.StockSnapshot)
    waiting = rows.where(t.StockSnapshot.state == "quarantined").order_by(t.StockSnapshot.id)
    return session.scalars(waiting).all(), session.scalars(rows.order_by(t.StockSnapshot.id.desc()).limit(PAGE)).all()


def find_shelves(session: Session) -> Shelves:
    """Return what lies at the works now."""
    here = sa.and_(t.Stock.warehouse_id == get_warehouse(session).id, t.Stock.on_hand > 0)
    items, pieces = session.execute(sa.select(sa.func.count(), sa.func.sum(t.Stock.on_hand)).where(here)).one()
    return Shelves(items, int(pieces or 0))


def named(row: t.StockSnapshot) -> Shelves:
    """Return what a snapshot that waits says of all items that it names."""
    there = [available + ours for _sku, available, ours in row.lines if available + ours > 0]
    return Shelves(len(there), sum(there))


def seen(row: t.StockSnapshot) -> str:
    """Return what a page shows of a snapshot that waits, to be compared when somebody decides."""
    said = named(row)
    return f"{row.kind}:{said.items}:{said.pieces}"


def reason_words(reason: str) -> str:
    """Say why a snapshot was not simply applied."""
    words = {
        "older": _("older than what was there"),
        "gap": _("a change to figures that we do not have"),
        "ahead": _("from the future: compare the clocks"),
        "dropped": _("more than half of the items would be gone"),
        "empty": _("nothing would be left"),
    }
    return words.get(reason, reason)


def state_words(state: str) -> str:
    """Name what became of a snapshot."""
    words = {
        "applied": _("Applied"),
        "refused": _("Refused"),
        "quarantined": _("Waits for a decision"),
        "declined": _("Declined"),
    }
    return words[state]


def _refused(error: ShopError) -> ResponseReturnValue:
    if error.status == 404:
        raise error
    return _page(explain(error), error.status)


def _page(problem: str = "", status: int = 200) -> ResponseReturnValue:
    waiting, rows = context.read(find_snapshots)
    last = context.read(stock_snapshots.find_last)
    return render_template(
        "desk/admin/figures.html",
        waiting=waiting,
        rows=rows,
        last=last,
        shelves=context.read(find_shelves) if waiting else None,
        named=named,
        seen=seen,
        reason_words=reason_words,
        state_words=state_words,
        problem_text=problem,
    ), status
