"""Every cause re-dates exactly the lines that it touches, keeps the first promise, and says how it came to each of them."""

from __future__ import annotations

from datetime import date

import pytest
import sqlalchemy as sa

from backoffice import causes
from backoffice.audit import AuditEntry
from backoffice.crm.models import OrderLine
from backoffice.erp import cancelling, counting, plan, production, purchasing, remaking, shortening
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, Refused
from backoffice.public.orders import CauseLink
from tests.company import at, item_id

WED, THU, FRI, MON, TUE = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27), date(2026, 11, 30), date(2026, 12, 1)


def buy(workshop, **lines: int) -> str:
    """Buy and pay; return the order's token."""
    start = workshop.start(workshop.cart(**lines))
    workshop.pay(start)
    return start.order_token


def line_of(workshop, token: str):
    """Return the first line of an order as its customer sees it."""
    return workshop.shop.orders.get(token, now=workshop.now).lines[0]


def chain_of(workshop, token: str) -> str:
    """Return how a line's change came to it, in English."""
    cause = line_of(workshop, token).moved_cause
    return causes.say_chain(cause.chain, lambda one, many, num: one if num == 1 else many)


def rows(workshop) -> dict[int, tuple[object, ...]]:
    """Return every order line with all that is stored of it."""
    with workshop.db.read() as session:
        table = OrderLine.__table__
        return {row.id: tuple(row) for row in session.execute(sa.select(table))}


def only(workshop, change, *tokens: str) -> None:
    """Make a change; no line but those of these orders may be different in any byte, and no first promise moves."""
    before, promised = rows(workshop), [one.promised_on for one in workshop.rows(OrderLine)]
    change()
    after = rows(workshop)
    numbers = {workshop.shop.orders.get(token, now=workshop.now).number for token in tokens}
    orders = {order.id for order in workshop.orders() if order.number in numbers}
    touched = {line.id for line in workshop.rows(OrderLine) if line.order_id in orders}
    assert {one for one in before if before[one] != after[one]} == touched
    assert [one.promised_on for one in workshop.rows(OrderLine)] == promised


def order_legs(workshop, quantity: int, due) -> int:
    """Order legs from the supplier for a day, and return the line."""

    def work(session) -> int:
        order = t.PurchaseOrder(number="PO-17", supplier_id=1, state="ordered", ordered_at=workshop.now)
        session.add(order)
        session.flush()
        leg = item_id(session, "LEG")
        line = t.PurchaseOrderLine(purchase_order_id=order.id, item_id=leg, quantity=quantity, due_at=due, version=1)
        session.add(line)
        session.flush()
        plan.bump(session)
        return line.id

    return workshop.db.run(work)


def test_a_receipt_comes_through_production_to_the_line(workshop):
    """12 legs are there for three tables; the fourth waits for the receipt."""
    receipt = order_legs(workshop, 8, at(26, 8))
    first, second = buy(workshop, TABLE=3), buy(workshop, TABLE=1)
    assert line_of(workshop, second).promised_on == FRI  # legs Thu 08:00, Assembly till 09:30, sent on Thu
    version = workshop.rows(t.PurchaseOrderLine, id=receipt)[0].version
    only(workshop, lambda: workshop.do(purchasing.move_due, receipt, at(27, 8), version=version), second)
    assert (line_of(workshop, second).expected_on, line_of(workshop, first).expected_on) == (MON, WED)
    [made] = [order for order in workshop.rows(t.ProductionOrder) if order.starts_at >= at(27, 8)]
    assert chain_of(workshop, second) == f"PO-17 Leg +1 day → {made.number} Table → Table +3 days"


def test_fewer_come_than_were_ordered_and_the_newest_promise_loses(workshop):
    first, second = buy(workshop, LAMP=4), buy(workshop, LAMP=3)
    [line] = workshop.rows(t.PurchaseOrderLine)
    only(workshop, lambda: shorten(workshop, line.id, 6, version=line.version, by="planner@werk.test"), second)
    moved = line_of(workshop, second)
    assert (moved.promised_on, moved.expected_on) == (MON, date(2026, 12, 2))  # bought, there on Tue 1 Dec 09:00
    assert moved.moved_because == "Lamp: fewer come than we had ordered"
    assert chain_of(workshop, second) == "PO-1 Lamp → Lamp +2 days"
    again = workshop.rows(t.PurchaseOrderLine, id=line.id)[0]
    assert (again.quantity, again.pegged) == (6, 6)  # two of the three are still on their way, the third is bought
    [entry] = workshop.rows(AuditEntry, action="receipt.shorten")
    assert entry.details == {"before": 10, "after": 6, "lines_moved": 1}
    assert line_of(workshop, first).expected_on == MON


def shorten(workshop, line_id: int, quantity: int, *, version: int, by: str) -> int:
    """Note that fewer come."""
    return workshop.db.run(
        lambda session: shortening.shorten(session, line_id, quantity, version=version, by=by, now=workshop.now)
    )


def test_what_is_free_of_a_receipt_is_lost_first(workshop):
    token = buy(workshop, LAMP=4)
    [line] = workshop.rows(t.PurchaseOrderLine)
    only(workshop, lambda: shorten(workshop, line.id, 4, version=line.version, by="p"))
    assert line_of(workshop, token).moved_cause is None
    before = rows(workshop)
    for quantity, version, code in ((4, 2, "invalid_form"), (0, 2, "invalid_form"), (3, 1, "stale")):
        with pytest.raises((BadInput, Refused)) as refusal:
            shorten(workshop, line.id, quantity, version=version, by="p")
        assert refusal.value.code == code
    assert rows(workshop) == before


def test_all_that_is_left_is_here_so_the_order_is_received(workshop):
    [line] = workshop.rows(t.PurchaseOrderLine)
    workshop.do(purchasing.receive, line.id, 6, ref="delivery")
    shorten(workshop, line.id, 6, version=2, by="p")
    assert [order.state for order in workshop.rows(t.PurchaseOrder)] == ["received"]
    with pytest.raises(Refused):
        shorten(workshop, line.id, 5, version=3, by="p")


def test_a_missing_shift_moves_those_in_it_and_says_so(workshop):
    first, second = buy(workshop, TABLE=1), buy(workshop, TABLE=1)  # Assembly 09:30–11:00 and 11:00–12:30
    lamp = buy(workshop, LAMP=1)
    centre = workshop.rows(t.WorkCentre, code="ASSEMBLY")[0]
    only(workshop, lambda: workshop.do(production.miss_shift, centre.id, date(2026, 11, 24), reason="ill"), first, second)
    assert [line_of(workshop, one).expected_on for one in (first, second)] == [THU, THU]  # Wed 06:00–07:30–09:00
    assert line_of(workshop, first).moved_because == "Assembly: a shift is missing on Tue 24 Nov"
    assert chain_of(workshop, first).startswith("Assembly → MO-")
    assert chain_of(workshop, first).endswith(" Table → Table +1 day")
    assert line_of(workshop, lamp).moved_cause is None
    [stop] = workshop.rows(t.WorkCentreStop)
    assert (stop.starts_at, stop.ends_at, stop.reason) == (workshop.now, at(24, 14), "ill")
    for closed in (date(2026, 11, 28), date(2026, 11, 23)):  # a Saturday, and yesterday
        with pytest.raises(BadInput) as refusal:
            workshop.do(production.miss_shift, centre.id, closed, reason="")
        assert refusal.value.fields == {"on_day": "closed_then"}
    assert len(workshop.rows(t.WorkCentreStop)) == 1


def test_when_the_station_works_again_who_is_late_gains_and_nobody_else_moves(workshop):
    first, second = buy(workshop, TABLE=1), buy(workshop, TABLE=1)
    centre = workshop.rows(t.WorkCentre, code="ASSEMBLY")[0]
    workshop.do(production.miss_shift, centre.id, date(2026, 11, 24), reason="ill")
    third = buy(workshop, TABLE=1)
    only(workshop, lambda: workshop.do(production.end_stop, workshop.rows(t.WorkCentreStop)[0].id), first, second)
    assert [line_of(workshop, one).expected_on for one in (first, second)] == [WED, WED]
    assert line_of(workshop, first).moved_because == "what was kept for another order has become free"
    assert line_of(workshop, third).moved_cause is None


def test_production_that_cannot_begin_moves_what_is_made_of_it(workshop):
    first, second = buy(workshop, TABLE=1), buy(workshop, TABLE=1)
    saw = workshop.rows(t.WorkCentre, code="SAW")[0].id
    top_slot = workshop.rows(t.OperationSlot, work_centre_id=saw)[0]
    top = workshop.rows(t.ProductionOrder, id=top_slot.production_order_id)[0]
    only(workshop, lambda: delay(workshop, top.id, at(25, 13)), first)
    moved = line_of(workshop, first)  # Saw Wed 13:00–13:30, Assembly Wed 13:30–14:00 and Thu 06:00–07:00
    assert (moved.promised_on, moved.expected_on) == (WED, FRI)
    assert moved.moved_because == "Top: can be made only from Wed 25 Nov on"
    table = next(o for o in workshop.rows(t.ProductionOrder, reservation_id=top.reservation_id) if o.id != top.id)
    assert chain_of(workshop, first) == f"{top.number} Top +1 day → {table.number} Table → Table +2 days"
    assert workshop.rows(t.ProductionOrder, id=table.id)[0].ready_at == at(26, 7)
    workshop.do(counting.count_stock, workshop.rows(t.Item, sku="BOARD")[0].id, 1, 2, ref="count:1")
    assert line_of(workshop, first).expected_on >= FRI  # planned anew for another reason: still not before
    assert line_of(workshop, second).promised_on == WED


def delay(workshop, order_id: int, until) -> int:
    """Note that a production order cannot begin before an instant."""
    return workshop.db.run(lambda session: production.delay(session, order_id, until, by="planner@werk.test", now=workshop.now))


def test_what_is_no_delay_is_refused(workshop):
    buy(workshop, TABLE=1)
    order = workshop.rows(t.ProductionOrder)[0]
    before = rows(workshop)
    with pytest.raises(BadInput):
        delay(workshop, order.id, order.starts_at)
    assert rows(workshop) == before
    assert workshop.rows(t.ProductionOrder)[0].not_before_at is None


def test_another_recipe_moves_what_is_not_begun(workshop):
    workshop.buy(TABLE=1)  # begins now
    second = buy(workshop, TABLE=1)
    lamp = buy(workshop, LAMP=1)
    top = workshop.rows(t.Item, sku="TOP")[0].id

    def slower(session) -> None:
        was = remaking.recipes(session)
        session.execute(sa.update(t.RoutingOperation).where(t.RoutingOperation.item_id == top).values(setup_seconds=5 * 3600))
        assert remaking.changed(was, remaking.recipes(session)) == {top}
        remaking.after_change(session, [top], now=workshop.now)

    only(workshop, lambda: workshop.db.run(slower), second)
    moved = line_of(workshop, second)  # Saw 5 h 20 min from 09:30, Assembly on Wed
    assert (moved.promised_on, moved.expected_on) == (WED, THU)
    assert moved.moved_because == "Top is made in another way now"
    assert chain_of(workshop, second).startswith("Top → MO-")
    assert line_of(workshop, lamp).moved_cause is None


def test_what_a_cancelled_order_frees_is_published_only_where_it_gains_a_day(workshop):
    first, second = buy(workshop, LAMP=6), buy(workshop, LAMP=4)
    [line] = workshop.rows(t.PurchaseOrderLine)
    shorten(workshop, line.id, 6, version=line.version, by="p")
    assert line_of(workshop, second).expected_on == date(2026, 12, 2)
    number = workshop.shop.orders.get(first, now=workshop.now).number
    only(workshop, lambda: workshop.db.run(lambda session: cancelling.cancel(session, number, now=workshop.now)), second)
    assert line_of(workshop, second).expected_on == MON
    assert line_of(workshop, second).moved_because == "what was kept for another order has become free"
    assert [order.state for order in workshop.rows(t.PurchaseOrder)] == ["ordered", "cancelled"]  # nobody needs the proposal


def test_a_change_that_gains_nothing_leaves_no_trace(workshop):
    first, second = buy(workshop, STOOL=2), buy(workshop, STOOL=3)
    workshop.do(counting.count_stock, workshop.rows(t.Item, sku="STOOL")[0].id, 1, 2, ref="count:1")
    assert line_of(workshop, second).expected_on == date(2026, 12, 2)
    number = workshop.shop.orders.get(first, now=workshop.now).number
    with workshop.db.read() as session:
        before = session.execute(sa.select(t.Peg.__table__).where(t.Peg.reservation_id == 2)).all()
    only(workshop, lambda: workshop.db.run(lambda session: cancelling.cancel(session, number, now=workshop.now)))
    with workshop.db.read() as session:  # two of three would lie here: all of it still arrives on the same day
        assert session.execute(sa.select(t.Peg.__table__).where(t.Peg.reservation_id == 2)).all() == before


def test_a_link_without_days_or_with_negative_ones_in_words():
    chain = (CauseLink("stop", "Saw"), CauseLink("order", "Top", "MO-1", -1), CauseLink("line", "Table", "", -2))
    words = causes.say_chain(chain, lambda one, many, num: one if num == 1 else many)
    assert words == "Saw → MO-1 Top −1 day → Table −2 days"
    assert causes.say_chain((), lambda one, many, num: one) == ""
