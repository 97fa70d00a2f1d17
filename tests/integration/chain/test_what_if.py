"""What if: the answer is what the change itself then does, and asking writes nothing, in no table, on either database."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa

from backoffice import bootstrap, causes
from backoffice.crm.models import OrderLine
from backoffice.erp import cancelling, plan, production, purchasing, snapshot, what_if
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import at, item_id, open_company
from tests.functional.desk.conftest import every_row
from tests.integration.chain.conftest import Workshop

Days = dict[int, tuple[date | None, date | None]]
SAW, ASSEMBLY = 1, 2


def ask(workshop, question, *args, **named):
    """Ask, and see that no row of any table is another afterwards."""
    with workshop.db.read() as session:
        before = every_row(session)
    try:
        with workshop.db.read() as session:
            return question(session, *args, now=workshop.now, **named)
    finally:
        with workshop.db.read() as session:
            assert every_row(session) == before


def known_days(workshop) -> dict[int, date | None]:
    """Return line's reservation → the day it is expected on; None: nobody knows."""
    lines = workshop.rows(OrderLine)
    return {one.reservation_id: one.expected_on if causes.is_day_known(one.moved_cause) else None for one in lines}


def days_moved(workshop, change: Callable[[], object]) -> Days:
    """Make a change for good; return whose day is another then: (before, after)."""
    before = known_days(workshop)
    change()
    after = known_days(workshop)
    return {line: (day, after[line]) for line, day in before.items() if day != after[line]}


def told(supposed: what_if.Supposed) -> Days:
    """Return the answer in the same form."""
    return {one.reservation_id: (one.before, one.after) for one in supposed.moved}


def in_lots(workshop, sku: str = "TOP", minimum: int = 3) -> None:
    """Let something be made in lots, so that one order's surplus is another's."""

    def work(session):
        session.execute(sa.update(t.Item).where(t.Item.sku == sku).values(lot_minimum=minimum))
        plan.bump(session, master=True)

    workshop.db.run(work)


def make_for_stock(workshop) -> None:
    """Plan two tops for stock at the saw on Tuesday, 09:00 to 09:50."""

    def work(session):
        times = {"starts_at": at(24, 9), "ends_at": at(24, 9, 50)}
        order = t.ProductionOrder(
            number="MO-S", item_id=item_id(session, "TOP"), quantity=2, starts_at=at(24, 9), ready_at=at(24, 9, 50)
        )
        session.add(order)
        session.flush()
        session.add(t.OperationSlot(production_order_id=order.id, work_centre_id=SAW, position=0, lane=0, **times))
        plan.bump(session)

    workshop.db.run(work)


def test_a_receipt_that_comes_later_moves_who_waits_for_it(workshop):
    workshop.buy(LAMP=2)  # on the receipt of Fri 27 Nov 08:00: promised Mon 30 Nov
    workshop.buy(STOOL=1)
    workshop.cart(LAMP=1)
    due_at, supposed = ask(workshop, what_if.receipt_later, 1, 6)
    [moved] = supposed.moved
    # Thu 3 Dec: a fresh purchase of 7 days, here on Tue 1 Dec 09:00, leaves that day and arrives on the next
    assert (due_at, moved.promised_on, moved.before, moved.after) == (
        at(3, 8, 0, 12),
        date(2026, 11, 30),
        date(2026, 11, 30),
        date(2026, 12, 2),
    )
    assert (moved.late, len(supposed.ready), supposed.carts) == (True, 1, 1)
    assert moved.cause == causes.of("receipt_later", item="Lamp", due_on=date(2026, 12, 3))
    line = workshop.rows(t.PurchaseOrderLine)[0]
    assert told(supposed) == days_moved(workshop, lambda: workshop.do(purchasing.move_due, 1, due_at, version=line.version))


def stop_and_compare(workshop, *stop) -> what_if.Supposed:
    """Ask for a stop, make it, and see that days and the instants at which goods are ready are what was answered."""
    supposed = ask(workshop, what_if.stop, *stop)
    assert told(supposed) == days_moved(workshop, lambda: workshop.do(production.stop, *stop, reason=""))
    placed = {one.id: one.ready_at for one in workshop.rows(t.Reservation)}
    assert supposed.ready == {one: placed[one] for one in supposed.ready}
    return supposed


def test_of_two_that_are_planned_again_the_second_does_not_take_what_the_first_one_has(workshop):
    workshop.buy(TABLE=3)  # all 12 legs
    workshop.buy(TABLE=2)  # 8 legs are bought, here on Sun 29 Nov
    supposed = stop_and_compare(workshop, SAW, at(24, 9), at(24, 10, 30))
    # tops 10:30 to 11:40, then 30 + 180 minutes; and on Monday 30 + 120
    assert sorted(supposed.ready.values()) == [at(25, 7, 10), at(30, 8, 30)]


def test_of_two_that_are_planned_again_the_second_is_given_what_the_first_ones_lot_leaves(workshop):
    in_lots(workshop, minimum=6)
    workshop.buy(TABLE=1)
    workshop.buy(TABLE=1)
    supposed = stop_and_compare(workshop, SAW, at(24, 9), at(24, 10))
    # six tops 10:00 to 12:10, then one table after the other: 12:10 to 13:40, and on to Wed 07:10
    assert sorted(supposed.ready.values()) == [at(24, 13, 40), at(25, 7, 10)]


def test_what_was_used_up_for_an_order_does_not_come_back_with_it(workshop):
    workshop.buy(TABLE=1)
    board, [order] = workshop.rows(t.Item, sku="BOARD")[0].id, workshop.rows(t.Reservation)
    for made in workshop.rows(t.ProductionOrder, item_id=workshop.rows(t.Item, sku="TOP")[0].id):
        workshop.do(production.finish, made.id)
    with workshop.db.read() as session:
        free = snapshot.free_without(session, [board], [order.id], now=workshop.now)
    assert [one.quantity for one in free] == [18]


def test_an_order_for_stock_does_not_stand_in_its_own_way(workshop):
    make_for_stock(workshop)

    def second_cut(session):
        order, top = session.scalars(sa.select(t.ProductionOrder)).one(), item_id(session, "TOP")
        session.add(t.RoutingOperation(item_id=top, position=1, work_centre_id=SAW, setup_seconds=600))
        times = {"starts_at": at(24, 9, 50), "ends_at": at(24, 10)}
        session.add(t.OperationSlot(production_order_id=order.id, work_centre_id=SAW, position=1, lane=0, **times))
        order.ready_at = at(24, 10)
        plan.bump(session, master=True)

    workshop.db.run(second_cut)
    workshop.buy(TABLE=2)
    supposed = stop_and_compare(workshop, SAW, at(24, 9), at(24, 9, 10))
    # cut 09:10 to 10:00 and to 10:10, then assembly 30 + 120 minutes
    assert (supposed.for_stock, list(supposed.ready.values())) == (1, [at(24, 12, 40)])


def test_a_stop_moves_what_is_made_then_and_pushes_what_is_made_for_stock(workshop):
    in_lots(workshop)
    make_for_stock(workshop)
    workshop.buy(TABLE=2)  # takes the tops made for stock
    workshop.buy(TABLE=1)  # a lot of three tops
    workshop.buy(TABLE=1)  # one of that lot
    stop = (SAW, at(24, 9), at(26, 9))
    supposed = stop_and_compare(workshop, *stop)
    # the last one waits for legs until Sunday anyway: planned again, it keeps its day
    assert (len(supposed.ready), len(supposed.moved), supposed.for_stock) == (3, 2, 1)
    assert {one.cause.code for one in supposed.moved} == {"station_stopped"}


def test_a_cancelled_order_moves_who_stands_on_what_is_made_for_it(workshop):
    in_lots(workshop)
    for _ in range(2):
        workshop.buy(TABLE=1)  # the second one takes a top of the first one's three
    workshop.do(production.stop, ASSEMBLY, at(24, 9), at(25, 12), reason="")
    first = workshop.orders()[0].number
    supposed = ask(workshop, what_if.cancelled, first)
    assert (len(supposed.ready), supposed.carts) == (1, 0)

    def cancel() -> None:
        workshop.db.run(lambda session: cancelling.cancel(session, first, now=workshop.now))

    assert told(supposed) == days_moved(workshop, cancel)


def test_an_order_that_came_in_would_get_the_day_that_the_shop_names_and_moves_nobody(workshop):
    workshop.buy(TABLE=1)
    answer = ask(workshop, what_if.incoming, "TABLE", 4)
    assert answer.promise.deliver_on == workshop.day("TABLE", 4)
    # 16 legs are needed and 8 are left: so 8 are bought, 5 days, Sun 29 Nov 09:00
    assert [(one.item, one.quantity, one.ready_at) for one in answer.bought] == [("Leg", 8, at(29, 9))]
    # assembly opens on Mon 30 Nov 06:00: 30 + 4 × 60 minutes; the tops: behind the one of today, 10 + 4 × 20 from 09:30
    assert [(one.item, one.quantity, one.starts_at, one.ready_at) for one in answer.made] == [
        ("Table", 4, at(30, 6), at(30, 10, 30)),
        ("Top", 4, at(24, 9, 30), at(24, 11)),
    ]


def test_what_makes_no_sense_is_refused_as_the_change_itself_would_be(workshop):
    workshop.buy(TABLE=4)  # its missing legs are proposed
    proposed = workshop.rows(t.PurchaseOrderLine)[-1].id
    for error, code, question, *args in (
        (NotFound, "unknown_receipt", what_if.receipt_later, 99, 1),
        (Refused, "not_ordered_yet", what_if.receipt_later, proposed, 1),
        (BadInput, "in_the_past", what_if.receipt_later, 1, -4),
        (NotFound, "unknown_work_centre", what_if.stop, 99, at(24, 9), at(25, 9)),
        (BadInput, "bad_period", what_if.stop, SAW, at(25, 9), at(24, 9)),
        (NotFound, "unknown_order", what_if.cancelled, "SF-NONE"),
        (NotFound, "unknown_product", what_if.incoming, "LEG", 1),
        (Refused, "not_available", what_if.incoming, "VASE", 1),
    ):
        with pytest.raises(error) as refusal:
            ask(workshop, question, *args)
        assert refusal.value.code == code


@pytest.fixture
def fresh(sqlite_url: str, settings_for: Callable[..., object], now: datetime) -> Iterator[Workshop]:
    """The workshop on one database: what is compared here does not depend on it."""
    services = bootstrap.build(settings_for(sqlite_url), clock=lambda: now)
    services.db.run(lambda session: open_company(session, now=now, stools=3))
    yield Workshop(services, now)
    services.db.dispose()


@pytest.mark.parametrize("seed", range(16))
def test_whatever_was_bought_the_answer_is_what_then_happens(fresh: Workshop, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a fixed walk, not a secret
    if chance.random() < 0.6:
        in_lots(fresh, chance.choice(["TOP", "TABLE"]), chance.choice([2, 3, 5]))
    if chance.random() < 0.6:
        make_for_stock(fresh)
    for _ in range(chance.randint(3, 7)):
        fresh.now += timedelta(minutes=chance.randint(0, 50))
        basket = {
            sku: chance.randint(1, 6 if sku == "TABLE" else 3)
            for sku in chance.sample(["TABLE", "LAMP", "STOOL"], chance.randint(1, 2))
        }
        try:
            (fresh.cart if chance.random() < 0.25 else fresh.buy)(**basket)
        except Refused:
            continue  # no more of it can be had
    for made in fresh.rows(t.ProductionOrder, state="planned"):
        if chance.random() < 0.3:
            with suppress(Refused):  # its components are not here
                fresh.do(production.finish, made.id)
    start = fresh.now + timedelta(hours=chance.randint(-2, 20))
    stop = (chance.choice([SAW, ASSEMBLY]), start, start + timedelta(hours=chance.randint(4, 60)))
    order = chance.choice(fresh.orders()).number
    line = fresh.rows(t.PurchaseOrderLine)[0]
    changes: list[Callable[[], tuple[what_if.Supposed, Callable[[], object]]]] = [
        lambda: (
            (asked := ask(fresh, what_if.receipt_later, 1, days))[1],
            lambda: fresh.do(purchasing.move_due, 1, asked[0], version=line.version),
        ),
        lambda: (ask(fresh, what_if.stop, *stop), lambda: fresh.do(production.stop, *stop, reason="")),
        lambda: (
            ask(fresh, what_if.cancelled, order),
            lambda: fresh.db.run(lambda session: cancelling.cancel(session, order, now=fresh.now)),
        ),
    ]
    days = chance.randint(1, 12)
    chance.shuffle(changes)
    for question in changes:  # one after the other: each upon what the last one left
        supposed, change = question()
        assert told(supposed) == days_moved(fresh, change)
        placed = {one.id: one.ready_at if one.chain else None for one in fresh.rows(t.Reservation, state="converted")}
        assert supposed.ready == {one: placed[one] for one in supposed.ready if one in placed}
    assert fresh.breaches() == []
