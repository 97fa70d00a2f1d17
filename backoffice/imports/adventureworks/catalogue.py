"""The catalogue: the tree, a page for each model, its products as variants, their texts, photos and prices."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from backoffice.erp import models as t
from backoffice.erp.search import fold
from backoffice.imports.adventureworks import rules
from backoffice.imports.adventureworks.records import Product, Source
from backoffice.imports.sync import Incoming, Sync

SIZES = ["XS", "S", "M", "L", "XL", "XXL"]
OTHER = "other"  # the category of sellable products that the data puts nowhere


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the shop: a model, or a product without one."""

    key: str
    name: str
    category: str
    members: list[Product]


def pages(source: Source) -> list[Page]:
    """Return the pages: the sellable products by model, each without a model on its own."""
    grouped: dict[str, list[Product]] = defaultdict(list)
    for product in source.products.values():
        if product.sellable:
            key = f"model:{product.model_id}" if product.model_id else f"product:{product.id}"
            grouped[key].append(product)
    return [
        Page(
            key=key,
            name=source.models[members[0].model_id] if members[0].model_id else members[0].name,
            category=next((f"subcategory:{m.subcategory_id}" for m in members if m.subcategory_id), OTHER),
            members=sorted(members, key=_order),
        )
        for key, members in grouped.items()
    ]


def write_catalogue(sync: Sync, source: Source, parts: Mapping[int, int], photos: Mapping[int, str]) -> dict[int, int]:
    """Write tree, pages, items, texts and pictures; return product → item id.

    photos: photo → name below the media folder. Raises BrokenRow for a number that is already somebody else's.
    """
    shown = pages(source)
    categories = _write_tree(sync, source, shown)
    product_ids = _write_pages(sync, source, shown, categories)
    items = _write_items(sync, source, shown, product_ids, parts)
    _write_texts(sync, source, shown, product_ids)
    _write_pictures(sync, source, shown, product_ids, items, photos)
    return items


def _write_tree(sync: Sync, source: Source, shown: list[Page]) -> dict[str, int]:
    used = {page.category for page in shown}
    below = {i: entry for i, entry in source.subcategories.items() if f"subcategory:{i}" in used}
    slugs = _Slugs(sync, t.Category)
    top = [
        Incoming(f"category:{i}", {"name": name, "position": i}, {"slug": slugs.take(f"category:{i}", name)})
        for i, name in source.categories.items()
        if i in {parent for parent, _name in below.values()}
    ]
    if OTHER in used:
        top.append(Incoming(OTHER, {"name": "Other", "position": 10**6}, {"slug": slugs.take(OTHER, "other")}))
    ids = sync.put(t.Category, top)
    return ids | sync.put(
        t.Category,
        [
            Incoming(
                f"subcategory:{i}",
                {"name": name, "parent_id": ids[f"category:{parent}"], "position": i},
                {"slug": slugs.take(f"subcategory:{i}", name)},
            )
            for i, (parent, name) in below.items()
        ],
    )


def _write_pages(sync: Sync, source: Source, shown: list[Page], categories: Mapping[str, int]) -> dict[str, int]:
    slugs = _Slugs(sync, t.Product)
    texts: dict[str, dict[str, str]] = defaultdict(dict)
    for model, language, text in source.texts:
        texts[f"model:{model}"][language] = text
    return sync.put(
        t.Product,
        [
            Incoming(
                page.key,
                {
                    "name": page.name,
                    "category_id": categories[page.category],
                    "description": texts[page.key].get("en", ""),
                    "facts": _facts(page),
                    "search_text": _search_text(source, page, texts[page.key].values()),
                },
                {"slug": slugs.take(page.key, page.name), "position": position},
            )
            for position, page in enumerate(shown)
        ],
    )


def _facts(page: Page) -> dict[str, str]:
    weights = {member.weight for member in page.members}
    return {"Weight": weights.pop()} if len(weights) == 1 and "" not in weights else {}


def _search_text(source: Source, page: Page, texts: Iterable[str]) -> str:
    words = [page.name]
    for member in page.members:
        words += [member.name, member.sku, member.colour]
        if member.subcategory_id:
            parent, name = source.subcategories[member.subcategory_id]
            words += [name, source.categories[parent]]
    once = dict.fromkeys(words)  # a word that forty variants share is kept once
    return fold(" ".join([*once, *texts]))


def _write_items(
    sync: Sync, source: Source, shown: list[Page], product_ids: Mapping[str, int], parts: Mapping[int, int]
) -> dict[int, int]:
    _refuse_taken_numbers(sync, source)
    places = {member.id: (page, i) for page in shown for i, member in enumerate(page.members)}
    sources, units = _sources(source), _units(source)
    rows = []
    for product in source.products.values():
        page, position = places.get(product.id, (None, 0))
        values = {
            "sku": product.sku,
            "name": product.name,
            "unit": units.get(product.id, "EA"),
            "parts_per_unit": parts.get(product.id, 1),
            "source": sources[product.id],
            "on_sale": rules.is_current(product),
            "product_id": product_ids[page.key] if page else None,
            "options": _options(page.members, product) if page else {},
            "price_minor": product.price_minor,
            "currency": "USD",
        }
        rows.append(Incoming(str(product.id), values, {"sell_from": "stock", "position": position}))
    ids = sync.put(t.Item, rows)
    return {int(their_id): our_id for their_id, our_id in ids.items()}


def _sources(source: Source) -> dict[int, str]:
    """Return make | buy | none per product: what has no parts list, or no supplier, can only be sold from stock."""
    with_parts = {row.assembly_id for row in source.bom if not row.ended}
    with_supplier = {row.product_id for row in source.vendor_items}
    return {
        product.id: ("make" if product.id in with_parts else "none")
        if product.made
        else ("buy" if product.id in with_supplier else "none")
        for product in source.products.values()
    }


def _units(source: Source) -> dict[int, str]:
    fastest: dict[int, tuple[int, str]] = {}
    for row in source.vendor_items:
        fastest[row.product_id] = min(fastest.get(row.product_id, (row.lead, row.unit)), (row.lead, row.unit))
    return {product: unit for product, (_lead, unit) in fastest.items()}


def _options(members: list[Product], product: Product) -> dict[str, str]:
    own = {"Colour": product.colour, "Size": product.size}
    options = {name: value for name, value in own.items() if value}
    same = [other for other in members if (other.colour, other.size) == (product.colour, product.size)]
    return options if len(same) == 1 else {**options, "Variant": product.name}


def _order(product: Product) -> tuple[str, float, str]:
    size = SIZES.index(product.size) if product.size in SIZES else float(product.size or 0) if product.size.isdigit() else 0
    return product.colour, float(size), product.name


def _refuse_taken_numbers(sync: Sync, source: Source) -> None:
    mine = {ref.our_id for ref in (sync.find("item", str(i)) for i in source.products) if ref is not None}
    taken = {sku for sku, item in sync.session.execute(sa.select(t.Item.sku, t.Item.id)) if item not in mine}
    for product in source.products.values():
        if product.sku in taken:
            raise product.row.fault("ProductNumber", _("%(number)s is already another item here", number=product.sku))


def _write_texts(sync: Sync, source: Source, shown: list[Page], product_ids: Mapping[str, int]) -> None:
    sold = {page.key for page in shown}
    sync.put(
        t.ProductText,
        [
            Incoming(
                f"{model}:{language}",
                {"product_id": product_ids[f"model:{model}"], "language": language, "name": None, "description": text},
            )
            for model, language, text in source.texts
            if f"model:{model}" in sold
        ],
        whole=True,
    )


def _write_pictures(
    sync: Sync,
    source: Source,
    shown: list[Page],
    product_ids: Mapping[str, int],
    items: Mapping[int, int],
    photos: Mapping[int, str],
) -> None:
    rows = []
    for page in shown:
        for position, member in enumerate(page.members):
            file = photos.get(source.shown_by.get(member.id, 0))
            if file is not None:
                own = {"product_id": product_ids[page.key], "item_id": items[member.id]}
                values = {**own, "file": file, "alt": member.name, "position": position}
                rows.append(Incoming(str(member.id), values))
    sync.put(t.Picture, rows, whole=True)


class _Slugs:
    """Addresses in the shop: from the name, with a number where it is taken."""

    def __init__(self, sync: Sync, table: type[t.Category] | type[t.Product]) -> None:
        self._sync = sync
        self._kind = str(table.__tablename__)
        self._taken = set(sync.session.scalars(sa.select(table.slug)))

    def take(self, key: str, name: str) -> str:
        """Return a free address; what is already imported keeps its own, so nothing is taken for it."""
        if self._sync.find(self._kind, key) is not None:
            return ""
        base = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-") or key.replace(":", "-")
        slug, number = base, 1
        while slug in self._taken:
            number += 1
            slug = f"{base}-{number}"
        self._taken.add(slug)
        return slug
