"""Promises with a margin learnt from what really came, worked out by hand. Now is Tuesday 24 November 2026, 09:00.

The lamps are due on Friday the 27th at 08:00: by the plan one arrives on Monday the 30th. At four of five promises kept, four
residuals of 0, 0, 1 and 2 open days make a margin of two: the ceil(5 x 0.8) = 4th of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import sqlalchemy as sa

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import OrderLine
from backoffice.erp import delivering, fulfilment, learning, margins, offers, production, purchasing, what_if
from backoffice.erp import models as t
from backoffice.erp.margins import Days
from tests.company import at, item_id

MON = date(2026, 11, 30)
TUE, WED, FRI, NEXT_TUE = (MON + timedelta(days=n) for n in (1, 2, 4, 8))


def teach(workshop, kind: str, source: str, days: Sequence[int], *, supplier: bool = False) -> None:
    """Let things of a source have come so many open days late."""

    def write(session) -> None:
        known = session.scalar(sa.select(sa.func.count()).select_from(t.Residual))
        who = session.scalars(sa.select(t.Supplier.id)).one() if supplier else None
        day = date(2026, 11, 2)
        session.add_all(
            t.Residual(
                kind=kind, source=source, supplier_id=who, ref=f"{kind}:-{known + n}", first_on=day, came_on=day, days=late,
                at=workshop.now,
            )
            for n, late in enumerate(days)
        )  # fmt: skip

    workshop.db.run(write)


def keep(workshop, level: int) -> None:
    """Let the company want `level` of 100 promises kept."""

    def change(session) -> None:
        session.get_one(t.Company, 1).service_level = level
        learning.learn_now(session, now=workshop.now)

    workshop.db.run(change)


def lamp(workshop) -> str:
    with workshop.db.read() as session:
        return margins.of_receipt(item_id(session, "LAMP"))


def learn_of_lamps(workshop) -> None:
    teach(workshop, "receipt", lamp(workshop), [0, 2, 1, 0], supplier=True)
    keep(workshop, 80)


def told(workshop) -> list[str]:
    """Return the kinds of the mails that were written about days."""
    return [one.kind for one in workshop.rows(OutboxMessage) if one.kind in ("day_moved", "day_unknown")]


def move(workshop, line: t.PurchaseOrderLine, day: int, month: int = 11) -> int:
    version = workshop.rows(t.PurchaseOrderLine, id=line.id)[0].version
    return workshop.do(purchasing.move_due, line.id, at(day, 8, month=month), version=version)


def test_the_margin_is_a_step_of_its_own_and_the_steps_sum_to_the_day(workshop):
    learn_of_lamps(workshop)
    promise = workshop.shop.promises.quote("LAMP", 1, postcode=None, cart=None, now=workshop.now)
    # two open days after Friday the 27th, 08:00, are Tuesday; it leaves then and arrives on Wednesday
    assert (promise.ready_at, promise.earliest_on, promise.deliver_on) == (at(1, 8, month=12), MON, WED)
    assert [step.kind for step in promise.steps] == ["receipt", "margin", "cutoff", "ship", "transit", "deliver"]
    for before, after in zip(promise.steps, promise.steps[1:], strict=False):
        assert before.ends_at == after.starts_at
    assert dict(promise.steps[1].details) == {"zone": "Europe/Berlin", "days": 2}


def test_every_door_names_the_same_day(workshop):
    learn_of_lamps(workshop)
    offers.freshen(workshop.db, now=workshop.now)
    listing = workshop.shop.catalogue.list_products(
        category=None, query=None, page=1, postcode=None, language="en", now=workshop.now
    )
    assert [card.promise.deliver_on for card in listing.cards if card.slug == "lamp"] == [WED]
    with workshop.db.read() as session:
        assert what_if.incoming(session, "LAMP", 1, now=workshop.now).promise.deliver_on == WED
    cart = workshop.cart(LAMP=1)
    assert (cart.deliver_on, cart.lines[0].promise.earliest_on) == (WED, MON)
    start = workshop.start(cart)
    workshop.pay(start)
    order = workshop.order(start)
    assert [(one.promised_on, one.expected_on) for one in order.lines] == [(WED, WED)]
    [line] = workshop.rows(OrderLine)
    assert (line.earliest_on, [step["kind"] for step in line.promise["steps"]][:2]) == (MON, ["receipt", "margin"])
    [parcel], [kept] = workshop.rows(t.Shipment), workshop.rows(t.Reservation, state="converted")
    assert (parcel.ship_by_on, parcel.expected_on) == (TUE, WED)
    assert (kept.ready_at, kept.margin_days) == (at(27, 8), 2)  # the plan itself stays plain


def test_off_is_as_it_was(workshop):
    days = {sku: workshop.day(sku) for sku in ("STOOL", "LAMP", "TABLE")}
    teach(workshop, "receipt", lamp(workshop), [9] * 30, supplier=True)
    teach(workshop, "made", "made:at:2", [9] * 30)
    keep(workshop, 0)
    assert {sku: workshop.day(sku) for sku in days} == days
    assert workshop.shop.promises.quote("LAMP", 1, postcode=None, cart=None, now=workshop.now).earliest_on is None
    keep(workshop, 95)
    later = {sku: workshop.day(sku) for sku in days}
    assert later["STOOL"] == days["STOOL"]  # what lies there can come no later
    assert (later["LAMP"], later["TABLE"]) == (date(2026, 12, 11), date(2026, 12, 8))  # nine open days after Friday, after today


def test_with_too_few_of_its_own_all_from_the_supplier_are_asked_then_the_kind(workshop):
    teach(workshop, "receipt", "receipt:item:0", [1, 1, 1, 1])
    keep(workshop, 80)
    assert workshop.day("LAMP") == TUE  # of the kind: one open day
    teach(workshop, "receipt", "receipt:item:0", [2, 2, 2, 2], supplier=True)
    keep(workshop, 80)
    assert workshop.day("LAMP") == WED  # of its supplier
    teach(workshop, "receipt", lamp(workshop), [0, 0, 0], supplier=True)
    keep(workshop, 80)
    assert workshop.day("LAMP") == WED  # three of its own are too few
    teach(workshop, "receipt", lamp(workshop), [0], supplier=True)
    keep(workshop, 80)
    assert workshop.day("LAMP") == MON


def test_a_move_within_the_margin_is_nobodys_news(workshop):
    learn_of_lamps(workshop)
    workshop.buy(LAMP=1)
    [line] = [one for one in workshop.rows(t.PurchaseOrderLine) if one.pegged]
    with workshop.db.read() as session:
        assert what_if.receipt_later(session, line.id, 3, now=workshop.now)[1].moved == []
    assert move(workshop, line, 30) == 1  # by the plan it arrives on Tuesday now, promised is Wednesday
    [of_order], [parcel] = workshop.rows(OrderLine), workshop.rows(t.Shipment)
    assert (of_order.expected_on, parcel.expected_on, parcel.ship_by_on, told(workshop)) == (WED, WED, TUE, [])
    # Thursday 3 December (when bought anew, too): by the plan Friday, after the promise; told is what is promised then
    workshop.now = at(26, 9)
    with workshop.db.read() as session:
        [supposed] = what_if.receipt_later(session, line.id, 3, now=workshop.now)[1].moved
    move(workshop, line, 3, month=12)
    [of_order] = workshop.rows(OrderLine)
    assert (of_order.promised_on, of_order.expected_on, told(workshop)) == (WED, NEXT_TUE, ["day_moved"])
    assert (supposed.before, supposed.after) == (WED, NEXT_TUE)
    move(workshop, line, 4, month=12)  # within the new margin
    assert (workshop.rows(OrderLine)[0].expected_on, told(workshop)) == (NEXT_TUE, ["day_moved"])
    move(workshop, line, 27)
    assert (workshop.rows(OrderLine)[0].expected_on, told(workshop)) == (WED, ["day_moved", "day_moved"])


def test_a_parcel_that_is_late_by_the_plan_alone_is_told_of_by_the_safe_day() -> None:
    def told(plan: int, safe: int, was: int, promised: int) -> int:
        days = [Days(date(2026, 12, day - 1), date(2026, 12, day)) for day in (plan, safe, was)]
        return margins.told(*days, date(2026, 12, promised)).deliver_on.day

    assert told(4, 6, 6, 6) == 6  # as promised
    assert told(6, 8, 6, 6) == 6  # the whole margin is used up, and it is kept still
    assert told(7, 9, 6, 6) == 9  # past it
    assert told(8, 10, 9, 6) == 9  # told of once, kept
    assert told(5, 7, 9, 6) == 7  # better news than was told
    assert told(3, 5, 9, 6) == 6  # never before the promise
    assert told(7, 7, 6, 6) == 7  # without a margin: the plan's day
    assert told(4, 4, 7, 6) == 6


def test_a_hold_keeps_its_day_when_the_margin_moves_and_offers_do_not(workshop):
    cart = workshop.cart(LAMP=1)
    learn_of_lamps(workshop)
    assert workshop.shop.carts.renew(cart.token, now=workshop.now).deliver_on == MON
    assert workshop.day("LAMP") == WED
    offers.freshen(workshop.db, now=workshop.now)
    assert not learning.learn(workshop.db, now=workshop.now)  # nothing has come since
    [offer] = [one for one in workshop_offers(workshop) if one.basis == "receipt"]
    assert (offer.ready_at, offer.valid_until > workshop.now) == (at(1, 8, month=12), True)
    teach(workshop, "receipt", lamp(workshop), [3], supplier=True)
    master = versions(workshop)
    assert learning.learn(workshop.db, now=workshop.now)  # the ceil(6 x 0.8) = 5th of 0, 0, 1, 2, 3
    assert versions(workshop) != master
    assert {one.valid_until for one in workshop_offers(workshop)} == {workshop.now}
    assert workshop.day("LAMP") == date(2026, 12, 3)


def workshop_offers(workshop) -> list[t.Offer]:
    with workshop.db.read() as session:
        return list(session.scalars(sa.select(t.Offer)))


def versions(workshop) -> int:
    with workshop.db.read() as session:
        return session.scalars(sa.select(t.PlanDomain.master_version).where(t.PlanDomain.id == 1)).one()


def residuals(workshop) -> list[tuple[str, str, date, date, int]]:
    return [(one.kind, one.source, one.first_on, one.came_on, one.days) for one in workshop.rows(t.Residual)]


def test_a_receipt_is_measured_by_its_first_day(workshop):
    [line] = workshop.rows(t.PurchaseOrderLine)
    move(workshop, line, 30)
    workshop.now = at(30, 15)
    workshop.do(purchasing.receive, line.id, 4, ref="r1")
    assert residuals(workshop) == []  # the rest is still to come
    workshop.now = at(1, 9, month=12)
    workshop.do(purchasing.receive, line.id, 6, ref="r2")
    assert residuals(workshop) == [("receipt", lamp(workshop), date(2026, 11, 27), TUE, 2)]


def test_production_is_measured_by_the_day_of_its_promise(workshop):
    workshop.buy(TABLE=1)
    top, table = sorted(workshop.rows(t.ProductionOrder), key=lambda one: one.ready_at)
    with workshop.db.read() as session:
        assembly = session.scalars(sa.select(t.WorkCentre.id).where(t.WorkCentre.code == "ASSEMBLY")).one()
    workshop.do(production.stop, assembly, workshop.now, at(25, 12), reason="")  # planned anew, and its first day stays
    workshop.now = at(27, 13)
    workshop.do(production.finish, top.id)
    workshop.do(production.finish, table.id)
    assert residuals(workshop) == [("made", f"made:at:{assembly}", date(2026, 11, 24), date(2026, 11, 27), 3)]


def test_what_waits_for_an_arrival_learns_for_that(workshop):
    workshop.cart(TABLE=4)  # four legs too few: the rest is bought
    with workshop.db.read() as session:
        leg = item_id(session, "LEG")
    assert {one.learns for one in workshop.rows(t.ProductionOrder)} == {"", f"made:item:{leg}"}


def test_a_parcel_is_measured_by_the_day_said_when_it_left(workshop):
    workshop.buy(STOOL=1)
    [parcel] = workshop.rows(t.Shipment)
    workshop.do(fulfilment.pick, parcel.id, "STOOL", 1)
    workshop.do(fulfilment.pack, parcel.id)
    workshop.do(fulfilment.ship, parcel.id, tracking="")
    workshop.now = at(27, 9)
    workshop.do(delivering.deliver, [parcel.id], date(2026, 11, 27))
    assert residuals(workshop) == [
        ("carrier", f"carrier:{parcel.warehouse_id}:Parcel Post", date(2026, 11, 25), date(2026, 11, 27), 2)
    ]


def teach_the_carrier(workshop) -> None:
    """Let its parcels have come 0, 0, 1 and 1 open days late: at 80 the fourth of them, one day, is kept in reserve."""
    teach(workshop, "carrier", "carrier:1:Parcel Post", [0, 1, 1, 0])
    keep(workshop, 80)


def test_a_carriers_margin_is_a_step_between_the_road_and_the_door_at_every_door(workshop):
    teach_the_carrier(workshop)
    wed, thu = date(2026, 11, 25), date(2026, 11, 26)
    promise = workshop.shop.promises.quote("STOOL", 1, postcode=None, cart=None, now=workshop.now)
    assert (promise.ship_on, promise.earliest_on, promise.deliver_on) == (date(2026, 11, 24), wed, thu)
    assert [step.kind for step in promise.steps] == ["stock", "cutoff", "ship", "transit", "carrier_margin", "deliver"]
    assert (dict(promise.steps[-2].details)["days"], promise.steps[-2].starts_at, promise.steps[-2].ends_at) == (
        1,
        at(25),
        at(26),
    )
    for before, after in zip(promise.steps, promise.steps[1:], strict=False):
        assert before.ends_at == after.starts_at
    offers.freshen(workshop.db, now=workshop.now)
    named = {"category": None, "query": None, "page": 1, "postcode": None, "language": "en", "now": workshop.now}
    cards = workshop.shop.catalogue.list_products(**named).cards
    assert [card.promise.deliver_on for card in cards if card.slug == "stool"] == [thu]
    order = workshop.buy(STOOL=1)
    assert [(one.promised_on, one.expected_on) for one in order.lines] == [(thu, thu)]
    assert workshop.rows(OrderLine)[0].earliest_on == wed
    keep(workshop, 0)
    assert workshop.day("STOOL") == wed


def test_both_margins_add_up_and_an_asked_day_counts_them(workshop):
    learn_of_lamps(workshop)
    teach_the_carrier(workshop)
    promise = workshop.shop.promises.quote("LAMP", 1, postcode=None, cart=None, now=workshop.now)
    # two of our days on Friday: it leaves on Tuesday; a day on the road and one in reserve: Thursday
    assert (promise.ship_on, promise.earliest_on, promise.deliver_on) == (TUE, MON, WED + timedelta(days=1))
    cart = workshop.cart(LAMP=2)
    assert not workshop.shop.carts.ask_for_day(cart.token, WED, now=workshop.now).in_time


def test_a_move_within_the_carriers_margin_is_nobodys_news_and_beyond_it_is(workshop):
    teach_the_carrier(workshop)
    workshop.buy(LAMP=1)  # Friday, on the road until Monday, in reserve until Tuesday
    [line] = workshop.rows(t.PurchaseOrderLine)
    move(workshop, line, 30)
    assert ([one.expected_on for one in workshop.rows(OrderLine)], told(workshop)) == ([TUE], [])
    move(workshop, line, 1, month=12)
    assert ([one.expected_on for one in workshop.rows(OrderLine)], told(workshop)) == ([WED + timedelta(days=1)], ["day_moved"])


def test_a_carrier_does_not_learn_its_margin_away(workshop):
    teach_the_carrier(workshop)
    workshop.buy(STOOL=1)
    [parcel] = workshop.rows(t.Shipment)
    workshop.do(fulfilment.pick, parcel.id, "STOOL", 1)
    workshop.do(fulfilment.pack, parcel.id)
    workshop.do(fulfilment.ship, parcel.id, tracking="")
    [parcel] = workshop.rows(t.Shipment)
    assert (parcel.carrier_on, parcel.expected_on) == (date(2026, 11, 25), date(2026, 11, 26))
    workshop.now = at(27, 9)
    workshop.do(delivering.deliver, [parcel.id], date(2026, 11, 26))  # as promised, and a day after the carrier's own
    assert residuals(workshop)[-1][-1] == 1


def test_an_asked_day_counts_the_margin_in_what_would_be_in_time(workshop):
    by_the_plan = workshop.cart(LAMP=2)
    asked = workshop.shop.carts.ask_for_day(by_the_plan.token, MON, now=workshop.now)
    assert (asked.in_time, asked.deliver_on) == (True, MON)
    learn_of_lamps(workshop)
    promised = workshop.cart(LAMP=2)
    asked = workshop.shop.carts.ask_for_day(promised.token, MON, now=workshop.now)
    assert (asked.in_time, asked.deliver_on) == (False, WED)
    assert asked.lines[0].most_in_time == 0  # by the plan alone it would be both
