"""The shelves: what lies where and whose it is; a count that differs is booked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from backoffice.desk import context, forms, moved
from backoffice.desk.formats import units
from backoffice.desk.listing import PAGE, contains, pages_of
from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain, explain_field
from backoffice.erp import counting, lots
from backoffice.erp.company import get_warehouse
from backoffice.erp.models import Item, Stock, StockLot
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("shelves", __name__, url_prefix="/desk/warehouse/stock")


@dataclass(frozen=True, slots=True)
class Shelf:
    """An item with its stock; `free` = on hand − allocated − reserved − allotted."""

    item: Item
    stock: Stock
    lots: Sequence[StockLot] = ()

    @property
    def free(self) -> int:
        """Return what nobody has been promised."""
        return max(self.stock.on_hand - self.stock.allocated - self.stock.reserved - self.stock.allotted, 0)


@bp.get("")
def home() -> ResponseReturnValue:
    """List what lies on the shelves, by place."""
    return _page()


@bp.post("/<int:item_id>/count")
def count(item_id: int) -> ResponseReturnValue:
    """Book what was counted; promises that it no longer covers find other supplies."""
    actor, now, key, watch = context.me().name, context.now(), forms.text("key"), moved.Watch()
    try:
        shelf = context.read(lambda db: get_shelf(db, item_id))
        counted = _counted() * shelf.item.parts_per_unit
        place, ref = shelf.stock.warehouse_id, f"count:{item_id}:{key or now.isoformat()}"
        lot = next((one for one in shelf.lots if str(one.id) == forms.text("lot")), None)
        fresh = context.write(
            watch.over(
                lambda db: counting.count_stock(
                    db, item_id, place, counted, ref=ref, lot_id=lot.id if lot else None, actor=actor, now=now
                )
            ),
            scope=f"count:{item_id}",
        )
    except ShopError as error:
        if isinstance(error, BadInput) and (scanned := context.read(_find_scanned)):
            return redirect(url_for("shelves.home", q=scanned), 303)
        wrong = explain_field("bad_count") if isinstance(error, BadInput) else ""
        typed = {
            "item": str(item_id),
            "lot": forms.text("lot"),
            "text": forms.text("counted"),
            "problem": explain(error),
            "wrong": wrong,
        }
        return _page(typed, error.status)
    if fresh:
        flash(_said(shelf, counted, lot.on_hand if lot else shelf.stock.on_hand, watch))
    # a scanned item is done with; a list is gone on with
    args = _args()
    return redirect(url_for("shelves.home", **({} if args.get("q") == shelf.item.sku else args)), 303)


def find_shelves(session: Session, query: str, page: int) -> tuple[Sequence[Shelf], int]:
    """Return one page of items with stock rows, by place and SKU, and how many there are."""
    rows = sa.select(Item, Stock).join(Stock, Stock.item_id == Item.id).where(contains(query, Item.sku, Item.name, Item.bin))
    total = session.scalar(sa.select(sa.func.count()).select_from(rows.with_only_columns(Stock.id).subquery())) or 0
    found = session.execute(rows.order_by(Item.bin, Item.sku).limit(PAGE).offset((page - 1) * PAGE))
    shown = [(item, stock) for item, stock in found]
    named = lots.lots_of(session, [item.id for item, _ in shown if item.days_left is not None])
    return [Shelf(item, stock, _lying(stock, named)) for item, stock in shown], total


def _lying(stock: Stock, named: Mapping[int, Sequence[StockLot]]) -> Sequence[StockLot]:
    return [lot for lot in named.get(stock.item_id, ()) if lot.warehouse_id == stock.warehouse_id]


def only_one(shelves: Sequence[Shelf], query: str) -> Shelf | None:
    """Return the shelf that was meant: the only one found, or the one whose number was scanned."""
    if not query:
        return None
    if len(shelves) == 1:
        return shelves[0]
    return next((shelf for shelf in shelves if shelf.item.sku.casefold() == query.casefold()), None)


def get_shelf(session: Session, item_id: int) -> Shelf:
    """Return an item's shelf in the warehouse. Raises NotFound(unknown_record)."""
    row = session.execute(
        sa.select(Item, Stock)
        .join(Stock, Stock.item_id == Item.id)
        .where(Item.id == item_id, Stock.warehouse_id == get_warehouse(session).id)
    ).one_or_none()
    if row is None:
        raise NotFound("unknown_record")
    item, stock = row
    return Shelf(item, stock, _lying(stock, lots.lots_of(session, [item_id])) if item.days_left is not None else ())


def _find_scanned(session: Session) -> str:
    """Return the item whose number a scanner wrote into the field of the count, empty if no shelf has it."""
    typed = forms.text("counted").strip()[:100]
    scanned = sa.select(Item.sku).join(Stock, Stock.item_id == Item.id).where(sa.func.lower(Item.sku) == typed.lower())
    return session.scalar(scanned) or ""


def _said(shelf: Shelf, counted: int, booked: int, watch: moved.Watch) -> str:
    parts = shelf.item.parts_per_unit
    count, before = units(counted, parts), units(booked, parts)
    if counted == booked:
        return _("Counted: %(count)s × %(item)s, as booked.", count=count, item=shelf.item.name)
    said = _("Counted: %(count)s × %(item)s, %(before)s before.", count=count, item=shelf.item.name, before=before)
    return f"{said} {watch.words()}"


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
        task=only_one(shelves, args.get("q", "")) if page == 1 else None,
        total=total,
        page=page,
        pages=pages_of(total),
        query=args.get("q", ""),
        typed=typed or {},
    ), status
