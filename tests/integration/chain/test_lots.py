"""Goods that expire: received, promised, picked, counted and written off by lot; nothing too old is promised or leaves the house.

It is Tuesday 24 November, 09:00. What leaves today arrives on Wednesday in Berlin (10…), on Thursday in Munich (80…).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import verify
from backoffice.erp import allotting, claiming, counting, expiring, fulfilment, lots, production, purchasing, splitting
from backoffice.erp import models as t
from backoffice.erp.purchasing import Arrived
from backoffice.public.errors import BadInput, Refused, ShopError
from tests.company import at, item_id
from tests.integration.chain.conftest import Workshop

BY = {"by": "petra@werk.test", "role": "planner"}


def keep(workshop: Workshop, sku: str, days_left: int | None) -> None:
    workshop.db.run(lambda session: expiring.keep_in_lots(session, item_id(session, sku), days_left, **BY, now=workshop.now))


def order(workshop: Workshop, sku: str, quantity: int) -> int:
    """Order something; return the purchase order line."""

    def work(session: Any) -> int:
        number = f"PO-{sku}-{session.scalar(sa.select(sa.func.count()).select_from(t.PurchaseOrder))}"
        row = t.PurchaseOrder(number=number, supplier_id=1, state="ordered", ordered_at=workshop.now)
        session.add(row)
        session.flush()
        due_at = workshop.now + timedelta(days=2)
        line = t.PurchaseOrderLine(purchase_order_id=row.id, item_id=item_id(session, sku), quantity=quantity, due_at=due_at)
        session.add(line)
        session.flush()
        return line.id

    return workshop.db.run(work)


def receive(workshop: Workshop, sku: str, quantity: int, number: str, best_before_on: date, line: int | None = None) -> None:
    line = line or order(workshop, sku, quantity)
    workshop.do(purchasing.receive, line, quantity, lot=Arrived(number, best_before_on), ref=f"in:{line}:{number}")


def on_shelf(workshop: Workshop) -> dict[str, tuple[int, int]]:
    """Return lot → (on hand, promised)."""
    return {one.number: (one.on_hand, one.pegged) for one in workshop.rows(t.StockLot)}


def named(workshop: Workshop) -> dict[str, int]:
    """Return lot → how much of it is promised to somebody, by what is written at the promises."""
    numbers = {one.id: one.number for one in workshop.rows(t.StockLot)}
    found: dict[str, int] = {}
    for peg in workshop.rows(t.Peg, used=False):
        if peg.lot_id:
            found[numbers[peg.lot_id]] = found.get(numbers[peg.lot_id], 0) + peg.quantity
    return found


def ledger(workshop: Workshop, cause: str) -> dict[str, int]:
    numbers = {one.id: one.number for one in workshop.rows(t.StockLot)}
    found: dict[str, int] = {}
    for one in workshop.rows(t.StockMovement, cause=cause):
        if one.lot_id:
            found[numbers[one.lot_id]] = found.get(numbers[one.lot_id], 0) + one.delta
    return found


@pytest.fixture
def vases(workshop: Workshop) -> Workshop:
    """Vases keep for three days after they have arrived: three of lot A are good until 5 December, three of B until the 20th."""
    keep(workshop, "VASE", 3)
    receive(workshop, "VASE", 3, "B", date(2026, 12, 20))
    receive(workshop, "VASE", 3, "A", date(2026, 12, 5))
    return workshop


def test_goods_come_in_by_lot(vases: Workshop) -> None:
    assert on_shelf(vases) == {"A": (3, 0), "B": (3, 0)}
    assert vases.stock("VASE") == (6, 0, 0)
    assert ledger(vases, "receipt") == {"A": 3, "B": 3}
    assert vases.day("VASE") == date(2026, 11, 25)


@pytest.mark.parametrize(
    ("lot", "code", "fields"),
    [
        (None, "invalid_form", {"lot": "required", "best_before_on": "required"}),
        (Arrived("C", date(2026, 11, 23)), "invalid_form", {"best_before_on": "past_date"}),
        (Arrived("  ", date(2026, 12, 9)), "invalid_form", {"lot": "required"}),
        (Arrived("A", date(2026, 12, 6)), "other_best_before", {}),  # A is good until the 5th, as noted
    ],
)
def test_what_is_wrong_about_a_lot_is_refused(vases: Workshop, lot: Arrived | None, code: str, fields: dict[str, str]) -> None:
    line = order(vases, "VASE", 2)
    with pytest.raises((BadInput, Refused)) as refused:
        vases.do(purchasing.receive, line, 2, lot=lot, ref="in:wrong")
    assert (refused.value.code, getattr(refused.value, "fields", {})) == (code, fields)
    assert on_shelf(vases) == {"A": (3, 0), "B": (3, 0)}
    assert vases.rows(t.PurchaseOrderLine, id=line)[0].received == 0


def test_a_lot_counts_only_as_long_as_it_is_good_when_it_arrives(workshop: Workshop) -> None:
    keep(workshop, "VASE", 3)
    receive(workshop, "VASE", 2, "A", date(2026, 11, 28))
    assert workshop.day("VASE", postcode="10115") == date(2026, 11, 25)  # three days are left
    with pytest.raises(Refused) as refused:
        workshop.day("VASE", postcode="80331")  # on Thursday two would be
    assert (refused.value.code, refused.value.details["most"]) == ("not_available", 0)
    assert "vase" in workshop.listed()
    workshop.now = at(24, 15)  # after the cut-off nobody can have it any more: no job has run
    with pytest.raises(Refused):
        workshop.day("VASE", postcode="10115")
    workshop.services.db.run(lambda session: session.execute(sa.update(t.Offer).values(valid_until=workshop.now)))
    assert "vase" not in workshop.listed()


def test_what_expires_first_goes_first(vases: Workshop) -> None:
    vases.buy(VASE=4)
    assert named(vases) == {"A": 3, "B": 1}
    assert on_shelf(vases) == {"A": (3, 3), "B": (3, 1)}
    cart = vases.cart(VASE=2)
    assert named(vases) == {"A": 3, "B": 3}
    with pytest.raises(Refused):
        vases.cart(VASE=1)
    vases.shop.carts.set_quantity(cart.token, "VASE", 0, now=vases.now)
    assert on_shelf(vases) == {"A": (3, 3), "B": (3, 1)}


def test_a_parcel_is_picked_from_the_lots_that_are_named(vases: Workshop) -> None:
    vases.buy(VASE=4)
    [shipment] = vases.rows(t.Shipment)
    with vases.db.read() as session:
        of = lots.named_for(session, [1])[1]
        assert [(lot.number, peg.quantity) for peg, lot in of] == [("A", 3), ("B", 1)]
    vases.do(fulfilment.pick, shipment.id, "VASE", 2)
    vases.do(fulfilment.pick, shipment.id, "a", 1)  # a lot may be scanned instead of the item
    with pytest.raises(ShopError) as refused:
        vases.do(fulfilment.pick, shipment.id, "A", 1)  # none of A is free
    assert refused.value.code == "lot_promised"
    vases.do(fulfilment.unpick, shipment.id, "VASE", 1)
    vases.do(fulfilment.pick, shipment.id, "B", 2)  # somebody takes B: what was named of A is free for others
    assert on_shelf(vases) == {"A": (3, 2), "B": (3, 2)}
    vases.do(fulfilment.pack, shipment.id)
    vases.do(fulfilment.ship, shipment.id, tracking="")
    assert ledger(vases, "shipment") == {"A": -2, "B": -2}
    assert on_shelf(vases) == {"A": (1, 0), "B": (1, 0)}
    assert vases.stock("VASE") == (2, 0, 0)


def test_a_lot_that_is_too_old_by_now_is_not_picked(workshop: Workshop) -> None:
    keep(workshop, "VASE", 3)
    receive(workshop, "VASE", 1, "A", date(2026, 11, 28))
    workshop.buy(VASE=1)
    [shipment] = workshop.rows(t.Shipment)
    receive(workshop, "VASE", 1, "B", date(2026, 12, 20))
    workshop.now = at(25, 9)
    with pytest.raises(Refused) as refused:
        workshop.do(fulfilment.pick, shipment.id, "VASE", 1)
    assert (refused.value.code, refused.value.details["number"]) == ("lot_too_old", "A")
    assert workshop.rows(t.Shipment)[0].state == "to_pick"
    workshop.do(fulfilment.pick, shipment.id, "B", 1)
    assert on_shelf(workshop) == {"A": (1, 0), "B": (1, 1)}
    workshop.do(fulfilment.unpick, shipment.id, "B", 1)
    with pytest.raises(Refused) as refused:
        workshop.do(fulfilment.pick, shipment.id, "A", 1)  # not even if somebody has it in hand
    assert refused.value.code == "lot_too_old"
    assert on_shelf(workshop) == {"A": (1, 0), "B": (1, 1)}


def test_fewer_of_a_lot_than_noted_come_from_another(vases: Workshop) -> None:
    vases.buy(VASE=4)
    [shipment] = vases.rows(t.Shipment)
    vases.do(fulfilment.pick, shipment.id, "VASE", 1)
    vases.do(splitting.short_pick, shipment.id, "VASE", 1, lot="A")  # of three of A one is there, and the one of B
    assert [one.quantity for one in vases.rows(t.ShipmentLine)] == [2, 2]
    assert on_shelf(vases) == {"A": (1, 1), "B": (3, 3)}
    assert ledger(vases, "count") == {"A": -2}
    assert [one.missing for one in vases.rows(t.ShortPick)] == [2]


def test_what_was_picked_of_a_lot_that_is_not_there_is_not_in_the_parcel(vases: Workshop) -> None:
    vases.buy(VASE=4)
    [shipment] = vases.rows(t.Shipment)
    vases.do(fulfilment.pick, shipment.id, "A", 2)
    vases.do(splitting.short_pick, shipment.id, "VASE", 0, lot="A")
    assert [(one.quantity, one.picked) for one in vases.rows(t.ShipmentLine)] == [(1, 0), (3, 0)]
    vases.do(fulfilment.pick, shipment.id, "VASE", 1)
    assert [(one.quantity, one.picked) for one in vases.rows(t.Peg) if one.lot_id and one.reservation_id == 1] == [(1, 1)]


def test_what_waited_too_long_finds_another_lot(vases: Workshop) -> None:
    made = vases.buy(VASE=3)
    assert named(vases) == {"A": 3}
    vases.now = at(2, 9, month=12)  # it could arrive on the 3rd, and A would then be good for two days
    vases.db.run(lambda session: expiring.let_go(session, now=vases.now))
    assert named(vases) == {"B": 3}
    assert on_shelf(vases) == {"A": (3, 0), "B": (3, 3)}
    assert expiring.sweep(vases.db, now=vases.now) == 0
    with vases.db.read() as session:
        assert [lot.number for lot, _ in lots.expiring(session, date(2026, 12, 3))] == ["A"]
        assert lots.expiring(session, date(2026, 12, 2)) == []  # who has come for it could still take it
    assert made.number == vases.orders()[0].number


def test_what_is_too_old_is_written_off_and_nothing_else(vases: Workshop) -> None:
    a, b = (next(one for one in vases.rows(t.StockLot) if one.number == number) for number in "AB")
    with pytest.raises(Refused) as refused:
        vases.do(expiring.write_off, a.id, ref="off:1")
    assert refused.value.code == "lot_still_good"
    vases.now = at(3, 9, month=12)
    assert vases.do(expiring.write_off, a.id, ref="off:1") == 3
    assert on_shelf(vases) == {"A": (0, 0), "B": (3, 0)}
    assert ledger(vases, "expired") == {"A": -3}
    assert vases.stock("VASE") == (3, 0, 0)
    assert b.on_hand == 3


def test_a_lot_is_counted_by_itself(vases: Workshop) -> None:
    vases.buy(VASE=3)
    [a] = [one for one in vases.rows(t.StockLot) if one.number == "A"]
    with pytest.raises(Refused) as refused:
        vases.do(counting.count_stock, a.item_id, 1, 5, ref="count:1")
    assert refused.value.code == "lot_missing"
    vases.do(counting.count_stock, a.item_id, 1, 1, lot_id=a.id, ref="count:2")
    assert on_shelf(vases) == {"A": (1, 1), "B": (3, 2)}  # the promise of three found two of them elsewhere
    assert ledger(vases, "count") == {"A": -2}


def test_what_comes_too_old_for_who_waits_is_not_theirs(workshop: Workshop) -> None:
    keep(workshop, "LAMP", 10)
    workshop.buy(LAMP=4)  # waits for Friday's receipt of ten, arrives on Monday the 30th
    [waiting] = [one for one in workshop.rows(t.Peg) if one.kind == "receipt"]
    assert waiting.use_on == date(2026, 11, 30)
    [line] = workshop.rows(t.PurchaseOrderLine)
    workshop.now = at(26, 15)  # a day early, and what leaves now arrives on Monday all the same
    receive(workshop, "LAMP", 3, "OLD", date(2026, 12, 9), line.id)  # nine days would be left: they wait for the others
    assert on_shelf(workshop) == {"OLD": (3, 0)}
    assert workshop.rows(t.Peg)[0].kind == "receipt"
    receive(workshop, "LAMP", 5, "ELDER", date(2026, 12, 8), line.id)  # two are still to come, of four
    assert on_shelf(workshop) == {"ELDER": (5, 0), "OLD": (3, 0)}
    lines = {one.purchase_order_line_id: one.quantity for one in workshop.rows(t.Peg)}
    assert sorted(lines.values()) == [2, 2]  # two wait on, for two others are to be ordered
    assert line.id in lines


def test_a_parcel_that_leaves_later_needs_goods_that_are_good_for_longer(workshop: Workshop) -> None:
    keep(workshop, "LAMP", 10)
    workshop.buy(LAMP=4)  # waits for Friday's receipt of ten, was to arrive on Monday the 30th
    [line] = workshop.rows(t.PurchaseOrderLine)

    def move(session: Session) -> dict[int, date]:
        [parcel] = session.scalars(sa.select(t.Shipment))
        parcel.expected_on = date(2026, 12, 2)
        session.flush()
        [peg] = session.scalars(sa.select(t.Peg))
        return {peg.id: peg.use_on} if peg.use_on else {}

    noted = workshop.db.run(move)
    assert list(noted.values()) == [date(2026, 11, 30)]
    with workshop.db.read() as session:
        assert claiming.use_days(session, noted) == dict.fromkeys(noted, date(2026, 12, 2))
        lamps, nobody = [item_id(session, "LAMP")], sa.false()
        [claim] = claiming.claims(session, lamps, 1, nobody, receipts=True, now=workshop.now)
        assert claim.use_on == date(2026, 12, 2)
    receive(workshop, "LAMP", 3, "OLD", date(2026, 12, 10), line.id)  # ten days left on Monday, nine on Wednesday
    assert on_shelf(workshop) == {"OLD": (3, 0)}


def test_work_takes_a_lot_that_is_good_when_it_begins(workshop: Workshop) -> None:
    legs = item_id_of(workshop, "LEG")
    workshop.do(counting.count_stock, legs, 1, 0, ref="empty")
    keep(workshop, "LEG", 0)
    receive(workshop, "LEG", 4, "SOON", date(2026, 11, 24))
    receive(workshop, "LEG", 8, "LATER", date(2026, 12, 24))
    workshop.buy(TABLE=1)  # its top is sawn first; the legs are needed on the day they are put on
    [made] = [one for one in workshop.rows(t.ProductionOrder) if one.item_id == item_id_of(workshop, "TABLE")]
    [peg] = [one for one in workshop.rows(t.Peg) if one.item_id == legs]
    assert (named(workshop), peg.use_on) == ({"SOON": 4}, made.starts_at.date())
    for one in sorted(workshop.rows(t.ProductionOrder), key=lambda row: row.starts_at):
        workshop.do(production.finish, one.id)
    assert ledger(workshop, "consumption") == {"SOON": -4}
    assert on_shelf(workshop) == {"SOON": (0, 0), "LATER": (8, 0)}


def item_id_of(workshop: Workshop, sku: str) -> int:
    with workshop.db.read() as session:
        return item_id(session, sku)


@pytest.mark.parametrize(
    ("sku", "days_left", "code"),
    [("STOOL", 3, "still_on_hand"), ("TABLE", 3, "made_here"), ("VASE", None, "still_on_hand"), ("VASE", -1, "invalid_form")],
)
def test_what_is_kept_in_lots_is_refused_where_it_makes_no_sense(
    vases: Workshop, sku: str, days_left: int | None, code: str
) -> None:
    with pytest.raises(ShopError) as refused:
        keep(vases, sku, days_left)
    assert refused.value.code == code
    assert {one.sku: one.days_left for one in vases.rows(t.Item) if one.days_left is not None} == {"VASE": 3}


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (
            "UPDATE stock_lot SET on_hand = on_hand + 1 WHERE number = 'B'",
            [
                "I1 lot 1 (B): 4 on hand, the ledger has 3; 1 promised, pegs have 1",
                "I1 item 2 in warehouse 1: 6 on hand, its lots have 7",
            ],
        ),
        (
            "UPDATE stock_lot SET pegged = 0 WHERE number = 'B'",
            ["I1 lot 1 (B): 3 on hand, the ledger has 3; 0 promised, pegs have 1"],
        ),
        (
            "UPDATE peg SET lot_id = NULL WHERE lot_id = 1",
            [
                "I1 lot 1 (B): 3 on hand, the ledger has 3; 1 promised, pegs have 0",
                "I2 peg 2 of 1 stands on stock of item 2 and names no lot of it",
            ],
        ),
    ],
)
def test_what_does_not_add_up_is_found(vases: Workshop, plant: str, found: list[str]) -> None:
    vases.buy(VASE=4)
    with Session(vases.db.engine) as session:  # and nothing of it stays
        session.execute(sa.text(plant))
        assert [line for line in verify.breaches(session, now=vases.now) if "mail" not in line] == found


def test_nothing_that_expires_is_kept_for_a_class(vases: Workshop) -> None:
    with pytest.raises(Refused) as refused:
        vases.db.run(lambda s: allotting.set_aside(s, item_id(s, "VASE"), "key", 1, date(2026, 12, 1), **BY, now=vases.now))
    assert refused.value.code == "kept_in_lots"
    assert vases.rows(t.Allotment) == []


def test_a_promise_makes_room_for_one_that_cannot_wait(workshop: Workshop) -> None:
    keep(workshop, "LAMP", 0)
    receive(workshop, "LAMP", 2, "A", date(2026, 12, 24))
    first = workshop.buy(LAMP=4)  # two of A, and two of Friday's
    assert named(workshop) == {"A": 2}
    [shipment] = workshop.rows(t.Shipment)
    assert (shipment.state, workshop.day("LAMP")) == ("waiting", date(2026, 11, 25))
    workshop.buy(LAMP=2)  # today's: the first waits for Friday's anyway
    assert [(one.reservation_id, one.kind, one.quantity) for one in workshop.rows(t.Peg)] == [
        (1, "receipt", 2),
        (1, "receipt", 2),
        (2, "stock", 2),
    ]
    assert [one.state for one in workshop.rows(t.Shipment)] == ["waiting", "to_pick"]
    assert first.number == workshop.orders()[0].number
