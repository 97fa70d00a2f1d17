"""Price lists: prices of their own for some, per item and from so many pieces, or a percentage off everybody's price.

A list never makes anything dearer: where everybody pays less, so does whoever has a list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import models as t
from backoffice.erp import plan, pricing
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput, NotFound, Refused

LONGEST_NAME = 100
MOST_PRICES = 20_000
Tier = tuple[int, int]  # from so many pieces, price of each


@dataclass(frozen=True, slots=True)
class Prices:
    """What a list says of some items. tiers: item → (from so many pieces, price of each), the fewest pieces first."""

    currency: str
    percent_off: int
    tiers: Mapping[int, Sequence[Tier]] = field(default_factory=dict)


def agreed_minor(plain_minor: int, quantity: int, tiers: Sequence[Tier], percent_off: int) -> int:
    """Return what a piece costs by a list: the price it names for so many, else so much percent less; never more. Pure."""
    named = next((price for least, price in reversed(tiers) if quantity >= least), None)
    return min(plain_minor, pricing.less(plain_minor, percent_off) if named is None else named)


def find(session: Session, price_list_id: int, item_ids: Sequence[int]) -> Prices:
    """Return what a list says of items. Raises NotFound(unknown_record)."""
    row = get(session, price_list_id)
    named = (
        sa.select(t.ListPrice.item_id, t.ListPrice.from_quantity, t.ListPrice.price_minor)
        .where(t.ListPrice.price_list_id == price_list_id, t.ListPrice.item_id.in_(item_ids))
        .order_by(t.ListPrice.item_id, t.ListPrice.from_quantity)
    )
    tiers: dict[int, list[Tier]] = {}
    for item_id, least, price in session.execute(named):
        tiers.setdefault(item_id, []).append((least, price))
    return Prices(row.currency, row.percent_off, tiers)


def unit_minor(session: Session, item: t.Item, quantity: int, price_list_id: int | None) -> int:
    """Return what a piece costs of somebody who takes so many, by their list if they have one in the item's currency."""
    plain = pricing.unit_minor(session, item, quantity)
    if price_list_id is None:
        return plain
    prices = find(session, price_list_id, [item.id])
    if prices.currency != item.currency:
        return plain
    return agreed_minor(plain, quantity, prices.tiers.get(item.id, ()), prices.percent_off)


def tiers_of(session: Session, item: t.Item, prices: Prices) -> tuple[int, Sequence[Tier]]:
    """Return what one piece of an item costs by a list, and from how many pieces on each costs less."""
    own = prices.tiers.get(item.id, ()) if prices.currency == item.currency else ()
    percent = prices.percent_off if prices.currency == item.currency else 0
    steps = sorted({1, *(least for least, _ in own), *(least for least, _ in pricing.tiers_of(session, item.id))})
    found = [(least, agreed_minor(pricing.unit_minor(session, item, least), least, own, percent)) for least in steps]
    first, falling = found[0][1], list[Tier]()
    for least, price in found[1:]:
        if price < (falling[-1][1] if falling else first):
            falling.append((least, price))
    return first, falling


def get(session: Session, price_list_id: int) -> t.PriceList:
    """Return a list. Raises NotFound(unknown_record)."""
    row = session.get(t.PriceList, price_list_id)
    if row is None:
        raise NotFound("unknown_record")
    return row


def every(session: Session) -> Sequence[t.PriceList]:
    """Return all lists, by name."""
    return session.scalars(sa.select(t.PriceList).order_by(t.PriceList.name)).all()


def prices_of(session: Session, price_list_id: int) -> Sequence[sa.Row[str, str, int, int]]:
    """Return (SKU, name, from so many pieces, price of each) of a list, by SKU."""
    named = sa.select(t.Item.sku, t.Item.name, t.ListPrice.from_quantity, t.ListPrice.price_minor)
    of = named.join(t.Item, t.Item.id == t.ListPrice.item_id).where(t.ListPrice.price_list_id == price_list_id)
    return session.execute(of.order_by(t.Item.sku, t.ListPrice.from_quantity)).all()


def make(session: Session, name: str, *, percent_off: int, by: str, role: str = "", now: datetime) -> t.PriceList:
    """Make a list in the company's currency. Raises BadInput(invalid_form, name | percent_off), Refused(name_taken)."""
    row = t.PriceList(name=_name(name, percent_off), currency=get_company(session).currency, percent_off=percent_off, version=1)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        raise Refused("name_taken") from None
    details = {"name": row.name, "percent_off": percent_off}
    audit.record(session, "price_list.make", f"price_list:{row.id}", actor=by, role=role, details=details, now=now)
    return row


def change(
    session: Session,
    price_list_id: int,
    *,
    name: str,
    percent_off: int,
    prices: Mapping[tuple[str, int], int],
    version: int,
    by: str,
    role: str = "",
    now: datetime,
) -> None:
    """Say anew what a list is called and what it says. prices: (SKU, from so many pieces) → price of each.

    Raises NotFound(unknown_record), Refused(stale | name_taken), BadInput(invalid_form, name | percent_off | prices →
    unknown_product | bad_tiers).
    """
    name = _name(name, percent_off)
    row = session.get(t.PriceList, price_list_id, populate_existing=True, with_for_update=True)
    if row is None:
        raise NotFound("unknown_record")
    if row.version != version:
        raise Refused("stale")
    ids = _items(session, prices)
    before = _noted(row, {(sku, least): price for sku, _, least, price in prices_of(session, price_list_id)})
    row.name, row.percent_off, row.version = name, percent_off, version + 1
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise Refused("name_taken") from None
    session.execute(sa.delete(t.ListPrice).where(t.ListPrice.price_list_id == price_list_id))
    session.add_all(
        t.ListPrice(price_list_id=price_list_id, item_id=ids[sku], from_quantity=least, price_minor=price)
        for (sku, least), price in sorted(prices.items())
    )
    session.flush()
    plan.bump(session, master=True)
    details = {"before": before, "after": _noted(row, prices)}
    audit.record(session, "price_list.change", f"price_list:{row.id}", actor=by, role=role, details=details, now=now)


def _items(session: Session, prices: Mapping[tuple[str, int], int]) -> dict[str, int]:
    skus = sorted({sku for sku, _ in prices})
    if len(prices) > MOST_PRICES or any(least < 1 or price < 0 for (_, least), price in prices.items()):
        raise BadInput("invalid_form", {"prices": "bad_tiers"})
    found = sa.select(t.Item.sku, t.Item.id).where(t.Item.sku.in_(skus))
    ids = {row.sku: row.id for row in session.execute(found)}
    if missing := [sku for sku in skus if sku not in ids]:
        raise BadInput("invalid_form", {"prices": "unknown_product"}, sku=missing[0])
    return ids


def _name(typed: str, percent_off: int) -> str:
    name, wrong = " ".join(typed.split()), {}
    if not name or len(name) > LONGEST_NAME:
        wrong["name"] = "too_long" if name else "missing"
    if not 0 <= percent_off <= 100:
        wrong["percent_off"] = "out_of_range"
    if wrong:
        raise BadInput("invalid_form", wrong)
    return name


def _noted(row: t.PriceList, prices: Mapping[tuple[str, int], int]) -> dict[str, Any]:
    said = {f"{sku} × {least}": price for (sku, least), price in sorted(prices.items())[:100]}
    return {"name": row.name, "percent_off": row.percent_off, "prices": said, "of": len(prices)}
