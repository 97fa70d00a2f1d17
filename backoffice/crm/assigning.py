"""Who gets a new message: the first rule that fits and whose person is there. The choice itself is pure."""

from __future__ import annotations

from collections.abc import Iterable, Set
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


def find_owner(session: Session, *, kind: str, language: str, country: str, postcode: str, sku: str, now: datetime) -> int | None:
    """Return who gets a message that comes in now; None: whoever takes it. country: empty is the company's own."""
    rows = session.scalars(_RULES).all()
    if not rows:
        return None
    company = get_company(session)
    asked = Asked(kind, language, country or company.country, postcode, _categories_of(session, sku))
    rules = [Rule(row.owner_id, row.kind, row.language, row.country, row.postcode_prefix, row.category_id) for row in rows]
    return choose(rules, asked, away=find_away(session, wording.day_in(company.timezone, now)))


def find_away(session: Session, on: date) -> frozenset[int]:
    """Return everybody who takes no messages on a day: away, no longer with us, or not of sales."""
    absent = sa.select(StaffAbsence.staff_id).where(StaffAbsence.starts_on <= on, StaffAbsence.ends_on >= on)
    gone = sa.select(Staff.id).where(sa.or_(sa.not_(Staff.active), Staff.role.not_in(SELLERS), Staff.id.in_(absent)))
    return frozenset(session.scalars(gone))


def _categories_of(session: Session, sku: str) -> frozenset[int]:
    if not sku:
        return frozenset()
    rows = session.execute(sa.select(Category.id, Category.parent_id))
    above: dict[int, int | None] = {row.id: row.parent_id for row in rows}
    here = session.scalar(sa.select(Product.category_id).join(Item, Item.product_id == Product.id).where(Item.sku == sku))
    found: set[int] = set()
    while here is not None and here not in found:
        found.add(here)
        here = above.get(here)
    return frozenset(found)


def _plain(postcode: str) -> str:
    return "".join(postcode.split()).upper()
