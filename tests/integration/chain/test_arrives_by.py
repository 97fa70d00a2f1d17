"""A list narrowed to what arrives by a day: on the projection, equal to the days that its cards name, at every minute.

Tuesday 24 November, 09:00. To Berlin: stool Wed 25, table Wed 25 (made by 11:20), vase Thu 26 (from Munich), lamp Mon 30.
"""

from __future__ import annotations

from datetime import date, datetime

import pytest
import sqlalchemy as sa

from backoffice.erp import listing, offers, plan
from backoffice.erp import models as t
from backoffice.local.catalogue import Way
from backoffice.public.catalogue import Listing, Wish
from tests import statements
from tests.company import at
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_two_warehouses import munich  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("munich")


def ask(workshop: Workshop, by: date | None, *, now: datetime | None = None, page: int = 1, **more: str | None) -> Listing:
    where: dict[str, str | None] = {"category": "furniture", "query": None, "postcode": None} | more
    when = now or workshop.now
    return workshop.shop.catalogue.list_products(**where, page=page, language="en", now=when, wish=Wish(arrives_by=by))


def slugs(found: Listing) -> list[str]:
    return [card.slug for card in found.cards]


@pytest.mark.parametrize(
    ("day", "postcode", "expected"),
    [
        (24, "10115", []),
        (25, "10115", ["stool", "table"]),
        (26, "10115", ["stool", "vase", "table"]),
        (29, "10115", ["stool", "vase", "table"]),
        (30, "10115", ["stool", "vase", "lamp", "table"]),
        (25, "80331", ["vase"]),  # from Munich in a day; what is offered from Berlin needs two
        (26, "80331", ["stool", "vase", "table"]),
    ],
)
def test_by_hand(workshop: Workshop, day: int, postcode: str, expected: list[str]) -> None:
    found = ask(workshop, date(2026, 11, day), postcode=postcode)
    assert (slugs(found), found.total) == (expected, len(expected))
    assert all(card.promise.deliver_on <= date(2026, 11, day) for card in found.cards)
    priced = (
        [min(c.price.amount_minor for c in found.cards), max(c.price.amount_minor for c in found.cards)] if expected else None
    )
    assert (found.prices and [one.amount_minor for one in found.prices]) == priced


def test_the_cut_off_passes_and_the_list_with_it(workshop: Workshop) -> None:
    assert slugs(ask(workshop, date(2026, 11, 25), now=at(24, 13, 59))) == ["stool"]
    late = ask(workshop, date(2026, 11, 25), now=at(24, 14))
    assert (slugs(late), late.total, late.earliest_on) == ([], 0, date(2026, 11, 26))


def test_nothing_by_then_names_the_earliest_day(workshop: Workshop) -> None:
    assert ask(workshop, date(2026, 11, 24)).earliest_on == date(2026, 11, 25)
    assert slugs(ask(workshop, date(2026, 11, 25), category=None)) == ["stool", "table"]  # of all there is, without words
    assert ask(workshop, date(2026, 11, 24), query="lamp").earliest_on == date(2026, 11, 30)
    assert ask(workshop, date(2026, 11, 25)).earliest_on is None  # there is something
    assert ask(workshop, date(2026, 11, 24), query="nothing of that").earliest_on is None


def test_it_is_what_the_cards_say_at_every_hour_in_every_place(workshop: Workshop) -> None:
    for hour in range(0, 24 * 8, 5):
        now = at(24 + hour // 24, hour % 24) if 24 + hour // 24 <= 30 else at(hour // 24 - 6, hour % 24, month=12)
        for postcode in ("10115", "80331"):
            whole = ask(workshop, None, now=now, postcode=postcode)
            for ahead in (0, 1, 3, 6):
                by = date.fromordinal(now.date().toordinal() + ahead)
                expected = [card.slug for card in whole.cards if card.promise.deliver_on <= by]
                assert slugs(ask(workshop, by, now=now, postcode=postcode)) == expected, (now, postcode, by)


def test_the_plan_moves_and_the_list_with_it(workshop: Workshop) -> None:
    by = date(2026, 11, 30)
    assert "lamp" in slugs(ask(workshop, by))

    def come_later(session: sa.orm.Session) -> None:
        line = session.scalars(sa.select(t.PurchaseOrderLine)).one()
        line.due_at = at(30, 8)
        plan.bump(session)
        offers.touch(session, [line.item_id], now=workshop.now)

    workshop.db.run(come_later)
    assert "lamp" not in slugs(ask(workshop, by))
    assert "lamp" in slugs(ask(workshop, date(2026, 12, 1)))


def test_pages_and_parts_hold_only_what_is_in_time(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    by = date(2026, 11, 26)
    first, second = ask(workshop, by), ask(workshop, by, page=2)
    assert (slugs(first), slugs(second), first.pages, second.total) == (["stool", "vase"], ["table"], 2, 3)
    whole, after = [], None
    while True:
        part = workshop.services.partners.feed.products(
            after=after, limit=1, category=None, query=None, language="en", postcode=None, now=workshop.now,
            wish=Wish(arrives_by=by),
        )  # fmt: skip
        whole += [card.slug for card in part.rows]
        after = part.next_after
        if after is None:
            break
    assert sorted(whole) == ["stool", "table", "vase"]


def test_a_day_costs_no_more_statements_than_another_wish(workshop: Workshop) -> None:
    ask(workshop, None)  # what is kept is read
    price = Wish(price_from=workshop.shop.catalogue.list_products(
        category="furniture", query=None, page=1, postcode=None, language="en", now=workshop.now).cards[0].price)  # fmt: skip

    def listed(wish: Wish) -> int:
        named = {"category": "furniture", "query": None, "page": 1, "postcode": None, "language": "en", "now": workshop.now}
        return statements.count(workshop.db, lambda: workshop.shop.catalogue.list_products(**named, wish=wish))

    assert listed(Wish(arrives_by=date(2026, 11, 30))) == listed(price)
    # nothing there: no cards to draw, one statement for the earliest day
    assert listed(Wish(arrives_by=date(2026, 11, 24))) == listed(price) + 1


def test_a_wish_without_a_day_asks_nothing_of_the_calendars(workshop: Workshop) -> None:
    with workshop.db.read() as session:
        assert Way(session, None, workshop.now).windows(Wish()) is None
