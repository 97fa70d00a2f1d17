"""Find an item by its number or by words, for whoever takes down what somebody wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp.models import Item, Product
from backoffice.erp.search import fold

MOST = 12


@dataclass(frozen=True, slots=True)
class Found:
    """One item that is sold."""

    sku: str
    name: str
    options: str
    price_minor: int
    currency: str


def find_item(session: Session, typed: str) -> Found | None:
    """Return the item with exactly this number, in any case of its letters."""
    number = typed.strip()
    rows = session.execute(_sold().where(sa.func.lower(Item.sku) == number.lower())).all() if number else []
    exact = [row for row in rows if row[0].sku == number]
    return _shown(*(exact or rows)[0]) if rows else None


def find_items(session: Session, words: str) -> Sequence[Found]:
    """Return items that hold every word in name, number or text, at most twelve."""
    wanted = fold(words).split()
    if not wanted:
        return []
    query = _sold()
    for word in wanted[:8]:
        held = (Product.search_text.contains(word, autoescape=True), Item.sku.icontains(word, autoescape=True))
        query = query.where(sa.or_(*held))
    return [_shown(*row) for row in session.execute(query.order_by(Product.position, Item.id).limit(MOST))]


def _sold() -> sa.Select[Item, Product]:
    return sa.select(Item, Product).join(Product, Product.id == Item.product_id).where(Item.on_sale)


def _shown(item: Item, product: Product) -> Found:
    options = ", ".join(str(value) for value in item.options.values())
    return Found(item.sku, product.name, options, item.price_minor, item.currency)
