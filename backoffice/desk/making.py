"""How an item is made, at the planning desk: its parts and operations, changed after a look at which promises move."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy.orm import Session

from backoffice.desk import amounts, context, forms, items, moved
from backoffice.desk.phrases import gettext as _
from backoffice.erp import recipe_lines
from backoffice.erp.recipe_lines import MOST, Part, Work
from backoffice.public.errors import BadInput, ShopError

bp = Blueprint("making", __name__, url_prefix="/desk/planning/items/<int:item_id>")


@bp.post("/parts")
def add_part(item_id: int) -> ResponseReturnValue:
    """Add a part."""
    return _part(item_id, None)


@bp.post("/parts/<int:line_id>")
def part(item_id: int, line_id: int) -> ResponseReturnValue:
    """Change a part: what it is, how many, how much of it is lost, what may stand in for it."""
    return _part(item_id, line_id)


@bp.post("/parts/<int:line_id>/drop")
def drop_part(item_id: int, line_id: int) -> ResponseReturnValue:
    """Take a part out."""
    me, now = context.me(), context.now()
    return _saved(
        item_id,
        f"part-{line_id}",
        lambda db: recipe_lines.drop_part(db, item_id, line_id, by=me.email, role=me.role, now=now),
    )


@bp.post("/operations")
def add_work(item_id: int) -> ResponseReturnValue:
    """Add an operation."""
    return _work(item_id, None)


@bp.post("/operations/<int:operation_id>")
def work(item_id: int, operation_id: int) -> ResponseReturnValue:
    """Change an operation: where, when in the order, how long, where instead."""
    return _work(item_id, operation_id)


@bp.post("/operations/<int:operation_id>/drop")
def drop_work(item_id: int, operation_id: int) -> ResponseReturnValue:
    """Take an operation out."""
    me, now = context.me(), context.now()
    return _saved(
        item_id,
        f"work-{operation_id}",
        lambda db: recipe_lines.drop_work(db, item_id, operation_id, by=me.email, role=me.role, now=now),
    )


def _part(item_id: int, line_id: int | None) -> ResponseReturnValue:
    me, now = context.me(), context.now()

    def save(db: Session) -> None:
        recipe_lines.set_part(db, item_id, line_id, _typed_part(), by=me.email, role=me.role, now=now)

    return _saved(item_id, f"part-{line_id or 'new'}", save)


def _work(item_id: int, operation_id: int | None) -> ResponseReturnValue:
    me, now = context.me(), context.now()

    def save(db: Session) -> None:
        recipe_lines.set_work(db, item_id, operation_id, _typed_work(), by=me.email, role=me.role, now=now)

    return _saved(item_id, f"work-{operation_id or 'new'}", save)


def _saved(item_id: int, row: str, save: Callable[[Session], object]) -> ResponseReturnValue:
    watch = moved.Watch(forms.text("seen"))
    try:
        fresh = context.write(watch.over(save), scope=f"recipe:{item_id}")
    except moved.Unseen as unseen:
        name = context.read(lambda db: items.get_item(db, item_id).name)
        what = _("%(item)s is made in another way", item=name)
        return moved.ask_page(unseen, what=what, back="items.item", tab="items.home", item_id=item_id)
    except ShopError as error:
        return items.item_page(item_id, error, {"row": row})
    if fresh:
        flash(_("Saved. %(moved)s", moved=watch.words()))
    return redirect(url_for("items.item", item_id=item_id, _anchor="made"), 303)


def _typed_part() -> Part:
    """Return what was typed. Raises BadInput(invalid_form, amount | per | scrap)."""
    scrap = amounts.permille(forms.text("scrap").strip() or "0", get_locale())
    if scrap is None:
        raise BadInput("invalid_form", {"scrap": "bad_number"})
    amount, per = forms.number("amount", most=MOST), forms.number("per", most=MOST)
    return Part(forms.name("component"), amount, per, scrap, forms.names("alternates"))


def _typed_work() -> Work:
    """Return what was typed. Raises BadInput(invalid_form, step | setup | fixed | minutes | pieces)."""
    return Work(
        forms.name("centre"),
        forms.number("step", most=999, wrong="bad_number"),
        _seconds("setup"),
        _seconds("fixed"),
        _seconds("minutes"),
        forms.number("pieces", most=MOST),
        forms.names("alternates"),
    )


def _seconds(field: str) -> int:
    found = amounts.seconds(forms.text(field).strip() or "0", get_locale())
    if found is None:
        raise BadInput("invalid_form", {field: "bad_minutes"})
    return found
