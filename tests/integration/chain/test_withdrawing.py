"""Withdrawing: in time or not, all or a part, before it left and after; goods, money, papers and the proof."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import OrderLine, Withdrawal
from backoffice.erp import delivering, fulfilment, returning
from backoffice.erp import models as t
from backoffice.payments import withdrawing
from backoffice.payments.models import Payment, Refund
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import item_id
from tests.integration.chain.conftest import Workshop


def bought(workshop: Workshop, **lines: int) -> Any:
    start = workshop.start(workshop.cart(**lines))
    workshop.pay(start)
    return start


def sent(workshop: Workshop, *, arrived: bool = True) -> None:
    """Pick, pack, ship and deliver every parcel."""
    for parcel in workshop.rows(t.Shipment, state="to_pick"):
        for line in workshop.rows(t.ShipmentLine, shipment_id=parcel.id):
            sku = workshop.rows(t.Item, id=line.item_id)[0].sku
            workshop.do(fulfilment.pick, parcel.id, sku, line.quantity)
        workshop.do(fulfilment.pack, parcel.id)
        workshop.do(fulfilment.ship, parcel.id, tracking="JD 1")
        if arrived:
            workshop.do(delivering.deliver, [parcel.id], workshop.now.date())


def withdraw(workshop: Workshop, start: Any, *counts: int, key: str = "form-1") -> None:
    """Take so many pieces of each line back."""
    view = workshop.shop.withdrawals.get(start.order_token, now=workshop.now)
    lines = {line.id: count for line, count in zip(view.lines, counts, strict=True)}
    workshop.shop.withdrawals.withdraw(start.order_token, lines, key=key, now=workshop.now)


def mails(workshop: Workshop) -> Sequence[str]:
    return [one.kind for one in workshop.rows(OutboxMessage, target="mail")]


def refunds(workshop: Workshop) -> Sequence[tuple[int, str, str]]:
    return [(one.amount_minor, one.reason, one.key) for one in workshop.rows(Refund)]


def came(workshop: Workshop, quantity: int, restock: int) -> None:
    """Take a part of the one return in."""
    [expected] = workshop.rows(t.GoodsReturn, state="expected")
    [line] = workshop.rows(t.GoodsReturnLine)
    workshop.do(returning.receive, expected.id, {line.id: returning.Came(quantity, restock)}, version=expected.version)


def test_what_has_not_left_is_cancelled_once(workshop: Workshop) -> None:
    start = bought(workshop, STOOL=2)
    withdraw(workshop, start, 2)
    withdraw_again = workshop.rows(OrderLine)[0].id
    workshop.shop.withdrawals.withdraw(start.order_token, {withdraw_again: 2}, key="form-1", now=workshop.now)
    assert workshop.order(start).state == "cancelled"
    assert workshop.stock("STOOL") == (5, 0, 0)
    assert [(amount, reason) for amount, reason, _ in refunds(workshop)] == [(10_300, "cancelled")]
    with pytest.raises(Refused, match="form_reused"):  # gone back to, and sent with another number
        withdraw(workshop, start, 1)
    assert mails(workshop) == ["order_confirmed", "order_cancelled", "withdrawal_noted"]
    with pytest.raises(Refused, match="withdrawal_over"):
        withdraw(workshop, start, 1, key="form-2")


def test_one_line_of_two_is_taken_out_of_its_parcel(workshop: Workshop) -> None:
    start = bought(workshop, STOOL=2, TABLE=1)
    withdraw(workshop, start, 0, 1)
    assert refunds(workshop) == [(49_900, "withdrawal", "withdrawal:1")]
    assert workshop.rows(t.ProductionOrder, state="planned") == []
    assert workshop.order(start).state == "confirmed"
    [row] = workshop.rows(Withdrawal)
    assert (row.return_number, row.refund_minor, [one["what"] for one in row.lines]) == ("", 49_900, ["out"])
    sent(workshop)
    assert workshop.order(start).state == "delivered"
    view = workshop.shop.withdrawals.get(start.order_token, now=workshop.now)
    assert [line.left for line in view.lines] == [2, 0]


def test_the_last_line_taken_out_ends_the_order(workshop: Workshop) -> None:
    start = bought(workshop, STOOL=2, TABLE=1)
    withdraw(workshop, start, 0, 1)
    withdraw(workshop, start, 2, 0, key="form-2")
    assert workshop.order(start).state == "cancelled"
    assert workshop.rows(Payment)[0].refunded_minor == 60_200  # delivery too


def test_what_has_arrived_comes_back_before_its_money_goes(workshop: Workshop) -> None:
    start = bought(workshop, STOOL=3)
    sent(workshop)
    workshop.now += timedelta(days=14)
    withdraw(workshop, start, 2)
    assert refunds(workshop) == []
    [expected] = workshop.rows(t.GoodsReturn)
    assert mails(workshop)[-1] == "withdrawal_noted"
    assert workshop.rows(OutboxMessage, kind="withdrawal_noted")[0].payload["return_number"] == expected.number
    came(workshop, 1, 1)
    assert workshop.stock("STOOL") == (3, 0, 0)
    came(workshop, 1, 0)
    assert workshop.stock("STOOL") == (3, 0, 0)
    assert refunds(workshop) == [(4_900, "withdrawal", "return:1:1"), (4_900, "withdrawal", "return:1:2")]
    assert workshop.rows(t.GoodsReturn)[0].state == "received"
    withdraw(workshop, start, 1, key="form-2")
    [line] = workshop.rows(t.GoodsReturnLine, return_id=2)
    workshop.do(returning.receive, 2, {line.id: returning.Came(1, 1)}, version=1)
    assert refunds(workshop)[-1] == (5_400, "withdrawal", "return:2:1")  # with delivery: nothing stays with them
    assert workshop.rows(Payment)[0].refunded_minor == 15_200
    assert workshop.order(start).state == "delivered"


def test_the_period_ends_with_the_fourteenth_day(workshop: Workshop) -> None:
    start = bought(workshop, STOOL=1)
    sent(workshop)
    workshop.now += timedelta(days=15)
    view = workshop.shop.withdrawals.get(start.order_token, now=workshop.now)
    assert (view.is_open, view.until) == (False, date(2026, 12, 8))
    with pytest.raises(Refused, match="withdrawal_over"):
        withdraw(workshop, start, 1)
    assert workshop.rows(Withdrawal) == []
    assert mails(workshop)[-1] == "order_shipped"


@pytest.mark.parametrize(
    ("came_on", "until"),
    [
        (date(2026, 11, 28), date(2026, 12, 14)),  # a Saturday
        (date(2026, 11, 29), date(2026, 12, 14)),  # a Sunday
        (date(2026, 12, 10), date(2026, 12, 24)),  # no holiday
        (date(2026, 12, 11), date(2026, 12, 28)),  # Christmas Day, its second day, a Sunday
        (date(2026, 12, 18), date(2027, 1, 4)),  # New Year's Day, a Friday
    ],
)
def test_the_period_ends_on_a_working_day(workshop: Workshop, came_on: date, until: date) -> None:
    start = bought(workshop, STOOL=1)
    sent(workshop, arrived=False)
    workshop.do(delivering.deliver, [1], came_on, now=datetime(came_on.year, came_on.month, came_on.day, 17, tzinfo=UTC))
    last_minute = datetime(until.year, until.month, until.day, 22, 59, tzinfo=UTC)  # 23:59 in Berlin
    instants = (last_minute, last_minute + timedelta(minutes=1))
    seen = [workshop.shop.withdrawals.get(start.order_token, now=one) for one in instants]
    assert [(view.is_open, view.until) for view in seen] == [(True, until), (False, until)]


def test_a_saturday_on_which_the_office_works_is_no_working_day_of_the_law(workshop: Workshop) -> None:
    def open_on_saturdays(session: Any) -> None:
        office = session.get(t.Company, 1).office_calendar_id
        session.add(t.CalendarShift(calendar_id=office, weekday=5, starts_minute=480, ends_minute=960))

    workshop.db.run(open_on_saturdays)
    start = bought(workshop, STOOL=1)
    sent(workshop, arrived=False)
    workshop.do(delivering.deliver, [1], date(2026, 11, 28), now=datetime(2026, 11, 28, 17, tzinfo=UTC))
    assert workshop.shop.withdrawals.get(start.order_token, now=workshop.now).until == date(2026, 12, 14)


def exempt(workshop: Workshop, sku: str, why: str) -> None:
    number = workshop.db.run(lambda session: item_id(session, sku))
    workshop.db.run(lambda session: returning.exempt(session, number, why, by="Petra", now=workshop.now))


@pytest.mark.parametrize(("before", "after", "left"), [("", "sealed", (1, "")), ("sealed", "", (0, "sealed"))])
def test_a_buyer_keeps_the_right_that_they_bought_with(
    workshop: Workshop, before: str, after: str, left: tuple[int, str]
) -> None:
    exempt(workshop, "STOOL", before)
    start = bought(workshop, STOOL=1)
    exempt(workshop, "STOOL", after)
    view = workshop.shop.withdrawals.get(start.order_token, now=workshop.now)
    assert [(line.left, line.exempt) for line in view.lines] == [left]


def test_what_is_made_to_wishes_stays(workshop: Workshop) -> None:
    exempt(workshop, "TABLE", "made_for_you")
    start = bought(workshop, STOOL=1, TABLE=1)
    view = workshop.shop.withdrawals.get(start.order_token, now=workshop.now)
    assert [(line.left, line.exempt) for line in view.lines] == [(1, ""), (0, "made_for_you")]
    with pytest.raises(BadInput):
        withdraw(workshop, start, 0, 1)
    withdraw(workshop, start, 1, 0)
    assert refunds(workshop) == [(4_900, "withdrawal", "withdrawal:1")]
    assert workshop.order(start).state == "confirmed"


@pytest.mark.parametrize("counts", [(0,), (4,), (-1,)])
def test_nonsense_changes_nothing(workshop: Workshop, counts: tuple[int]) -> None:
    start = bought(workshop, STOOL=3)
    with pytest.raises(BadInput):
        withdraw(workshop, start, *counts)
    with pytest.raises(NotFound):
        workshop.shop.withdrawals.withdraw("unknown", {1: 1}, key="x", now=workshop.now)
    assert (workshop.rows(Withdrawal), refunds(workshop), workshop.stock("STOOL")) == ([], [], (5, 3, 0))


@pytest.mark.parametrize("typed", [(3, 0), (1, 2), (0, 0)])
def test_more_than_was_announced_does_not_come_in(workshop: Workshop, typed: tuple[int, int]) -> None:
    start = bought(workshop, STOOL=2)
    sent(workshop)
    withdraw(workshop, start, 2)
    with pytest.raises(BadInput):
        came(workshop, *typed)
    assert (refunds(workshop), workshop.stock("STOOL")) == ([], (3, 0, 0))


def test_a_dispute_holds_the_money_but_not_the_goods(workshop: Workshop) -> None:
    start = bought(workshop, STOOL=1)
    sent(workshop)
    withdraw(workshop, start, 1)

    def dispute(session: Any) -> None:
        session.get(Payment, 1).state = "disputed"

    workshop.db.run(dispute)
    came(workshop, 1, 1)
    assert workshop.rows(Payment)[0].problem == withdrawing.NOT_REFUNDED
    assert (refunds(workshop), workshop.stock("STOOL")) == ([], (5, 0, 0))
