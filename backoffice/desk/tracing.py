"""Pages that follow pegs: where an order's lines come from, what a production order, a receipt or a shelf is for."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from backoffice.desk import context
from backoffice.erp import tracing
from backoffice.erp.models import Item
from backoffice.erp.tracing import Direction, Key, Node
from backoffice.public.errors import NotFound

bp = Blueprint("tracing", __name__, url_prefix="/desk/planning/trace")


@bp.get("/orders/<number>")
def order(number: str) -> ResponseReturnValue:
    """Show where the lines of an order come from."""
    now = context.now()
    lines = context.read(lambda db: tracing.find_tree(db, tracing.lines_of_order(db, number), "origin", now=now))
    if not lines:
        raise NotFound("unknown_order")
    return render_template("desk/planning/trace_order.html", number=number, lines=lines)


@bp.get("/production/<int:order_id>")
def made(order_id: int) -> ResponseReturnValue:
    """Show what a production order is for, and where its components come from."""
    key = Key("made", order_id)
    purpose, origin = _tree(key, "purpose"), _tree(key, "origin")
    if purpose is None or origin is None:
        raise NotFound("unknown_production_order")
    return render_template("desk/planning/trace_one.html", purpose=purpose, origin=origin)


@bp.get("/receipts/<int:line_id>")
def receipt(line_id: int) -> ResponseReturnValue:
    """Show what a line of a purchase order is for."""
    purpose = _tree(Key("receipt", line_id), "purpose")
    if purpose is None:
        raise NotFound("unknown_receipt")
    return render_template("desk/planning/trace_one.html", purpose=purpose, origin=None)


@bp.get("/items/<int:item_id>")
def item(item_id: int) -> ResponseReturnValue:
    """Show where an item is, what of it is still to come, and what all of that is for."""
    now = context.now()
    one = context.read(lambda db: db.get(Item, item_id))
    if one is None:
        raise NotFound("unknown_product")
    trees = context.read(lambda db: tracing.find_tree(db, tracing.supplies_of_item(db, item_id), "purpose", now=now))
    return render_template("desk/planning/trace_item.html", item=one, trees=trees)


def _tree(key: Key, direction: Direction) -> Node | None:
    trees = context.read(lambda db: tracing.find_tree(db, [key], direction, now=context.now()))
    return trees[0] if trees else None
