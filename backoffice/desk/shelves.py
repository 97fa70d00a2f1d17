"""The shelves: what lies where and whose it is; a count that differs is booked here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.desk import context, forms
from backoffice.desk.formats import units
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.erp import counting
from backoffice.erp.company import get_warehouse
from backoffice.erp.models import Item, Stock
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("shelves", __name__, url_prefix="/desk/warehouse/stock")
PAGE = 50


@dataclass(frozen=True, slots=True)
class Shelf:
    """An item with its stock; `free` = on hand − allocated − reserved."""

    item: Item
    stock: Stock

    @property
    def free(self) -> int:
        """Return what nobody has been promised."""
        return self.stock.on_hand - self.stock.allocated - self.stock.reserved


@bp.get("")
def home() -> ResponseReturnValue:
    """List what lies on the shelves, by place."""
    return _page()


@bp.post("/<int:item_id>/count")
def count(item_id: int) -> ResponseReturnValue:
    """Book what was counted; promises that it no longer covers find other supplies."""
    actor, now, key = context.me().name, context.now(), forms.text("key")
    try:
        shelf = context.read(lambda db: get_shelf(db, item_id))
        counted = _counted() * shelf.item.parts_per_unit
        context.write(
            lambda db: counting.count_stock(
                db,
                item_id,
                shelf.stock.warehouse_id,
                counted,
                ref=f"count:{item_id}:{key or now.isoformat()}",
                actor=actor,
                now=now,
            ),
            scope=f"count:{item_id}",
        )
    except ShopError as error:
        typed = {"item": str(item_id), "text": forms.text("counted"), "problem": explain(error)}
        return _page(typed, error.status)
    flash(_("Counted: %(count)s × %(item)s.", count=units(counted, shelf.item.parts_per_unit), item=shelf.item.name))
    return redirect(url_for("shelves.home", **_args()), 303)


def find_shelves(session: Session, query: str, page: int) -> tuple[Sequence[Shelf], int]:
    """Return one page of items with stock rows, by place and SKU, and how many there are."""
    rows = sa.select(Item, Stock).join(Stock, Stock.item_id == Item.id)
    if query:
        columns = (Item.sku, Item.name, Item.bin)
        rows = rows.where(sa.or_(*(column.icontains(query, autoescape=True) for column in columns)))
    total = session.scalar(sa.select(sa.func.count()).select_from(rows.with_only_columns(Stock.id).subquery())) or 0
    found = session.execute(rows.order_by(Item.bin, Item.sku).limit(PAGE).offset((page - 1) * PAGE))
    return [Shelf(item, stock) for item, stock in found], total


def get_shelf(session: Session, item_id: int) -> Shelf:
    """Return an item's shelf in the warehouse. Raises NotFound(unknown_record)."""
    row = session.execute(
        sa.select(Item, Stock)
        .join(Stock, Stock.item_id == Item.id)
        .where(Item.id == item_id, Stock.warehouse_id == get_warehouse(session).id)
    ).one_or_none()
    if row is None:
        raise NotFound("unknown_record")
    return Shelf(*row)


def _counted() -> int:
    """Return what was counted; nothing left is a count too. Raises BadInput(invalid_form, counted)."""
    typed = forms.text("counted").strip()
    if not typed.isdecimal() or len(typed) > 9:
        raise BadInput("invalid_form", {"counted": "bad_quantity"})
    return int(typed)


def _args() -> dict[str, Any]:
    query = request.args.get("q", "").replace("\x00", "").strip()[:100]
    page = request.args.get("page", "")
    return ({"q": query} if query else {}) | ({"page": page} if page.isdecimal() and len(page) < 6 else {})


def _page(typed: dict[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    args = _args()
    page = max(1, int(args.get("page", "1")))
    shelves, total = context.read(lambda db: find_shelves(db, args.get("q", ""), page))
    return render_template(
        "desk/warehouse/stock.html",
        shelves=shelves,
        total=total,
        page=page,
        pages=max(1, -(-total // PAGE)),
        query=args.get("q", ""),
        typed=typed or {},
    ), status
