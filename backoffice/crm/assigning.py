"""Who gets a new message: the first rule that fits and whose person is there. The choice itself is pure.

Rules of the same position share what fits them: of those whose person is there, the one with the least to do gets it. There
means: on the day that the office is open next, so what comes in on a Sunday does not wait for somebody whose leave begins on
Monday.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import wording
from backoffice.crm import answer_time
from backoffice.crm.models import AssignmentRule, Lead
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
    position: int = 0


def choose(rules: Iterable[Rule], asked: Asked, *, away: Set[int], load: Mapping[int, int] | None = None) -> int | None:
    """Return whose message it is: of the fitting rules whose owner is not away, one of the first position; None: nobody's.

    load: what each person has open. Of several at one position the least, then the first in the order given.
    """
    fitting = [rule for rule in rules if rule.owner_id not in away and fits(rule, asked)]
    if not fitting:
        return None
    first = min(rule.position for rule in fitting)
    return min((rule.owner_id for rule in fitting if rule.position == first), key=lambda one: (load or {}).get(one, 0))


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
    rules = [
        Rule(row.owner_id, row.kind, row.language, row.country, row.postcode_prefix, row.category_id, row.position)
        for row in rows
    ]
    away = find_away(session, working_day(session, now))
    load = load_of(session, {rule.owner_id for rule in rules}) if _shares(rules) else {}
    within = _categories_of(session, {one.sku for one in wanted if one.sku})

    def owner(one: Wanted) -> int | None:
        asked = Asked(one.kind, one.language, one.country or company.country, one.postcode, within.get(one.sku, frozenset()))
        chosen = choose(rules, asked, away=away, load=load)
        if chosen in load:
            load[chosen] += 1
        return chosen

    return [owner(one) for one in wanted]


def _shares(rules: Sequence[Rule]) -> bool:
    return len({rule.position for rule in rules}) < len(rules)


def load_of(session: Session, people: Set[int]) -> dict[int, int]:
    """Return person → how many enquiries are theirs and wait for them (new, being answered); of nobody else."""
    waiting = sa.select(Lead.owner_id, sa.func.count()).where(Lead.owner_id.in_(people), Lead.state.in_(("new", "working")))
    found = dict.fromkeys(people, 0)
    found.update({owner: number for owner, number in session.execute(waiting.group_by(Lead.owner_id)) if owner is not None})
    return found


def working_day(session: Session, now: datetime) -> date:
    """Return the day on which what comes in now is looked at: today while the office will be open, else the next open day."""
    today = wording.day_in(get_company(session).timezone, now)
    calendar = answer_time.find_calendar(session, now, now)
    opens = next(calendar.open_intervals(now, now + answer_time.LOOK_AHEAD), None) if calendar else None
    return wording.day_in(get_company(session).timezone, opens[0]) if opens else today


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
