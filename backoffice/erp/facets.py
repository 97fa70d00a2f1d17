"""What a list can be narrowed by: written from facts and options wherever products are written, counted where they are read.

A facet belongs to an item: "Wood: Oak" and "Length: 140 cm" together find the products of which one variant is both. Names
and values are the product's own words, so that an address means the same in every language.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t

LONGEST = 80  # letters of a name or value: a longer fact is a sentence, nothing to choose by
MOST_NAMES = 6
MOST_VALUES = 12
AT_ONCE = 500

Chosen = Mapping[str, Sequence[str]]
Pair = tuple[str, str]  # name, value


@dataclass(frozen=True, slots=True)
class Counted:
    """A value of a facet and how many listed products have it. product_id: one of them, for its words in other languages."""

    name: str
    value: str
    products: int
    product_id: int


def pairs_of(facts: Mapping[str, Any], options: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the facets of one item: its page's facts and its own options; what is no short pair of words is none.

    A colon divides name and value in an address, so a name with one is left out.
    """
    found = ((str(name).strip(), str(value).strip()) for one in (facts, options) for name, value in one.items())
    return {
        (name, value) for name, value in found if name and value and ":" not in name and max(len(name), len(value)) <= LONGEST
    }


def refresh(session: Session, product_ids: Iterable[int] | None = None) -> None:
    """Write the facets of these products anew, of all of them without ids; the caller's transaction."""
    session.flush()
    ids = sorted(set(product_ids)) if product_ids is not None else list(session.scalars(sa.select(t.Product.id)))
    for start in range(0, len(ids), AT_ONCE):
        _refresh(session, ids[start : start + AT_ONCE])


def _refresh(session: Session, ids: Sequence[int]) -> None:
    session.execute(sa.delete(t.ProductFacet).where(t.ProductFacet.product_id.in_(ids)))
    rows = session.execute(
        sa.select(t.Product.id, t.Product.facts, t.Item.id, t.Item.options)
        .join(t.Item, t.Item.product_id == t.Product.id)
        .where(t.Product.id.in_(ids))
        .order_by(t.Item.id)
    )
    found = [
        {"product_id": product_id, "item_id": item_id, "name": name, "value": value}
        for product_id, facts, item_id, options in rows
        for name, value in sorted(pairs_of(facts or {}, options or {}))
    ]
    if found:
        session.execute(sa.insert(t.ProductFacet), found)


def narrow(query: sa.Select[Any], chosen: Chosen) -> sa.Select[Any]:
    """Keep the items of a query that have one of the values of each chosen facet."""
    for name, values in chosen.items():
        having = sa.exists().where(
            t.ProductFacet.item_id == t.Item.id, t.ProductFacet.name == name, t.ProductFacet.value.in_(list(values))
        )
        query = query.where(having)
    return query


def count(session: Session, items: sa.Select[Any], chosen: Chosen, *, only: str | None = None) -> list[Counted]:
    """Count the products behind a query for items by facet. only: of this facet; else of all that are not chosen."""
    inside = narrow(items, {name: values for name, values in chosen.items() if name != only}).subquery()
    facet = t.ProductFacet
    query = sa.select(
        facet.name,
        facet.value,
        sa.func.count(sa.distinct(facet.product_id)),
        sa.func.min(facet.product_id),
    ).join(inside, inside.c.id == facet.item_id)
    query = query.where(facet.name == only) if only is not None else query.where(facet.name.not_in(list(chosen)))
    return [Counted(*row) for row in session.execute(query.group_by(facet.name, facet.value))]


def left_with_none(session: Session, counted: Iterable[Counted], chosen: Chosen) -> list[Counted]:
    """Return the chosen values that exist and that nothing is left of: shown all the same, or a form would forget them."""
    there = {(one.name, one.value) for one in counted}
    missing = [(name, value) for name, values in chosen.items() for value in values if (name, value) not in there]
    if not missing:
        return []
    facet = t.ProductFacet
    query = sa.select(facet.name, facet.value, sa.func.min(facet.product_id)).where(
        sa.or_(*(sa.and_(facet.name == name, facet.value == value) for name, value in missing))
    )
    return [Counted(name, value, 0, one) for name, value, one in session.execute(query.group_by(facet.name, facet.value))]


def choose(counted: Iterable[Counted], chosen: Chosen) -> dict[str, list[Counted]]:
    """Return the facets worth showing, the widest first: at least two values each, the commonest of them, in their order.

    What is chosen stays, or nobody could take it back.
    """
    by_name: dict[str, list[Counted]] = defaultdict(list)
    for one in counted:
        by_name[one.name].append(one)
    useful = [name for name, values in by_name.items() if len(values) > 1 or name in chosen]
    useful.sort(key=lambda name: (-sum(one.products for one in by_name[name]), name))
    shown = [name for name in useful if name in chosen or name in useful[:MOST_NAMES]]
    return {name: sorted(_commonest(by_name[name], chosen.get(name, ())), key=_order) for name in shown}


def _commonest(values: list[Counted], chosen: Sequence[str]) -> list[Counted]:
    values.sort(key=lambda one: (-one.products, _order(one)))
    return [one for place, one in enumerate(values) if place < MOST_VALUES or one.value in chosen]


def _order(one: Counted) -> tuple[Any, ...]:
    """Return what values are sorted by: 90 cm before 140 cm, words by their letters."""
    parts = re.split(r"(\d+(?:\.\d+)?)", one.value.casefold())
    return tuple((0, float(part), "") if place % 2 else (1, 0.0, part) for place, part in enumerate(parts) if part)


def words(
    session: Session, shown: Iterable[Counted], texts: Mapping[int, t.ProductText]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Return facet → its name and value in the language of `texts`, as far as the text of one of its products has them.

    A text tells the facts of its product in the same order; one with another number of them tells nothing.
    """
    told = {product_id: list(text.facts.items()) for product_id, text in texts.items() if text.facts}
    own = {
        product_id: [(str(name), str(value)) for name, value in facts.items()]
        for product_id, facts in session.execute(sa.select(t.Product.id, t.Product.facts).where(t.Product.id.in_(sorted(told))))
    }
    found: dict[Pair, Pair] = {}
    for one in shown:
        facts, said = own.get(one.product_id, []), told.get(one.product_id, [])
        if len(facts) == len(said) and (one.name, one.value) in facts:
            name, value = said[facts.index((one.name, one.value))]
            found[one.name, one.value] = str(name), str(value)
    return found
