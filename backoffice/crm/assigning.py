"""Who gets a new message: the first rule that fits and whose person is there. The choice itself is pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import wording
from backoffice.crm.models import AssignmentRule
from backoffice.erp.company import get_company
from backoffice.erp.models import Category, Item, Product, Staff, StaffAbsence

SELLERS = ("sales", "admin")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a rule looks at. categories: those of the product asked for, and every one above them."""

    kind: str
    language: str = ""
    country: str = ""
    postcode: str = ""
    categories: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; an empty condition fits everything."""

    owner_id: int
    kind: str = ""
    language: str = ""
    country: str = ""
    postcode_prefix: str = ""
    category_id: int | None = None


def choose(rules: Iterable[Rule], asked: Asked, *, away: Set[int]) -> int | None:
    """Return whose message it is: of the first fitting rule, in the order given, whose owner is not away; None: nobody's."""
    return next((rule.owner_id for rule in rules if rule.owner_id not in away and fits(rule, asked)), None)


def fits(rule: Rule, asked: Asked) -> bool:
    """Tell whether every condition of a rule holds. A language covers its regions: "de" fits de-AT."""
    spoken, wanted = asked.language.lower().replace("_", "-"), rule.language.lower()
    return (
        rule.kind in ("", asked.kind)
        and (not wanted or spoken == wanted or spoken.startswith(f"{wanted}-"))
        and rule.country.upper() in ("", asked.country.upper())
        and _plain(asked.postcode).startswith(_plain(rule.postcode_prefix))
        and (rule.category_id is None or rule.category_id in asked.categories)
    )


_RULES = sa.select(AssignmentRule).where(AssignmentRule.active).order_by(AssignmentRule.position, AssignmentRule.id)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message that somebody is to answer. country: empty is the company's own."""

    kind: str
    language: str
    country: str
    postcode: str
    sku: str


def find_owner(session: Session, *, kind: str, language: str, country: str, postcode: str, sku: str, now: datetime) -> int | None:
    """Return who gets a message that comes in now; None: whoever takes it. country: empty is the company's own."""
    return find_owners(session, [Wanted(kind, language, country, postcode, sku)], now=now)[0]


def find_owners(session: Session, wanted: Sequence[Wanted], *, now: datetime) -> list[int | None]:
    """Return who gets each of these messages, as `find_owner` does."""
    rows = session.scalars(_RULES).all()
    if not rows:
        return [None] * len(wanted)
    company = get_company(session)
    rules = [Rule(row.owner_id, row.kind, row.language, row.country, row.postcode_prefix, row.category_id) for row in rows]
    away = find_away(session, wording.day_in(company.timezone, now))
    within = _categories_of(session, {one.sku for one in wanted if one.sku})

    def owner(one: Wanted) -> int | None:
        asked = Asked(one.kind, one.language, one.country or company.country, one.postcode, within.get(one.sku, frozenset()))
        return choose(rules, asked, away=away)

    return [owner(one) for one in wanted]


def find_away(session: Session, on: date) -> frozenset[int]:
    """Return everybody who takes no messages on a day: away, no longer with us, or not of sales."""
    absent = sa.select(StaffAbsence.staff_id).where(StaffAbsence.starts_on <= on, StaffAbsence.ends_on >= on)
    gone = sa.select(Staff.id).where(sa.or_(sa.not_(Staff.active), Staff.role.not_in(SELLERS), Staff.id.in_(absent)))
    return frozenset(session.scalars(gone))


def _categories_of(session: Session, skus: Set[str]) -> dict[str, frozenset[int]]:
    """Return SKU → the categories of its product and every one above them."""
    if not skus:
        return {}
    rows = session.execute(sa.select(Category.id, Category.parent_id))
    above: dict[int, int | None] = {row.id: row.parent_id for row in rows}
    own = sa.select(Item.sku, Product.category_id).join(Product, Item.product_id == Product.id).where(Item.sku.in_(sorted(skus)))
    return {sku: _upwards(above, category_id) for sku, category_id in session.execute(own)}


def _upwards(above: Mapping[int, int | None], here: int | None) -> frozenset[int]:
    found: set[int] = set()
    while here is not None and here not in found:
        found.add(here)
        here = above.get(here)
    return frozenset(found)


def _plain(postcode: str) -> str:
    return "".join(postcode.split()).upper()
