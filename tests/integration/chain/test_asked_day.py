"""All of a cart by a day that its customer names: yes, or the earliest day and what would have to change.

Tuesday 24 November, 09:00, to Berlin. A stool is here: Wed 25. A table is sawn for 30 minutes and put together for 90: ready at
11:00. Three are ready at 13:40, before the cut-off at 14:00; of a fourth the legs take 5 days.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import models as crm
from backoffice.erp import models as t
from backoffice.erp import offers, plan, stock
from backoffice.erp.company import get_warehouse
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import at, item_id
from tests.integration.chain.conftest import Workshop
from tests.invariants import breaches

WED, FRI = date(2026, 11, 25), date(2026, 12, 4)


def ask(workshop: Workshop, cart: Any, day: date | None) -> Any:
    return workshop.shop.carts.ask_for_day(cart.token, day, now=workshop.now)


def rows(workshop: Workshop) -> dict[str, list[str]]:
    tables = [crm.Cart, crm.CartLine, t.Reservation, t.Peg, t.ProductionOrder, t.Stock]
    with workshop.db.read() as session:
        return {
            one.__tablename__: sorted(str(dict(row)) for row in session.execute(sa.select(one.__table__)).mappings())
            for one in tables
        }


def oak_stool(workshop: Workshop, pieces: int, price: int = 5_900) -> str:
    """Sell a stool that may stand in for the table."""

    def sell(session: Session) -> None:
        stool = session.get_one(t.Item, item_id(session, "STOOL"))
        other = t.Item(sku="BENCH", name="Bench", product_id=stool.product_id, on_sale=True, price_minor=price, bin="B-1",
                       source="buy", sell_from="stock", currency=stool.currency, options={"Wood": "Ash"})  # fmt: skip
        session.add(other)
        session.flush()
        stock.move(session, other.id, get_warehouse(session).id, pieces, cause="opening", ref="o:b", actor="t", now=workshop.now)
        session.add(t.ItemSubstitute(item_id=item_id(session, "TABLE"), substitute_id=other.id, priority=1))
        offers.refresh(session, None, now=workshop.now)

    workshop.db.run(sell)
    return "BENCH"


def test_yes_and_what_is_planned_moves_back_towards_the_day(workshop: Workshop) -> None:
    cart = workshop.cart(TABLE=1, STOOL=1)
    assert cart.deliver_on == WED
    [first] = [one for one in workshop.rows(t.Reservation) if one.basis != "stock"]
    asked = ask(workshop, cart, FRI)
    assert (asked.in_time, asked.requested_on, asked.deliver_on) == (True, FRI, FRI)
    [late] = [one for one in workshop.rows(t.Reservation, state="held") if one.basis != "stock"]
    assert first.ready_at == at(24, 11)
    # Friday's parcel leaves on Thursday by 14:00; the plant works until 14:00
    assert late.ready_at == at(3, 13, 59, month=12)
    [sawn, made] = sorted(one.starts_at for one in workshop.rows(t.ProductionOrder, state="held"))
    assert (sawn, made) == (at(3, 11, 59, month=12), at(3, 12, 29, month=12))
    assert {one.sku: one.promise.deliver_on for one in asked.lines} == {"TABLE": FRI, "STOOL": WED}
    again = ask(workshop, asked, None)
    assert (again.in_time, again.requested_on, again.deliver_on) == (True, None, WED)


def test_the_minutes_before_are_free_for_others(workshop: Workshop) -> None:
    ask(workshop, workshop.cart(TABLE=1), FRI)
    assert workshop.day("TABLE", 1) == WED


def test_no_names_the_earliest_day_and_how_many_would_be_in_time(workshop: Workshop) -> None:
    cart = workshop.cart(TABLE=4, STOOL=1)
    earliest = cart.deliver_on
    assert earliest == date(2026, 12, 1)
    asked = ask(workshop, cart, WED)
    assert (asked.in_time, asked.deliver_on) == (False, earliest)
    [table] = [one for one in asked.lines if one.sku == "TABLE"]
    assert asked.is_late(table)
    most = table.most_in_time
    assert most == 3
    fewer = workshop.shop.carts.set_quantity(asked.token, "TABLE", most, now=workshop.now)
    assert (fewer.in_time, fewer.deliver_on) == (True, WED)
    assert not workshop.shop.carts.set_quantity(asked.token, "TABLE", most + 1, now=workshop.now).in_time


def test_something_else_in_time_is_offered_and_taken_only_when_chosen(workshop: Workshop) -> None:
    bench = oak_stool(workshop, 4)
    asked = ask(workshop, workshop.cart(TABLE=4), WED)
    [line] = asked.lines
    assert [(one.sku, one.deliver_on, one.unit_price.amount_minor) for one in line.instead] == [(bench, WED, 5_900)]
    taken = workshop.shop.carts.take_instead(asked.token, "TABLE", bench, now=workshop.now)
    assert [(one.sku, one.quantity) for one in taken.lines] == [(bench, 4)]
    assert taken.in_time
    assert workshop.stock(bench) == (4, 0, 4)
    assert {one.state for one in workshop.rows(t.ProductionOrder)} == {"cancelled"}


def test_what_is_too_little_too_late_or_no_stand_in_is_not_offered_and_not_taken(workshop: Workshop) -> None:
    bench = oak_stool(workshop, 3)
    asked = ask(workshop, workshop.cart(TABLE=4), WED)
    assert asked.lines[0].instead == []
    before = rows(workshop)
    for other, error in ((bench, Refused), ("STOOL", NotFound), ("VASE", NotFound), ("none", NotFound)):
        with pytest.raises(error):
            workshop.shop.carts.take_instead(asked.token, "TABLE", other, now=workshop.now)
    with pytest.raises(NotFound):
        workshop.shop.carts.take_instead(asked.token, "VASE", bench, now=workshop.now)
    assert rows(workshop) == before


def test_what_can_no_longer_be_had_names_what_can(workshop: Workshop) -> None:
    bench = oak_stool(workshop, 4)

    def stand_in(session: Session) -> None:
        row = session.scalars(sa.select(t.ItemSubstitute)).one()
        row.item_id = item_id(session, "STOOL")

    workshop.db.run(stand_in)
    cart = workshop.cart(STOOL=2)
    workshop.now = at(24, 9, 30)  # what was held is over
    workshop.cart(STOOL=5)
    [line] = workshop.shop.carts.find(cart.token, now=workshop.now).lines
    assert (line.promise, [one.sku for one in line.instead]) == (None, [bench])


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(1, 1, 1), date(9999, 12, 31)])
def test_a_day_over_or_out_of_sight_changes_nothing(workshop: Workshop, day: date) -> None:
    cart = workshop.cart(TABLE=1)
    before = rows(workshop)
    with pytest.raises(BadInput):
        ask(workshop, cart, day)
    assert rows(workshop) == before


def test_the_day_goes_to_the_order_and_the_promise_stays(workshop: Workshop) -> None:
    start = workshop.start(ask(workshop, workshop.cart(TABLE=1, STOOL=1), FRI))
    workshop.pay(start)
    order = workshop.order(start)
    assert {(one.requested_on, one.promised_on) for one in order.lines} == {(FRI, FRI)}


def test_an_asked_day_that_has_passed_is_no_and_offers_nothing(workshop: Workshop) -> None:
    cart = ask(workshop, workshop.cart(STOOL=1), WED)
    found = workshop.shop.carts.find(cart.token, now=at(26, 9))
    assert (found.in_time, found.lines[0].instead, found.lines[0].most_in_time) == (False, (), None)


def test_another_place_is_planned_for_anew(workshop: Workshop) -> None:
    cart = ask(workshop, workshop.cart(TABLE=1), FRI)
    moved = workshop.shop.carts.set_postcode(cart.token, "80331", now=workshop.now)  # two days instead of one
    assert (moved.in_time, moved.deliver_on) == (True, FRI)


def shelf(workshop: Workshop) -> None:
    """Make a shelf too: 160 minutes at the saw, then 60 at assembly, as the table's stations are."""

    def make(session: Session) -> None:
        table = session.get_one(t.Item, item_id(session, "TABLE"))
        one = t.Item(sku="SHELF", name="Shelf", product_id=table.product_id, on_sale=True, price_minor=9_900, bin="S-1",
                     source="make", sell_from="production", currency=table.currency)  # fmt: skip
        session.add(one)
        session.flush()
        for position, (code, seconds) in enumerate([("SAW", 9_600), ("ASSEMBLY", 3_600)]):
            centre = session.scalars(sa.select(t.WorkCentre).where(t.WorkCentre.code == code)).one()
            session.add(t.RoutingOperation(item_id=one.id, position=position, work_centre_id=centre.id, setup_seconds=0,
                                           run_seconds=seconds))  # fmt: skip
        plan.bump(session, master=True)
        offers.refresh(session, None, now=workshop.now)

    workshop.db.run(make)


def test_what_would_make_another_line_late_stays_where_it_was(workshop: Workshop) -> None:
    shelf(workshop)
    cart = workshop.cart(TABLE=1, SHELF=1)
    # forward: table 9:30 to 11:00 at assembly; shelf at the saw until 12:10, at assembly until 13:10
    before = {one.item_id: one.ready_at for one in workshop.rows(t.Reservation, state="held")}
    assert sorted(before.values()) == [at(24, 11), at(24, 13, 10)]
    # backward the table would stand at assembly from 12:29 to 13:59, and the shelf could not before that
    asked = ask(workshop, cart, WED)
    assert (asked.in_time, asked.deliver_on) == (True, WED)
    assert {one.item_id: one.ready_at for one in workshop.rows(t.Reservation, state="held")} == before
    with workshop.db.read() as session:
        assert breaches(session) == []
