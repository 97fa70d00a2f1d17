"""Items at the planning desk: how each comes, from whom it is bought first, and for whom it is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from sqlalchemy.orm import Session

from backoffice.desk import amounts, context, forms, listing, planning_lists
from backoffice.desk.phrases import gettext as _
from backoffice.desk.shelves import Shelf, get_shelf
from backoffice.desk.wording import explain
from backoffice.erp import allotting, expiring, pricing, recipes, returning, sets, substitutes, supplying
from backoffice.erp.models import Item, Supplier
from backoffice.erp.supplying import Terms
from backoffice.public.errors import BadInput, NotFound, ShopError

bp = Blueprint("items", __name__, url_prefix="/desk/planning/items")
TYPED = ("supplier", "substitute", "days_left", "contents")
MADE = ("component", "amount", "per", "scrap", "alternates", "centre", "step", "setup", "fixed", "minutes", "pieces")
KEPT = ("customer_class", "line", "quantity", "release_on", "reason")
NUMBERS = ("priority", "lead_days", "order_minimum", "order_multiple", "order_maximum", "price")


@bp.get("")
def home() -> ResponseReturnValue:
    """List items, found by number or name."""
    found, total = context.read(lambda db: find_items(db, forms.sought(), forms.page()))
    faults = context.read(lambda db: recipes.find_faults(db, now=context.now()))
    shown = {
        "faults": faults,
        "found": found,
        "total": total,
        "page_number": forms.page(),
        "page_size": listing.PAGE,
        "query": forms.sought(),
    }
    return render_template("desk/planning/items.html", **shown, source_words=source_words, sold_words=sold_words)


@bp.get("/<int:item_id>")
def item(item_id: int) -> ResponseReturnValue:
    """Show how an item comes."""
    return item_page(item_id)


@bp.post("/<int:item_id>/suppliers")
def offer(item_id: int) -> ResponseReturnValue:
    """Note what a supplier offers."""
    me, now = context.me(), context.now()

    def save(db: Session) -> None:
        one = get_item(db, item_id)
        supplier_id = forms.number("supplier", wrong="bad_choice")
        supplying.set_offer(db, item_id, supplier_id, _terms(one), by=me.email, role=me.role, now=now)

    return saved(item_id, save)


@bp.post("/<int:item_id>/suppliers/<int:supplier_id>/drop")
def drop_offer(item_id: int, supplier_id: int) -> ResponseReturnValue:
    """Note that a supplier no longer sells it."""
    me, now = context.me(), context.now()
    return saved(item_id, lambda db: supplying.drop_offer(db, item_id, supplier_id, by=me.email, role=me.role, now=now))


@bp.post("/<int:item_id>/allotments")
def keep(item_id: int) -> ResponseReturnValue:
    """Keep a quantity for a class of customers until a day."""
    me, now = context.me(), context.now()

    def save(db: Session) -> None:
        quantity = forms.number("quantity") * get_item(db, item_id).parts_per_unit
        release_on, reason = forms.day("release_on", earliest=context.today()), forms.text("reason").replace("\x00", " ")
        whose, line_id = forms.text("customer_class"), forms.number("line", wrong="bad_choice") if forms.text("line") else None
        allotting.set_aside(
            db, item_id, whose, quantity, release_on, line_id=line_id, reason=reason, by=me.email, role=me.role, now=now
        )

    return saved(item_id, save, scope=f"keep:{item_id}")


@bp.post("/<int:item_id>/allotments/<int:allotment_id>/release")
def release(item_id: int, allotment_id: int) -> ResponseReturnValue:
    """Make the rest of what is kept everybody's."""
    me, now = context.me(), context.now()
    return saved(item_id, lambda db: allotting.release(db, allotment_id, by=me.email, role=me.role, now=now))


@bp.post("/<int:item_id>/substitutes")
def add_substitute(item_id: int) -> ResponseReturnValue:
    """Let something else stand in for it, in the shop and in letters about a day that moved."""
    me, now, sku = context.me(), context.now(), forms.name("substitute")
    return saved(item_id, lambda db: substitutes.add(db, item_id, sku, by=me.email, role=me.role, now=now))


@bp.post("/<int:item_id>/substitutes/<int:other_id>/drop")
def drop_substitute(item_id: int, other_id: int) -> ResponseReturnValue:
    """Let it no longer stand in."""
    me, now = context.me(), context.now()
    return saved(item_id, lambda db: substitutes.remove(db, item_id, other_id, by=me.email, role=me.role, now=now))


@bp.post("/<int:item_id>/substitutes/<int:other_id>/prefer")
def prefer_substitute(item_id: int, other_id: int) -> ResponseReturnValue:
    """Offer it one place earlier."""
    me, now = context.me(), context.now()
    return saved(item_id, lambda db: substitutes.prefer(db, item_id, other_id, by=me.email, role=me.role, now=now))


@bp.post("/<int:item_id>/lots")
def lots(item_id: int) -> ResponseReturnValue:
    """Say whether an item is kept in lots that expire, and how many days must be left."""
    me, now = context.me(), context.now()

    def save(db: Session) -> None:
        typed = forms.text("days_left").strip()
        days_left = forms.number("days_left", least=0, most=expiring.MOST_DAYS, wrong="bad_number") if typed else None
        expiring.keep_in_lots(db, item_id, days_left, by=me.email, role=me.role, now=now)

    return saved(item_id, save, typed={"row": "lots"})


@bp.post("/<int:item_id>/withdrawal")
def withdrawal(item_id: int) -> ResponseReturnValue:
    """Say whether buyers may take it back, or why the law lets nobody."""
    me, now, why = context.me(), context.now(), forms.name("why")
    return saved(item_id, lambda db: returning.exempt(db, item_id, why, by=me.email, role=me.role, now=now))


@bp.post("/<int:item_id>/contents")
def contents(item_id: int) -> ResponseReturnValue:
    """Sell an item as a set of others."""
    me, now = context.me(), context.now()
    return saved(
        item_id,
        lambda db: sets.sell_as_set(db, item_id, _contents(db), by=me.email, role=me.role, now=now),
        typed={"row": "contents"},
    )


@bp.post("/<int:item_id>/phantom")
def phantom(item_id: int) -> ResponseReturnValue:
    """Say whether an item is made by itself."""
    me, now, through = context.me(), context.now(), forms.text("through") == "yes"
    return saved(item_id, lambda db: sets.blow_through(db, item_id, through, by=me.email, role=me.role, now=now))


def find_items(session: Session, query: str, page: int) -> tuple[Sequence[Item], int]:
    """Return one page of items by number, and how many there are."""
    wanted = sa.select(Item).where(listing.contains(query, Item.sku, Item.name))
    ordered = wanted.order_by(Item.sku).limit(listing.PAGE).offset((page - 1) * listing.PAGE)
    return session.scalars(ordered).all(), listing.total(session, wanted)


def get_item(session: Session, item_id: int) -> Item:
    """Return an item. Raises NotFound(unknown_product)."""
    one = session.get(Item, item_id)
    if one is None:
        raise NotFound("unknown_product")
    return one


def find_shelf(session: Session, item_id: int) -> Shelf | None:
    """Return an item's shelf at the works; None: it never lay there."""
    with suppress(NotFound):
        return get_shelf(session, item_id)
    return None


def item_page(item_id: int, error: ShopError | None = None, typed: Mapping[str, str] | None = None) -> ResponseReturnValue:
    """Return an item's page, with what was typed and what was wrong about it."""
    one = context.read(lambda db: get_item(db, item_id))
    suppliers = context.read(lambda db: db.scalars(sa.select(Supplier).where(Supplier.active).order_by(Supplier.name)).all())
    page = render_template(
        "desk/planning/item.html",
        item=one,
        source_words=source_words,
        sold_words=sold_words,
        set_typed=set_typed,
        offers=context.read(lambda db: supplying.offers_of(db, item_id)),
        suppliers=suppliers,
        instead=context.read(lambda db: substitutes.of_item(db, item_id)),
        allotments=context.read(lambda db: allotting.allotments_of(db, item_id)),
        coming=context.read(lambda db: allotting.coming_of(db, item_id)),
        shelf=context.read(lambda db: find_shelf(db, item_id)),
        tiers=context.read(lambda db: pricing.tiers_of(db, item_id)),
        tax_kind=context.read(lambda db: pricing.tax_kind_of(db, one)),
        first_day=context.today() + timedelta(days=1),
        parts=context.read(lambda db: recipes.parts_of(db, item_id)),
        work=context.read(lambda db: recipes.work_of(db, item_id)),
        centres=context.read(planning_lists.find_work_centres),
        minutes_typed=minutes_typed,
        typed={name: forms.text(name) for name in (*TYPED, *NUMBERS, *KEPT, *MADE)} | dict(typed or {}) if error else {},
        fields=dict(error.fields) if isinstance(error, BadInput) else {},
        problem_text=explain(error) if error else "",
    )
    return page, error.status if error else 200


def source_words(source: str) -> str:
    """Say how an item comes."""
    words = {
        "make": _("made here"),
        "buy": _("bought"),
        "none": _("only what is there"),
        "kit": _("sold as a set"),
        "phantom": _("nothing but its parts"),
    }
    return words.get(source, source)


def sold_words(one: Item) -> str:
    """Say what an item is sold from."""
    words = {
        "stock": _("sold from stock"),
        "incoming": _("sold from stock and what is on its way"),
        "production": _("sold from production too"),
    }
    return words[one.sell_from] if one.on_sale else _("not sold")


def minutes_typed(seconds: int) -> str:
    """Return seconds in minutes as `amounts.seconds` reads them: two places bring every whole second back."""
    return f"{seconds / 60:.2f}".rstrip("0").rstrip(".")


def set_typed(parts: Sequence[recipes.Part]) -> str:
    """Return what is in a set as `_contents` reads it."""
    return ", ".join(f"{one.line.quantity // one.component.parts_per_unit} {one.component.sku}" for one in parts)


def saved(
    item_id: int, save: Callable[[Session], object], scope: str = "", typed: Mapping[str, str] | None = None
) -> ResponseReturnValue:
    """Do it and show the item's page again, or what was wrong about it."""
    try:
        context.write(save, scope=scope)
    except ShopError as error:
        return item_page(item_id, error, typed)
    flash(_("Saved."))
    return redirect(url_for("items.item", item_id=item_id), 303)


def _contents(session: Session) -> dict[str, int]:
    """Return what was typed to be in a set: `2 STOOL, 1 LAMP`, in counted units. Raises BadInput(invalid_form, contents)."""
    found: dict[str, int] = {}
    for one in forms.names("contents"):
        count, _space, sku = one.partition(" ")
        item = session.scalar(sa.select(Item).where(Item.sku == sku.strip()))
        if not count.isdecimal() or len(count) > 6 or item is None or item.sku in found:
            raise BadInput("invalid_form", {"contents": "bad_contents"})
        found[item.sku] = int(count) * item.parts_per_unit
    return found


def _terms(one: Item) -> Terms:
    """Return what was typed; quantities are typed in counted units. Raises BadInput(invalid_form)."""
    parts = one.parts_per_unit
    price = amounts.minor(forms.text("price") or "0", one.currency, get_locale())
    if price is None or price < 0:
        raise BadInput("invalid_form", {"price": "bad_amount"})
    return Terms(
        priority=forms.number("priority", most=99, wrong="bad_number"),
        lead_days=forms.number("lead_days", least=0, most=supplying.MOST_DAYS, wrong="bad_number"),
        order_minimum=forms.number("order_minimum", least=0, wrong="bad_count") * parts,
        order_multiple=forms.number("order_multiple") * parts,
        order_maximum=forms.number("order_maximum") * parts if forms.text("order_maximum").strip() else None,
        price_minor=price,
    )
