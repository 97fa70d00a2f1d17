"""Read the catalogue: the tree, lists of what may be promised, one product. Nothing here changes anything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import kept
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.erp.search import fold


@dataclass(frozen=True, slots=True)
class Tree:
    """The categories with their places in the tree and, per category, how many listed products are in it and below."""

    rows: dict[int, t.Category]
    children: dict[int | None, list[int]]
    counts: dict[int, int]
    names: dict[int, str]  # in the language that was asked for, where there are words in it

    def below(self, category_id: int) -> list[int]:
        """Return a category and all below it."""
        found = [category_id]
        for one in found:
            found += self.children.get(one, [])
        return found

    def path(self, category_id: int) -> list[int]:
        """Return the way from the root to a category, both included."""
        way = [category_id]
        while (parent := self.rows[way[0]].parent_id) is not None:
            way.insert(0, parent)
        return way


def listed_items() -> sa.Select[int | None]:
    """Return the query for ids of products of which something may be promised."""
    return (
        sa.select(t.Item.product_id)
        .join(t.Offer, t.Offer.item_id == t.Item.id)
        .where(t.Offer.listed, t.Item.on_sale, t.Item.product_id.is_not(None))
    )


def tree(session: Session, language: str = "") -> Tree:
    """Return the category tree with its counts, named in a language as far as there are words in it."""
    rows = {c.id: c for c in session.scalars(sa.select(t.Category).order_by(t.Category.position, t.Category.id))}
    children: dict[int | None, list[int]] = defaultdict(list)
    for category in rows.values():
        children[category.parent_id].append(category.id)
    own = {
        row.category_id: row.number
        for row in session.execute(
            sa.select(t.Product.category_id, sa.func.count().label("number"))
            .where(t.Product.id.in_(listed_items()))
            .group_by(t.Product.category_id)
        )
    }
    names = {one.id: one.name for one in rows.values()} | _names(session, language)
    found = Tree(rows, dict(children), {}, names)
    for category_id in rows:
        found.counts[category_id] = sum(own.get(one, 0) for one in found.below(category_id))
    return found


def _names(session: Session, language: str) -> dict[int, str]:
    spoken = [language.partition("-")[0], language]  # the nearer one last, so that it stays
    texts = session.scalars(sa.select(t.CategoryText).where(t.CategoryText.language.in_(spoken))).all() if language else []
    return {text.category_id: text.name for text in sorted(texts, key=lambda text: spoken.index(text.language))}


def find_category(session: Session, slug: str) -> t.Category | None:
    """Return a category by its slug."""
    return session.scalar(sa.select(t.Category).where(t.Category.slug == slug))


def find_product(session: Session, slug: str) -> t.Product | None:
    """Return a product by its slug."""
    return session.scalar(sa.select(t.Product).where(t.Product.slug == slug))


def slugs(session: Session, *, limit: int = 45_000) -> list[str]:
    """Return the slugs of listed products, sorted; a sitemap holds 50,000 addresses at most."""
    rows = sa.select(t.Product.slug).where(t.Product.id.in_(listed_items())).order_by(t.Product.slug).limit(limit)
    return list(session.scalars(rows))


def items_of(session: Session, product_ids: Iterable[int]) -> dict[int, list[tuple[t.Item, t.Offer | None]]]:
    """Return each product's items with their offers, in the order they are shown."""
    rows = session.execute(
        sa.select(t.Item, t.Offer)
        .outerjoin(t.Offer, t.Offer.item_id == t.Item.id)
        .where(t.Item.product_id.in_(sorted(product_ids)), t.Item.on_sale)
        .order_by(t.Item.product_id, t.Item.position, t.Item.id)
    )
    found: dict[int, list[tuple[t.Item, t.Offer | None]]] = defaultdict(list)
    for item, offer in rows:
        assert item.product_id is not None
        found[item.product_id].append((item, offer))
    return found


def names_of(session: Session, items: Iterable[t.Item]) -> dict[int, tuple[str, str]]:
    """Return each item's page: its product's slug and name."""
    rows = sa.select(t.Item.id, t.Product.slug, t.Product.name).join(t.Product, t.Product.id == t.Item.product_id)
    ids = sorted(item.id for item in items)
    return {row.id: (row.slug, row.name) for row in session.execute(rows.where(t.Item.id.in_(ids)))} if ids else {}


_PICTURES = (
    sa.select(t.Picture)
    .where(t.Picture.product_id.in_(sa.bindparam("product_ids", expanding=True)))
    .order_by(t.Picture.product_id, t.Picture.position, t.Picture.id)
)
PICTURES = "pictures"
MOST_PICTURES = 20_000  # products whose pictures a process keeps


def pictures_of(session: Session, product_ids: Iterable[int]) -> Mapping[int, Sequence[t.Picture]]:
    """Return each product's pictures in the order they are shown, read again only after the master data changed."""
    version, wanted = plan.master_version(session), sorted(set(product_ids))
    known: tuple[int, dict[int, Sequence[t.Picture]]] = kept(session).get(PICTURES, (0, {}))
    if not version or known[0] != version or len(known[1]) > MOST_PICTURES:
        known = (version, {})
        kept(session)[PICTURES] = known
    if unknown := [one for one in wanted if one not in known[1]]:
        found: dict[int, list[t.Picture]] = {one: [] for one in unknown}
        for picture in session.scalars(_PICTURES, {"product_ids": unknown}):
            session.expunge(picture)  # it outlives the session
            found[picture.product_id].append(picture)
        known[1].update(found)
    return {one: known[1][one] for one in wanted}


def contents_of(session: Session, item_ids: Iterable[int], language: str) -> dict[int, list[tuple[int, str, str | None]]]:
    """Return what is in each of these that is a kit: how many, its name in a language, its page if it has one."""
    part, line = t.Item, t.BomLine
    kits = sa.select(t.Item.id).where(t.Item.id.in_(sorted(item_ids)), t.Item.source == "kit")
    rows = session.execute(
        sa.select(line.parent_id, line.quantity, part, t.Product)
        .join(part, part.id == line.component_id)
        .outerjoin(t.Product, t.Product.id == part.product_id)
        .where(line.parent_id.in_(kits))
        .order_by(line.parent_id, line.position, line.id)
    ).all()
    texts = texts_of(session, {product.id for *_, product in rows if product}, language) if rows else {}
    found: dict[int, list[tuple[int, str, str | None]]] = defaultdict(list)
    for parent_id, quantity, item, product in rows:
        name = item.name
        if product is not None:
            text = texts.get(product.id)
            options = [str(value) for value in item.options.values()]
            name = ", ".join([text.name if text and text.name else product.name, *options])
        found[parent_id].append((quantity // item.parts_per_unit, name, product.slug if product else None))
    return found


def texts_of(session: Session, product_ids: Iterable[int], language: str) -> dict[int, t.ProductText]:
    """Return each product's text in a language, where there is one."""
    rows = session.scalars(
        sa.select(t.ProductText)
        .where(
            t.ProductText.product_id.in_(sorted(product_ids)),
            t.ProductText.language.in_([language, language.partition("-")[0]]),
        )
        .order_by(sa.func.length(t.ProductText.language))  # de before de-AT: the nearer one stays
    )
    return {row.product_id: row for row in rows}


def nearest_words(session: Session, query: str, *, limit: int = 5) -> list[str]:
    """Return words from the names of listed products that come closest to a search that found nothing."""
    names = session.scalars(sa.select(t.Product.name).where(t.Product.id.in_(listed_items()))).all()
    words = {fold(word): word for name in names for word in name.split() if len(word) > 2}
    found: list[str] = []
    for word in fold(query).split():
        found += get_close_matches(word, list(words), n=limit, cutoff=0.6)
    return [words[word] for word in dict.fromkeys(found)][:limit]
