"""Who gets a new message: the first rule that fits, and whose person is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.crm.assigning import Asked, Rule, choose, fits
from backoffice.crm.models import AssignmentRule, Lead
from backoffice.db import Database
from backoffice.erp.models import Category, Item, Product, Staff, StaffAbsence
from tests.integration.leads.conftest import Person

BEA, CARL, DORA = 1, 2, 3
ASKED = Asked("question", "de-AT", "AT", "1010", frozenset({7, 3}))


@pytest.mark.parametrize(
    ("rule", "right"),
    [
        (Rule(BEA), True),
        (Rule(BEA, kind="question"), True),
        (Rule(BEA, kind="contact"), False),
        (Rule(BEA, language="de"), True),
        (Rule(BEA, language="de-at"), True),
        (Rule(BEA, language="de-DE"), False),
        (Rule(BEA, language="d"), False),
        (Rule(BEA, country="AT"), True),
        (Rule(BEA, country="DE"), False),
        (Rule(BEA, postcode_prefix="10"), True),
        (Rule(BEA, postcode_prefix="1 01"), True),
        (Rule(BEA, postcode_prefix="20"), False),
        (Rule(BEA, category_id=7), True),
        (Rule(BEA, category_id=3), True),
        (Rule(BEA, category_id=4), False),
        (Rule(BEA, kind="question", language="de", country="AT", postcode_prefix="1", category_id=3), True),
        (Rule(BEA, kind="question", language="de", country="AT", postcode_prefix="2", category_id=3), False),
    ],
)
def test_every_condition_counts(rule: Rule, right: bool) -> None:
    assert fits(rule, ASKED) is right


@pytest.mark.parametrize(
    ("rules", "away", "owner"),
    [
        ([], set(), None),
        ([Rule(BEA), Rule(CARL)], set(), BEA),
        ([Rule(BEA, kind="contact"), Rule(CARL)], set(), CARL),
        ([Rule(BEA), Rule(CARL)], {BEA}, CARL),
        ([Rule(BEA), Rule(BEA, language="de"), Rule(DORA)], {BEA}, DORA),
        ([Rule(BEA), Rule(CARL)], {BEA, CARL}, None),
        ([Rule(BEA, kind="contact")], set(), None),
    ],
)
def test_the_first_that_fits_and_is_there(rules: list[Rule], away: set[int], owner: int | None) -> None:
    assert choose(rules, ASKED, away=away) == owner


def add(shop: Database, *rows: Any) -> None:
    shop.run(lambda session: session.add_all(rows))


def test_a_message_has_its_owner_at_once_and_waits_for_them_to_take_it(
    shop: Database, submit: Callable[..., Lead], bea: Person, carl: Person
) -> None:
    add(shop, AssignmentRule(position=2, owner_id=bea.id), AssignmentRule(position=1, owner_id=carl.id, kind="contact"))
    add(shop, AssignmentRule(position=0, owner_id=carl.id, active=False))
    question, contact = submit(), submit(kind="contact", key="k2")
    assert (question.owner_id, question.state) == (bea.id, "new")
    assert (contact.owner_id, contact.state) == (carl.id, "new")


@pytest.mark.parametrize(
    ("from_on", "to_on", "away"),
    [
        (date(2026, 11, 24), date(2026, 11, 24), True),  # today alone
        (date(2026, 11, 20), date(2026, 11, 24), True),  # the last day counts
        (date(2026, 11, 24), date(2026, 12, 1), True),  # so does the first
        (date(2026, 11, 20), date(2026, 11, 23), False),
        (date(2026, 11, 25), date(2026, 12, 1), False),
    ],
)
def test_who_is_away_today_gets_nothing(
    shop: Database, submit: Callable[..., Lead], bea: Person, carl: Person, from_on: date, to_on: date, away: bool
) -> None:
    add(shop, AssignmentRule(position=1, owner_id=bea.id), AssignmentRule(position=2, owner_id=carl.id))
    add(shop, StaffAbsence(staff_id=bea.id, starts_on=from_on, ends_on=to_on))
    assert submit().owner_id == (carl.id if away else bea.id)


@pytest.mark.parametrize("gone", [{"active": False}, {"role": "warehouse"}])
def test_who_left_sales_gets_nothing(
    shop: Database, submit: Callable[..., Lead], bea: Person, gone: dict[str, Any], now: datetime
) -> None:
    add(shop, AssignmentRule(position=1, owner_id=bea.id))
    shop.run(lambda session: session.execute(sa.update(Staff).where(Staff.id == bea.id).values(**gone)))
    assert submit().owner_id is None


def test_a_category_covers_what_is_below_it(shop: Database, submit: Callable[..., Lead], bea: Person, now: datetime) -> None:
    def nest(session: Any) -> int:
        above = Category(slug="above", name="Above", position=9)
        session.add(above)
        session.flush()
        of_stool = sa.select(Product.category_id).join(Item, Item.product_id == Product.id).where(Item.sku == "STOOL")
        session.execute(sa.update(Category).where(Category.id == session.scalar(of_stool)).values(parent_id=above.id))
        return int(above.id)

    above = shop.run(nest)
    add(shop, AssignmentRule(position=1, owner_id=bea.id, category_id=above))
    assert submit().owner_id == bea.id
    assert submit(key="k2", sku="").owner_id is None
    assert submit(key="k3", sku="NO-SUCH").owner_id is None


def test_a_rule_for_a_country_fits_our_own_where_none_is_named(
    shop: Database, submit: Callable[..., Lead], bea: Person, carl: Person
) -> None:
    add(shop, AssignmentRule(position=1, owner_id=bea.id, country="DE"), AssignmentRule(position=2, owner_id=carl.id))
    assert submit().owner_id == bea.id
    assert submit(key="k2", email="other@example.test", country="pl").owner_id == carl.id
