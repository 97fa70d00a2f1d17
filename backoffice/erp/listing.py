"""Lists of what may be promised: narrowed by words, category, facets and price, in an order, part by part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import facets
from backoffice.erp import models as t
from backoffice.erp.search import fold
from backoffice.planning.shipping import Window
from backoffice.public.catalogue import Wish
from backoffice.public.partners import Place

PAGE = 24
DayOf = Callable[[datetime, int | None], date | None]  # ready at, warehouse → the day it arrives


@dataclass(frozen=True, slots=True)
class Where:
    """Where in the catalogue a list looks: categories (None: all of them), and words that all stand in a product's text.

    in_time: warehouse → the windows in which goods must become ready to arrive by the day that is wished for; None: any day.
    """

    categories: Sequence[int] | None = None
    query: str | None = None
    in_time: Mapping[int | None, Sequence[Window]] | None = None

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return it as conditions for products."""
        found: list[sa.ColumnElement[bool]] = []
        if self.categories is not None:
            found.append(t.Product.category_id.in_(self.categories))
        return found + [t.Product.search_text.contains(word, autoescape=True) for word in fold(self.query or "").split()]


def _listed(where: Where) -> sa.Select[Any]:
    """Return the query for items, with their products, of which something may be promised."""
    columns: list[Any] = [t.Item.id, t.Item.product_id]
    query = (
        sa.select(*columns)
        .join(t.Offer, t.Offer.item_id == t.Item.id)
        .where(t.Offer.listed, t.Item.on_sale, t.Item.product_id.is_not(None))
    )
    if where.conditions:
        query = query.join(t.Product, t.Product.id == t.Item.product_id).where(*where.conditions)
    return query if where.in_time is None else query.where(_is_in_time(where.in_time))


def _is_in_time(windows: Mapping[int | None, Sequence[Window]]) -> sa.ColumnElement[bool]:
    """Return the condition for offers whose goods become ready in a window of their warehouse."""
    found: list[sa.ColumnElement[bool]] = [sa.false()]
    for warehouse_id, inside in windows.items():
        for since, until in inside:
            found.append(sa.and_(t.Offer.warehouse_id.is_not_distinct_from(warehouse_id), t.Offer.ready_at < until))
            if since is not None:
                found[-1] = sa.and_(found[-1], t.Offer.ready_at >= since)
    return sa.or_(*found)


def ready(session: Session, where: Where, wish: Wish) -> Sequence[tuple[datetime, int | None]]:
    """Return when and in which warehouse things that meet a wish become ready, whatever day is wished for, each once."""
    inside = items(replace(where, in_time=None), wish)
    rows = inside.with_only_columns(t.Offer.ready_at, t.Offer.warehouse_id).where(t.Offer.ready_at.is_not(None)).distinct()
    return [(ready_at, warehouse_id) for ready_at, warehouse_id in session.execute(rows) if ready_at is not None]


def _priced(query: sa.Select[Any], wish: Wish) -> sa.Select[Any]:
    if wish.price_from is not None:
        query = query.where(t.Item.currency == wish.price_from.currency, t.Item.price_minor >= wish.price_from.amount_minor)
    if wish.price_to is not None:
        query = query.where(t.Item.currency == wish.price_to.currency, t.Item.price_minor <= wish.price_to.amount_minor)
    return query


def items(where: Where, wish: Wish) -> sa.Select[Any]:
    """Return the query for the items (id, product_id) that meet all of a wish."""
    return facets.narrow(_priced(_listed(where), wish), wish.facets)


def count(session: Session, where: Where, wish: Wish) -> int:
    """Return how many products meet a wish."""
    inside = items(where, wish).with_only_columns(sa.func.count(sa.distinct(t.Item.product_id)))
    return session.scalar(inside) or 0


def prices(session: Session, where: Where, wish: Wish, currency: str) -> tuple[int, int] | None:
    """Return the lowest and the highest price in a currency of what meets a wish, were no price wished for."""
    query = facets.narrow(_listed(where).where(t.Item.currency == currency), wish.facets)
    row = session.execute(query.with_only_columns(sa.func.min(t.Item.price_minor), sa.func.max(t.Item.price_minor))).one()
    return None if row[0] is None else (row[0], row[1])


def facets_of(session: Session, where: Where, wish: Wish) -> dict[str, list[facets.Counted]]:
    """Return what a list can be narrowed by, each value with the products left under everything else that is wished for."""
    inside = _priced(_listed(where), wish)
    counted = facets.count(session, inside, wish.facets)
    for name in wish.facets:
        counted += facets.count(session, inside, wish.facets, only=name)
    counted += facets.left_with_none(session, counted, wish.facets)
    return facets.choose(counted, wish.facets)


def page(
    session: Session, where: Where, wish: Wish, number: int, *, language: str, now: datetime, day_of: DayOf
) -> list[t.Product]:
    """Return the products of one page (from 1) in the order of a wish; equal ones as the shop has them."""
    start = (number - 1) * PAGE
    if wish.sort == "earliest":
        return _in_order(session, _by_day(session, where, wish, now, day_of)[start : start + PAGE])
    query = _ordered(where, wish, language).order_by(t.Product.position, t.Product.name, t.Product.id)
    return list(session.scalars(query.limit(PAGE).offset(start)))


def _ordered(where: Where, wish: Wish, language: str) -> sa.Select[t.Product]:
    if wish.sort in {"cheapest", "dearest"}:
        costs = _costs(where, wish)
        query = sa.select(t.Product).join(costs, costs.c.product_id == t.Product.id)
        return query.order_by(costs.c.price if wish.sort == "cheapest" else costs.c.price.desc())
    query = _meeting(where, wish)
    if wish.sort == "name":
        return query.order_by(sa.func.lower(sa.func.coalesce(_name_in(language), t.Product.name)), t.Product.id)
    return query.order_by(t.Product.id.desc()) if wish.sort == "newest" else query


def _meeting(where: Where, wish: Wish) -> sa.Select[t.Product]:
    """Return the query for products of which an item meets a wish."""
    inside = items(Where(in_time=where.in_time), wish).with_only_columns(t.Item.product_id)
    return sa.select(t.Product).where(t.Product.id.in_(inside), *where.conditions)


def _costs(where: Where, wish: Wish) -> sa.Subquery:
    """Return what each product that meets a wish costs: its dearest item in an order from the dearest on, else its cheapest."""
    price = (sa.func.max if wish.sort == "dearest" else sa.func.min)(t.Item.price_minor).label("price")
    return items(where, wish).with_only_columns(t.Item.product_id, price).group_by(t.Item.product_id).subquery()


def _name_in(language: str) -> sa.ScalarSelect[str | None]:
    """Return a product's name in a language, the nearest text that has one."""
    text = t.ProductText
    return (
        sa.select(text.name)
        .where(
            text.product_id == t.Product.id,
            text.language.in_([language, language.partition("-")[0]]),
            text.name.is_not(None),
        )
        .order_by(sa.func.length(text.language).desc())
        .limit(1)
        .correlate(t.Product)
        .scalar_subquery()
    )


def _by_day(session: Session, where: Where, wish: Wish, now: datetime, day_of: DayOf) -> list[int]:
    """Return the ids of all that meets a wish by the day that its card will name: days need the calendars, not SQL."""
    columns: list[Any] = [t.Item.product_id, t.Offer.ready_at, t.Offer.warehouse_id, t.Item.price_minor, t.Item.position]
    rows = session.execute(items(where, wish).with_only_columns(*columns).where(t.Offer.ready_at.is_not(None)))
    first: dict[int, tuple[datetime, int, int, int | None]] = {}
    for product_id, ready_at, warehouse_id, price, position in rows:
        mine = (max(ready_at, now), price, position, warehouse_id)
        if product_id not in first or mine[:3] < first[product_id][:3]:
            first[product_id] = mine
    days = {product_id: day_of(mine[0], mine[3]) or date.max for product_id, mine in first.items()}
    places = _places(session, where)
    return sorted(days, key=lambda one: (days[one], places[one]))


def _places(session: Session, where: Where) -> Mapping[int, int]:
    order = sa.select(t.Product.id).where(*where.conditions).order_by(t.Product.position, t.Product.name, t.Product.id)
    return {product_id: place for place, product_id in enumerate(session.scalars(order))}


def _in_order(session: Session, ids: Sequence[int]) -> list[t.Product]:
    rows = {row.id: row for row in session.scalars(sa.select(t.Product).where(t.Product.id.in_(ids)))}
    return [rows[one] for one in ids if one in rows]


def after(session: Session, key: Place | None, *, limit: int, where: Where, wish: Wish) -> tuple[list[t.Product], Place | None]:
    """Return up to `limit` products behind `key`, and the key of the next part; None: there is no more.

    By id, or by price and id: the order is total and a row's place in it is in its key, so nothing that comes or goes
    shifts what follows.
    """
    down = wish.sort in {"dearest", "newest"}
    by_price = wish.sort in {"cheapest", "dearest"}
    costs = _costs(where, wish) if by_price else None
    query: sa.Select[Any] = _meeting(where, wish).add_columns(sa.literal(0))
    order: list[Any] = [t.Product.id]
    if costs is not None:
        query = sa.select(t.Product, costs.c.price).join(costs, costs.c.product_id == t.Product.id)
        order = [costs.c.price, t.Product.id]
    if key is not None:
        place = [key.price or 0, key.row_id] if by_price else [key.row_id]
        mine, given = sa.tuple_(*order), sa.tuple_(*place)
        query = query.where(mine < given if down else mine > given)
    found = session.execute(query.order_by(*(one.desc() if down else one for one in order)).limit(limit + 1)).all()
    shown = found[:limit]
    return [row[0] for row in shown], Place(shown[-1][0].id, shown[-1][1] if by_price else None) if len(found) > limit else None


def matching(session: Session, product_ids: Sequence[int], where: Where, wish: Wish) -> set[int]:
    """Return the ids of the items of these products, which a list has found, that meet a wish."""
    return set(session.scalars(items(Where(in_time=where.in_time), wish).where(t.Item.product_id.in_(product_ids))))


def shown(
    offers: Sequence[tuple[t.Item, t.Offer | None]], now: datetime, *, sort: str = "shop", only: set[int] | None = None
) -> tuple[t.Item, t.Offer] | None:
    """Return the item that stands for its page: the one had first, then the cheapest; in an order by price, that end of it.

    only: ids of items that meet a wish; None: any that may be promised will do.
    """
    listed = [
        (item, offer)
        for item, offer in offers
        if offer is not None and offer.listed and offer.ready_at is not None and (only is None or item.id in only)
    ]

    def place(pair: tuple[t.Item, t.Offer]) -> tuple[Any, ...]:
        item, offer = pair
        first = (max(offer.ready_at or now, now), item.price_minor, item.position)
        by_price = {"cheapest": item.price_minor, "dearest": -item.price_minor}.get(sort, 0)
        return by_price, *first

    return min(listed, key=place, default=None)
