"""A day that moves: told once, chosen once, and what each choice does to goods and money."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm import slip_calls
from backoffice.crm.models import Activity, Lead, Order, OrderLine, Slip
from backoffice.erp import counting, fulfilment, purchasing, splitting
from backoffice.erp import models as t
from backoffice.payments.models import Payment, Refund
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.money import Money
from tests.company import at, item_id

WED, MON, TUE, NEXT = date(2026, 11, 25), date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2)


def move_lamps(workshop, day: int, month: int = 11) -> None:
    """Move the day on which the lamps come in, at 08:00. After Tue 1 Dec 09:00 new ones are there earlier: bought, 7 days."""
    line = workshop.rows(t.PurchaseOrderLine)[0]
    workshop.do(purchasing.move_due, line.id, at(day, 8, month=month), version=line.version)


def buy(workshop, **lines: int):
    """Buy, and return what the customer got: the payment's start, with the order's token."""
    start = workshop.start(workshop.cart(**lines))
    workshop.pay(start)
    return start


def mails(workshop) -> list[str]:
    """Return the kinds of all mails so far."""
    return [one.kind for one in workshop.rows(OutboxMessage) if one.target == "mail"]


def slip_of(workshop, start):
    """Return the newest slip as its customer sees it."""
    newest = workshop.rows(Slip)[-1]
    return workshop.shop.slips.get(start.order_token, newest.id, now=workshop.now)


def choose(workshop, start, choice: str, option: str = "", slip_id: int | None = None) -> None:
    """Choose as the customer of the newest slip."""
    chosen = slip_id or workshop.rows(Slip)[-1].id
    workshop.shop.slips.choose(start.order_token, chosen, choice, option, now=workshop.now)


def stand_in(workshop, sku: str, other: str, *, price_minor: int | None = None, priority: int = 1) -> None:
    """Let an item stand in for another."""

    def work(session) -> None:
        pair = {"item_id": item_id(session, sku), "substitute_id": item_id(session, other)}
        session.add(t.ItemSubstitute(**pair, priority=priority))
        if price_minor is not None:
            session.execute(sa.update(t.Item).where(t.Item.sku == other).values(price_minor=price_minor))

    workshop.db.run(work)


def state(workshop) -> list[object]:
    """Return everything that a refused choice must leave alone."""
    with workshop.db.read() as session:
        return [
            session.execute(sa.select(*table.columns).order_by(table.c.id)).all()
            for model in (Slip, Order, OrderLine, t.Reservation, t.Peg, t.Shipment, t.ShipmentLine, t.Stock, Refund, Payment)
            for table in (model.__table__,)
        ]


def test_one_change_is_one_letter_however_many_lines_it_moves(workshop):
    """Both lines leave in one parcel and stand on one receipt; the table is not touched by it."""
    other = buy(workshop, TABLE=1)
    mine = buy(workshop, LAMP=3, STOOL=2)
    assert (workshop.order(mine).promised_on, workshop.order(mine).expected_on) == (MON, MON)
    untouched = workshop.order(other)
    move_lamps(workshop, 30)
    order = workshop.order(mine)
    assert (order.promised_on, order.expected_on) == (MON, TUE)
    assert workshop.order(other) == untouched
    assert mails(workshop) == ["order_confirmed", "order_confirmed", "day_moved"]
    mail = workshop.letter(workshop.rows(OutboxMessage)[-1])
    [slip] = workshop.rows(Slip)
    assert mail["choose"] == f"http://localhost/o/{mine.order_token}/moved/{slip.id}"
    assert (mail["item"], mail["expected_on"], mail["others"]) == ("Lamp", "2026-12-01", [])
    assert (slip.state, [(one["name"], one["promised_on"], one["expected_on"]) for one in slip.lines]) == (
        "open",
        [("Stool", "2026-11-30", "2026-12-01"), ("Lamp", "2026-11-30", "2026-12-01")],
    )
    assert order.slip_id == slip.id


def test_a_change_that_moves_no_day_says_nothing_and_a_second_slip_tells_again(workshop):
    mine = buy(workshop, LAMP=3)
    line = workshop.rows(t.PurchaseOrderLine)[0]
    workshop.do(purchasing.move_due, line.id, at(27, 12), version=line.version)  # later, and still sent on that day
    assert (mails(workshop), workshop.rows(Slip)) == (["order_confirmed"], [])
    move_lamps(workshop, 30)
    move_lamps(workshop, 3, 12)
    assert mails(workshop) == ["order_confirmed", "day_moved", "day_moved"]
    assert [one.state for one in workshop.rows(Slip)] == ["replaced", "open"]
    first, second = workshop.rows(Slip)
    old = workshop.shop.slips.get(mine.order_token, first.id, now=workshop.now)
    assert (old.state, old.newer_id) == ("replaced", second.id)
    assert (workshop.order(mine).promised_on, workshop.order(mine).expected_on) == (MON, NEXT)
    with pytest.raises(Refused) as refusal:
        choose(workshop, mine, "accept", slip_id=first.id)
    assert refusal.value.code == "newer_day"


def test_a_day_that_is_kept_after_all_is_good_news_and_leaves_nothing_to_choose(workshop):
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    move_lamps(workshop, 27)
    assert [one.state for one in workshop.rows(Slip)] == ["over"]
    mail = workshop.rows(OutboxMessage)[-1]
    assert (mail.kind, mail.payload["expected_on"], mail.payload["choose"]) == ("day_moved", "2026-11-30", "")
    assert slip_of(workshop, mine).state == "over"
    with pytest.raises(Refused) as refusal:
        choose(workshop, mine, "accept")
    assert refusal.value.code == "too_late_to_choose"


def test_who_agreed_is_not_asked_again_when_it_comes_earlier_than_that(workshop):
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    choose(workshop, mine, "accept")
    choose(workshop, mine, "accept")  # pressed twice
    move_lamps(workshop, 30)
    assert [one.state for one in workshop.rows(Slip)] == ["accepted"]
    assert workshop.rows(OutboxMessage)[-1].payload["choose"] == ""
    assert [(one.kind, one.values) for one in workshop.rows(Activity, kind="chosen")] == [("chosen", {"choice": "accepted"})]
    [entry] = workshop.rows(AuditEntry, action="slip.choose")
    assert (entry.actor, entry.subject, entry.details["choice"]) == (
        "customer",
        f"order:{workshop.order(mine).number}",
        "accepted",
    )
    assert [event.kind for event in workshop.order(mine).events] == ["order", "day_moved", "chosen", "day_moved"]
    move_lamps(workshop, 7, 12)
    assert [one.state for one in workshop.rows(Slip)] == ["accepted", "open"]  # later than they were told last: asked again


def test_another_choice_in_a_second_tab_is_refused_and_changes_nothing(workshop):
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    choose(workshop, mine, "accept")
    before = state(workshop)
    for choice in ("cancel", "part"):
        with pytest.raises(Refused) as refusal:
            choose(workshop, mine, choice)
        assert refusal.value.code == "already_chosen"
    assert state(workshop) == before
    seen = slip_of(workshop, mine)
    assert (seen.state, seen.chosen_at, seen.parts, seen.options, seen.cancel_refund) == ("accepted", workshop.now, [], [], None)


def test_a_slip_is_found_by_its_own_order_alone(workshop):
    mine, other = buy(workshop, LAMP=3), buy(workshop, LAMP=2)
    move_lamps(workshop, 3, 12)
    first, second = workshop.rows(Slip)
    for token, slip_id in ((mine.order_token, second.id), (other.order_token, first.id), (mine.order_token, 99)):
        with pytest.raises(NotFound) as missing:
            workshop.shop.slips.get(token, slip_id, now=workshop.now)
        assert missing.value.code == "unknown_slip"
        with pytest.raises(NotFound):
            workshop.shop.slips.choose(token, slip_id, "accept", "", now=workshop.now)
    with pytest.raises(NotFound):
        workshop.shop.slips.get("no-such-token", first.id, now=workshop.now)
    with pytest.raises(BadInput):
        choose(workshop, mine, "give me both")
    assert [one.state for one in workshop.rows(Slip)] == ["open", "open"]


def test_what_is_ready_is_sent_now_and_the_rest_follows_on_its_day(workshop):
    mine = buy(workshop, LAMP=3, STOOL=2)
    move_lamps(workshop, 3, 12)
    assert [(part.on, list(part.goods)) for part in slip_of(workshop, mine).parts] == [
        (MON, [("Stool", 2)]),
        (NEXT, [("Lamp", 3)]),
    ]
    choose(workshop, mine, "part")
    order = workshop.order(mine)
    assert [(one.state, one.expected_on, one.lines) for one in order.parcels] == [
        ("to_pick", MON, [("STOOL", "Stool", 2)]),
        ("waiting", NEXT, [("LAMP", "Lamp", 3)]),
    ]
    assert [(one.name, one.promised_on, one.expected_on) for one in order.lines] == [("Stool", MON, MON), ("Lamp", MON, NEXT)]
    assert mails(workshop).count("day_moved") == 1
    assert workshop.rows(t.Shipment)[0].ship_by_on == date(2026, 11, 24)


def test_a_line_of_which_a_part_is_here_is_parted_too(workshop):
    mine = buy(workshop, STOOL=5)
    workshop.do(counting.count_stock, workshop.rows(t.Item, sku="STOOL")[0].id, 1, 2, ref="count:1")
    parts = [(part.on, list(part.goods)) for part in slip_of(workshop, mine).parts]
    assert parts == [(WED, [("Stool", 2)]), (date(2026, 12, 2), [("Stool", 3)])]
    choose(workshop, mine, "part")
    assert [(one.state, one.expected_on, one.lines[0][2]) for one in workshop.order(mine).parcels] == [
        ("to_pick", WED, 2),
        ("waiting", date(2026, 12, 2), 3),
    ]
    assert workshop.stock("STOOL") == (2, 2, 0)


def test_one_day_for_all_is_nothing_to_part(workshop):
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    assert slip_of(workshop, mine).parts == []
    before = state(workshop)
    with pytest.raises(Refused) as refusal:
        choose(workshop, mine, "part")
    assert (refusal.value.code, state(workshop)) == ("nothing_to_part", before)


def test_a_cheaper_one_that_comes_sooner_takes_its_place_and_the_difference_goes_back(workshop):
    stand_in(workshop, "LAMP", "STOOL")
    mine = buy(workshop, LAMP=3)  # 3 × 79.00, the stools 49.00
    paid = workshop.order(mine).total
    move_lamps(workshop, 3, 12)
    [option] = slip_of(workshop, mine).options
    assert (option.instead_of, option.sku, option.arrives_on, option.sooner) == ("Lamp", "STOOL", MON, True)
    assert (option.price, option.refund) == (Money(4_900, "EUR"), Money(9_000, "EUR"))
    choose(workshop, mine, "substitute", option.id)
    choose(workshop, mine, "substitute", option.id)  # pressed twice
    order = workshop.order(mine)
    [line] = order.lines
    assert (line.sku, line.quantity, line.unit_price, line.promised_on, line.expected_on) == (
        "STOOL",
        3,
        Money(4_900, "EUR"),
        MON,
        MON,
    )
    assert line.moved_because is None
    assert (paid, order.total) == (Money(24_200, "EUR"), Money(15_200, "EUR"))
    assert order.subtotal.amount_minor + order.shipping.amount_minor == order.total.amount_minor
    assert [(one.amount_minor, one.reason, one.state) for one in workshop.rows(Refund)] == [(9_000, "substitute", "requested")]
    assert [one.refunded_minor for one in workshop.rows(Payment)] == [9_000]
    assert workshop.stock("STOOL") == (5, 3, 0)
    assert workshop.rows(t.PurchaseOrderLine)[0].pegged == 0  # the lamps are free for others
    assert [(one.state, one.lines) for one in order.parcels] == [("to_pick", [("STOOL", "Stool", 3)])]
    seen = slip_of(workshop, mine)
    assert (seen.state, seen.item, seen.refund) == ("substituted", "Stool", Money(9_000, "EUR"))
    assert workshop.rows(Activity, kind="chosen")[0].values == {"choice": "substituted", "item": "Stool", "instead_of": "Lamp"}
    workshop.do(fulfilment.pick, workshop.rows(t.Shipment)[0].id, "STOOL", 3)


def test_the_rest_of_the_parcel_counts_for_when_a_substitute_arrives(workshop):
    """The table waits for the lamps, and is not late by itself: nothing is offered for it."""
    stand_in(workshop, "TABLE", "STOOL")
    stand_in(workshop, "LAMP", "STOOL")
    mine = buy(workshop, LAMP=3, TABLE=1)
    move_lamps(workshop, 3, 12)
    found = slip_of(workshop, mine).options
    assert [(one.instead_of, one.arrives_on, one.sooner) for one in found] == [("Lamp", MON, True)]


@pytest.mark.parametrize("price_minor", [7_901, 7_900])
def test_nothing_dearer_is_offered_and_the_same_price_only_if_it_is_sooner(workshop, price_minor):
    stand_in(workshop, "LAMP", "STOOL", price_minor=price_minor)
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    found = slip_of(workshop, mine).options
    assert [(one.sku, one.refund) for one in found] == ([("STOOL", None)] if price_minor == 7_900 else [])
    if found:
        choose(workshop, mine, "substitute", found[0].id)
        assert workshop.rows(Refund) == []
        assert workshop.order(mine).total == Money(24_200, "EUR")


def test_a_substitute_is_taken_only_as_it_was_shown(workshop):
    stand_in(workshop, "LAMP", "STOOL")
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    [option] = slip_of(workshop, mine).options
    workshop.db.run(lambda session: session.execute(sa.update(t.Item).where(t.Item.sku == "STOOL").values(price_minor=5_000)))
    before = state(workshop)
    for wrong in (option.id, "", f"{workshop.rows(OrderLine)[0].id}:TABLE:1:2026-11-30"):
        with pytest.raises(Refused) as refusal:
            choose(workshop, mine, "substitute", wrong)
        assert (refusal.value.code, state(workshop)) == ("offer_changed", before)
    buy(workshop, STOOL=4)
    assert slip_of(workshop, mine).options == []  # one stool is left


def test_everything_back(workshop):
    mine = buy(workshop, LAMP=3, STOOL=2)
    move_lamps(workshop, 3, 12)
    assert slip_of(workshop, mine).cancel_refund == Money(3 * 7_900 + 2 * 4_900 + 500, "EUR")
    choose(workshop, mine, "cancel")
    choose(workshop, mine, "cancel")
    assert [one.state for one in workshop.rows(Order)] == ["cancelled"]
    assert [(one.amount_minor, one.reason) for one in workshop.rows(Refund)] == [(34_000, "cancelled")]
    assert mails(workshop) == ["order_confirmed", "day_moved", "order_cancelled"]
    assert [one.state for one in workshop.rows(Slip)] == ["cancelled"]
    assert workshop.stock("STOOL") == (5, 0, 0)
    assert slip_of(workshop, mine).state == "cancelled"


def test_cancelled_on_the_order_page_leaves_nothing_to_choose(workshop):
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 3, 12)
    workshop.shop.orders.cancel(mine.order_token, key="k", now=workshop.now)
    assert [one.state for one in workshop.rows(Slip)] == ["over"]
    before = state(workshop)
    with pytest.raises(Refused) as refusal:
        choose(workshop, mine, "accept")
    assert (refusal.value.code, state(workshop)) == ("too_late_to_choose", before)


def test_what_is_being_picked_is_neither_parted_nor_swapped(workshop):
    stand_in(workshop, "LAMP", "STOOL")
    mine = buy(workshop, LAMP=3)
    move_lamps(workshop, 30)
    [option] = slip_of(workshop, mine).options
    line = workshop.rows(t.PurchaseOrderLine)[0]
    workshop.do(purchasing.receive, line.id, 10, ref="delivery")
    shipment = workshop.rows(t.Shipment)[0]
    workshop.do(fulfilment.pick, shipment.id, "LAMP", 3)
    before = state(workshop)
    for choice, code in (("substitute", "offer_changed"), ("part", "nothing_to_part")):
        with pytest.raises(Refused) as refusal:
            choose(workshop, mine, choice, option.id)
        assert (refusal.value.code, state(workshop)) == (code, before)
    workshop.do(fulfilment.pack, shipment.id)
    before = state(workshop)
    with pytest.raises(Refused) as refusal:
        choose(workshop, mine, "cancel")
    assert (refusal.value.code, state(workshop)) == ("too_late_to_cancel", before)
    assert slip_of(workshop, mine).cancel_refund is None
    workshop.do(fulfilment.ship, shipment.id, tracking="JD 1")
    assert slip_of(workshop, mine).state == "over"


def test_after_a_part_has_left_the_rest_can_still_be_agreed_to(workshop):
    mine = buy(workshop, LAMP=3, STOOL=2)
    move_lamps(workshop, 3, 12)
    workshop.do(lambda session, *, actor, now: splitting.send_part(session, workshop.rows(t.Shipment)[0].id, now=now))
    first = workshop.rows(t.Shipment)[0]
    workshop.do(fulfilment.pick, first.id, "STOOL", 2)
    workshop.do(fulfilment.pack, first.id)
    workshop.do(fulfilment.ship, first.id, tracking="JD 1")
    seen = slip_of(workshop, mine)
    assert (seen.state, seen.parts, seen.cancel_refund) == ("open", [], None)
    choose(workshop, mine, "accept")
    assert workshop.rows(Slip)[0].state == "accepted"


def test_sales_is_to_call_at_once_about_an_order_of_importance_and_no_more_once_it_is_chosen(workshop):
    mine = buy(workshop, LAMP=7)  # 558.00: from 500.00 on
    buy(workshop, LAMP=1)
    move_lamps(workshop, 30)
    [task] = workshop.rows(Lead)
    assert (task.kind, task.state, task.order_ref, task.source) == ("late_order", "new", workshop.order(mine).number, "plan")
    assert task.message == f"{task.order_ref}\n7 × Lamp: Mon 30 Nov → Tue 1 Dec"
    move_lamps(workshop, 3, 12)
    assert [one.message for one in workshop.rows(Lead)] == [f"{task.order_ref}\n7 × Lamp: Mon 30 Nov → Wed 2 Dec"]
    slip = next(one for one in workshop.rows(Slip, state="open") if one.lead_id)
    choose(workshop, mine, "accept", slip_id=slip.id)
    assert [one.state for one in workshop.rows(Lead)] == ["done"]


def test_sales_is_to_call_who_has_chosen_nothing_for_the_days_that_are_set(workshop):
    buy(workshop, LAMP=1)
    move_lamps(workshop, 30)
    assert slip_calls.call_silent(workshop.db, now=workshop.now + timedelta(days=2, seconds=-1)) == 0
    assert slip_calls.call_silent(workshop.db, now=workshop.now + timedelta(days=2)) == 1
    assert slip_calls.call_silent(workshop.db, now=workshop.now + timedelta(days=9)) == 0
    [task] = workshop.rows(Lead)
    assert (task.kind, task.state, workshop.rows(Slip)[0].lead_id) == ("late_order", "new", task.id)
    move_lamps(workshop, 27)
    assert [one.state for one in workshop.rows(Lead)] == ["done"]  # kept after all
