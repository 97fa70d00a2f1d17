"""The demo's master data: catalogue with pictures, components, parts lists, routings, suppliers, opening stock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.demo import range as shop
from backoffice.demo import recipes, words
from backoffice.demo.parts import Made
from backoffice.demo.pictures import draw
from backoffice.demo.range_home import HOME
from backoffice.erp import facets, lots, stock, substitutes
from backoffice.erp import models as t
from backoffice.erp.search import fold

Ids = Mapping[str, int]
PRODUCTS = (*shop.PRODUCTS, *HOME)
Lots = tuple[int, tuple[tuple[str, int, int], ...]]  # days that must be left; number, good for so many days, pieces
LOTS: Mapping[str, Lots] = {"SEIFE-500ML": (60, (("S-118", 78, 12), ("S-131", 240, 63)))}
NORTH = {
    "KIESEL-OAK": 4,
    "AMSEL-OAK": 12,
    "AMSEL-ASH": 6,
    "DACHS-OAK": 8,
    "NISCHE-60-OAK": 10,
    "STAR-OAK": 6,
    "TRITT-OAK": 8,
    "NACHT-OAK": 4,
    "MULLE-S-OAK": 12,
    "KORN-OAK": 14,
    "DOCHT-OAK": 20,
    "DECKE-MOSS": 8,
    "PFLEGE-500ML": 30,
    "FILZ-16PIECES": 60,
}


def write_goods(session: Session, *, media: Path, calendars: Ids, warehouse_id: int, now: datetime) -> dict[str, int]:
    """Write all that is sold, made and bought, and open the stock ledger; return sku → item id."""
    media.mkdir(parents=True, exist_ok=True)
    ids = _write_bought(session)
    made: dict[str, Made] = {}
    category_ids = _write_categories(session)
    for position, product in enumerate(PRODUCTS):
        page = _write_page(session, product, category_ids[product.category], position)
        for place, variant in enumerate(product.variants):
            item_id = _write_variant(session, product, variant, page, place, ids)
            _write_picture(session, product, variant, page, item_id, place, media)
            if product.made:
                made |= {one.sku: one for one in recipes.recipe(product, variant)}
    facets.refresh(session)
    session.add_all(
        t.ItemSubstitute(item_id=item.id, substitute_id=other.id, priority=priority)
        for item, other, priority in substitutes.of_one_page(session)
    )
    _write_sub_assemblies(session, made, ids)
    _write_recipes(session, made, ids)
    _write_sets(session, ids)
    _write_suppliers(session, ids, calendars)
    _open_stock(session, ids, warehouse_id, now)
    _stock_the_north(session, ids, now)
    return ids


def _write_categories(session: Session) -> dict[str, int]:
    rows = {slug: t.Category(slug=slug, name=name, position=i) for i, (slug, name) in enumerate(shop.CATEGORIES)}
    session.add_all(rows.values())
    session.flush()
    session.add_all(
        t.CategoryText(category_id=rows[slug].id, language=language, name=name)
        for language, names in words.CATEGORIES.items()
        for slug, name in names.items()
    )
    return {slug: row.id for slug, row in rows.items()}


def _write_bought(session: Session) -> dict[str, int]:
    rows = [
        t.Item(sku=one.sku, name=one.name, unit=one.unit, parts_per_unit=one.parts, source="buy", bin=f"H-{i:02}")
        for i, one in enumerate(recipes.BOUGHT, start=1)
    ]
    session.add_all(rows)
    session.flush()
    return {row.sku: row.id for row in rows}


def _write_page(session: Session, product: shop.Product, category_id: int, position: int) -> int:
    category = dict(shop.CATEGORIES)[product.category]
    woods = {variant.wood for variant in product.variants}
    row = t.Product(
        category_id=category_id,
        slug=fold(product.name).replace(" ", "-"),
        name=product.name,
        description=product.text,
        facts=product.facts,
        position=position,
        tax_kind=product.tax_kind,
        search_text=fold(" ".join([product.name, category, *sorted(woods), product.text])),
    )
    session.add(row)
    session.flush()
    session.add_all(_texts(product, row.id))
    return row.id


def _texts(product: shop.Product, page: int) -> list[t.ProductText]:
    name, text = words.GERMAN[product.key]
    found = [t.ProductText(product_id=page, language="de", name=name, description=text, facts=words.german_facts(product.facts))]
    if product.key in words.FRENCH:
        name, text = words.FRENCH[product.key]
        found.append(t.ProductText(product_id=page, language="fr", name=name, description=text))
    return found


def _write_variant(
    session: Session, product: shop.Product, variant: shop.Variant, page: int, place: int, ids: dict[str, int]
) -> int:
    sku = product.sku(variant)
    item = session.get_one(t.Item, ids[sku]) if sku in ids else t.Item(sku=sku, source=_source(product))
    item.name = ", ".join([product.name, *(option.lower() for option in product.options(variant).values())])
    item.product_id, item.position = page, place
    item.sell_from, item.on_sale = product.sell_from, True
    item.options = product.options(variant)
    item.price_minor, item.currency = variant.price * 100, "EUR"
    item.bin = f"{'ABCDEFG'[[slug for slug, _ in shop.CATEGORIES].index(product.category)]}-{page:02}-{place + 1}"
    session.add(item)
    session.flush()
    ids[sku] = item.id
    session.add_all(t.PriceTier(item_id=item.id, from_quantity=n, price_minor=each * 100) for n, each in product.tiers.items())
    return item.id


def _source(product: shop.Product) -> str:
    return "kit" if product.contents else "make" if product.made else "buy"


def _write_picture(
    session: Session, product: shop.Product, variant: shop.Variant, page: int, item_id: int, place: int, media: Path
) -> None:
    svg = draw(product.key, variant.wood, variant.size).encode()
    file = hashlib.sha256(svg).hexdigest()[:20] + ".svg"
    (media / file).write_bytes(svg)
    alt = ", ".join([product.name, *product.options(variant).values()])
    session.add(t.Picture(product_id=page, item_id=item_id, file=file, alt=alt, position=place))


def _write_sub_assemblies(session: Session, made: Mapping[str, Made], ids: dict[str, int]) -> None:
    rows = [t.Item(sku=one.sku, name=one.name, source="make", bin="W") for one in made.values() if one.sku not in ids]
    session.add_all(rows)
    session.flush()
    ids |= {row.sku: row.id for row in rows}


def _write_recipes(session: Session, made: Mapping[str, Made], ids: Ids) -> None:
    centres = {row.code: row.id for row in session.query(t.WorkCentre)}
    for one in made.values():
        session.add_all(
            t.BomLine(parent_id=ids[one.sku], component_id=ids[sku], quantity=quantity, position=i)
            for i, (sku, quantity) in enumerate(one.parts.items())
        )
        session.add_all(
            t.RoutingOperation(
                item_id=ids[one.sku],
                position=(i + 1) * 10,
                name=centre.title(),
                work_centre_id=centres[centre],
                setup_seconds=setup * 60,
                run_seconds=each * 60,
            )
            for i, (centre, setup, each) in enumerate(one.steps)
        )


def _write_sets(session: Session, ids: Ids) -> None:
    for product in PRODUCTS:
        session.add_all(
            t.BomLine(parent_id=ids[product.sku(product.variants[0])], component_id=ids[sku], quantity=quantity, position=i)
            for i, (sku, quantity) in enumerate(product.contents.items())
        )


def _write_suppliers(session: Session, ids: Ids, calendars: Ids) -> None:
    suppliers = {
        code: t.Supplier(code=code, name=name, email=email, calendar_id=calendars["suppliers"] if working_days else None)
        for code, name, email, working_days in recipes.SUPPLIERS
    }
    session.add_all(suppliers.values())
    session.flush()
    session.add_all(
        t.SupplierItem(
            supplier_id=suppliers[one.supplier].id,
            item_id=ids[one.sku],
            lead_days=one.lead_days,
            order_minimum=one.minimum * one.parts,
            order_multiple=one.multiple * one.parts,
            price_minor=one.price_cents,
        )
        for one in recipes.BOUGHT
    )
    packs = {one.sku: (one.minimum * one.parts, one.multiple * one.parts) for one in recipes.BOUGHT}
    session.add_all(
        t.SupplierItem(
            supplier_id=suppliers[supplier].id,
            item_id=ids[sku],
            priority=2,
            lead_days=days,
            order_minimum=packs[sku][0],
            order_multiple=packs[sku][1],
            price_minor=cents,
        )
        for sku, supplier, days, cents in recipes.SECOND_SUPPLIERS
    )


def _open_stock(session: Session, ids: Ids, warehouse_id: int, now: datetime) -> None:
    """Open the ledger: what lies there today, as the first movement of each item."""
    opening = {one.sku: one.stock * one.parts for one in recipes.BOUGHT}
    opening |= {product.sku(variant): variant.stock for product in PRODUCTS for variant in product.variants if product.made}
    session.flush()
    for sku, quantity in opening.items():
        if sku in LOTS:
            _open_lots(session, ids[sku], warehouse_id, LOTS[sku], now)
        elif quantity:
            ref = f"opening:{sku}"
            stock.move(session, ids[sku], warehouse_id, quantity, cause="opening", ref=ref, actor="opening", now=now)
        else:
            stock.ensure_row(session, ids[sku], warehouse_id, now=now)


def _open_lots(session: Session, item_id: int, warehouse_id: int, found: Lots, now: datetime) -> None:
    """Lay what expires onto the shelf, lot by lot."""
    days_left, of_each = found
    session.get_one(t.Item, item_id).days_left = days_left
    for number, days, quantity in of_each:
        lot = lots.get_lot(session, item_id, warehouse_id, number, now.date() + timedelta(days=days))
        ref = f"opening:{item_id}:{number}"
        stock.move(session, item_id, warehouse_id, quantity, cause="opening", ref=ref, actor="opening", lot_id=lot.id, now=now)


def _stock_the_north(session: Session, ids: Ids, now: datetime) -> None:
    """Lay finished goods into the second warehouse, so that the north is served from near by."""
    north = session.execute(sa.select(t.Warehouse.id).where(t.Warehouse.code == "north")).scalar_one()
    for sku, quantity in NORTH.items():
        stock.move(session, ids[sku], north, quantity, cause="opening", ref=f"opening-north:{sku}", actor="opening", now=now)
