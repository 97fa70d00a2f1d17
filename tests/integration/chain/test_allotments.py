"""What is kept for a class of customers is theirs alone until its day: for holds, days, offers, plans made anew."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from backoffice.crm import parties
from backoffice.crm.models import Cart, Party
from backoffice.erp import allotting, counting, holds, in_time, offers, promising, purchasing, sources, stock, what_if
from backoffice.erp import models as t
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.company import at, item_id
from tests.integration.chain.conftest import Workshop
from tests.statements import count

DAY = date(2026, 12, 1)
BY = {"by": "petra@werk.test", "role": "planner"}


def keep(workshop: Workshop, sku: str = "STOOL", whose: str = "key", quantity: int = 3, until: date = DAY) -> int:
    def work(session):
        return allotting.set_aside(session, item_id(session, sku), whose, quantity, until, **BY, now=workshop.now).id

    return workshop.db.run(work)


def hold(workshop: Workshop, quantity: int, whose: str, sku: str = "STOOL", owner: str = "cart:9") -> int:
    def work(session):
        item = promising.get_item(session, sku)
        return holds.hold(session, item, quantity, owner=owner, minutes=15, customer_class=whose, now=workshop.now).id

    return workshop.db.run(work)


def figures(workshop: Workshop, sku: str = "STOOL") -> tuple[int, int, int, int]:
    """Return (on hand, allocated, reserved, allotted)."""
    with workshop.db.read() as session:
        row = stock.get_stock(session, item_id(session, sku), 1)
        return row.on_hand, row.allocated, row.reserved, row.allotted


def most(workshop: Workshop, whose: str) -> int:
    """Return how many stools somebody of a class is told that they could have when they ask for too many."""
    with pytest.raises(Refused) as refused:
        hold(workshop, 9, whose)
    return refused.value.details["most"]


def test_their_own_class_takes_it_first_and_nobody_else_does(workshop: Workshop) -> None:
    kept = keep(workshop)
    assert figures(workshop) == (5, 0, 0, 3)
    assert (most(workshop, "retail"), most(workshop, "trade"), most(workshop, "key")) == (2, 2, 5)
    first = hold(workshop, 4, "key")
    assert figures(workshop) == (5, 0, 4, 0)  # three that were kept, one of the two that were anybody's
    pegs = [(one.quantity, one.allotment_id) for one in workshop.rows(t.Peg)]
    assert sorted(pegs, key=str) == [(1, None), (3, kept)]
    assert most(workshop, "retail") == 1
    workshop.db.run(lambda session: holds.release(session, first, now=workshop.now))
    assert figures(workshop) == (5, 0, 0, 3)
    assert workshop.rows(t.Allotment)[0].taken == 0


def test_what_would_be_in_time_is_asked_for_their_class(workshop: Workshop) -> None:
    def stand_in(session) -> None:
        row = t.ItemSubstitute(item_id=item_id(session, "VASE"), substitute_id=item_id(session, "STOOL"), priority=1)
        session.add(row)

    keep(workshop, quantity=4)
    workshop.db.run(stand_in)

    def in_time_for(whose: str) -> tuple[int, list[str]]:
        asker = sources.Buyer("DE", "10115", customer_class=whose)
        with workshop.db.read() as session:
            stool, vase = promising.get_item(session, "STOOL"), promising.get_item(session, "VASE")
            most_of_it = in_time.most(session, stool, 5, asker, by=DAY, now=workshop.now)
            return most_of_it, [one.sku for one, _ in in_time.instead(session, vase, 3, asker, by=DAY, now=workshop.now)]

    assert (in_time_for("retail"), in_time_for("key")) == ((1, []), (5, ["STOOL"]))


def test_what_expired_goes_back_to_whom_it_was_kept_for(workshop: Workshop) -> None:
    keep(workshop)
    hold(workshop, 4, "key")
    workshop.now += timedelta(minutes=16)
    assert workshop.day("STOOL", 2) == date(2026, 11, 25)  # not swept yet: read as if it were
    with pytest.raises(Refused):
        workshop.day("STOOL", 3)
    hold(workshop, 2, "retail", owner="cart:1")
    assert figures(workshop) == (5, 0, 2, 3)


def test_pages_show_everybody_what_everybody_can_have(workshop: Workshop) -> None:
    assert "stool" in workshop.listed()
    keep(workshop, quantity=5)
    assert "stool" not in workshop.listed()
    assert hold(workshop, 5, "key")


def test_on_its_day_it_is_everybodys_without_anybody_doing_anything(workshop: Workshop) -> None:
    keep(workshop, quantity=5)
    assert "stool" not in workshop.listed()
    with workshop.db.read() as session:
        until = session.scalar(sa.select(t.Offer.valid_until).where(t.Offer.item_id == item_id(session, "STOOL")))
    assert until == workshop.now + timedelta(minutes=10)
    workshop.now = workshop.now.replace(day=30, hour=22, minute=59)  # 23:59 in Berlin
    offers.freshen(workshop.db, now=workshop.now)
    with workshop.db.read() as session:
        until = session.scalar(sa.select(t.Offer.valid_until).where(t.Offer.item_id == item_id(session, "STOOL")))
    assert until == workshop.now + timedelta(minutes=1)  # midnight
    assert "stool" not in workshop.listed()
    workshop.now += timedelta(minutes=1)
    assert "stool" in workshop.listed()
    assert workshop.day("STOOL", 5)
    hold(workshop, 1, "retail")
    assert figures(workshop) == (5, 0, 1, 0)
    assert workshop.rows(t.Allotment)[0].released_at == workshop.now


def test_the_sweeper_tidies_up_once(workshop: Workshop) -> None:
    keep(workshop)
    later = workshop.now + timedelta(days=8)
    assert workshop.db.run(lambda session: allotting.sweep(session, now=workshop.now)) == 0
    assert workshop.db.run(lambda session: allotting.sweep(session, now=later)) == 1
    assert workshop.db.run(lambda session: allotting.sweep(session, now=later)) == 0
    assert figures(workshop) == (5, 0, 0, 0)


def test_given_free_while_a_cart_holds_some_of_it(workshop: Workshop) -> None:
    kept = keep(workshop)
    held = hold(workshop, 2, "key")
    assert workshop.db.run(lambda session: allotting.release(session, kept, **BY, now=workshop.now)) == 1
    assert figures(workshop) == (5, 0, 2, 0)
    workshop.db.run(lambda session: holds.release(session, held, now=workshop.now))
    assert figures(workshop) == (5, 0, 0, 0)
    assert most(workshop, "retail") == 5
    with pytest.raises(NotFound):
        workshop.db.run(lambda session: allotting.release(session, 99, **BY, now=workshop.now))


def test_safety_stock_is_not_given_to_a_class(workshop: Workshop) -> None:
    def protect(session):
        session.get_one(t.Item, item_id(session, "STOOL")).safety_stock = 2

    workshop.db.run(protect)
    with pytest.raises(Refused):
        keep(workshop, quantity=4)
    keep(workshop, quantity=3)
    assert hold(workshop, 3, "key")


@pytest.mark.parametrize(
    ("whose", "quantity", "until", "field"),
    [("kings", 1, DAY, "customer_class"), ("key", 0, DAY, "quantity"), ("key", 1, date(2026, 11, 24), "release_on")],
)
def test_what_makes_no_sense_changes_nothing(workshop: Workshop, whose: str, quantity: int, until: date, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        keep(workshop, whose=whose, quantity=quantity, until=until)
    assert list(refused.value.fields) == [field]
    with pytest.raises(Refused):
        keep(workshop, quantity=6)
    assert (figures(workshop), workshop.rows(t.Allotment)) == ((5, 0, 0, 0), [])


def test_an_order_of_the_class_keeps_it_until_it_is_sent(workshop: Workshop) -> None:
    keep(workshop)
    cart = workshop.cart(STOOL=1)

    def known(session):
        session.scalars(sa.select(Cart)).one().customer_class = "key"

    workshop.db.run(known)
    cart = workshop.shop.carts.set_quantity(cart.token, "STOOL", 4, now=workshop.now)
    workshop.pay(workshop.start(cart))
    assert figures(workshop) == (5, 4, 0, 0)
    assert [one.customer_class for one in workshop.rows(t.Reservation, state="converted")] == ["key"]
    # three stools are lost: two stay with the order, the others are bought for it; what it gave back is still for its class
    stool = workshop.rows(t.Item, sku="STOOL")[0].id
    workshop.do(counting.count_stock, stool, 1, 2, ref="count:1")
    assert figures(workshop) == (2, 2, 0, 1)
    assert most(workshop, "retail") == 0


def test_components_are_kept_too(workshop: Workshop) -> None:
    keep(workshop, "LEG", quantity=12)
    assert workshop.day("TABLE", 1) == date(2026, 12, 1)  # legs are bought, as the twelve are not for everybody
    hold(workshop, 1, "key", "TABLE")
    assert figures(workshop, "LEG") == (12, 0, 4, 8)


def test_a_person_has_the_class_of_their_company(workshop: Workshop) -> None:
    def work(session):
        company = Party(kind="company", name="Big", customer_class="key", created_at=workshop.now)
        session.add(company)
        session.flush()
        person = Party(name="Ada", company_id=company.id, created_at=workshop.now)
        other = Party(name="Bea", company_id=company.id, customer_class="trade", created_at=workshop.now)
        session.add_all([person, other])
        session.flush()
        return [parties.class_of(session, one.id) for one in (company, person, other)]

    assert workshop.db.run(work) == ["key", "key", "trade"]


def test_without_allotments_a_hold_asks_nothing_more(workshop: Workshop) -> None:
    hold(workshop, 1, "retail")
    without = count(workshop.db, lambda: hold(workshop, 1, "retail"))
    keep(workshop, "LEG", quantity=1)
    hold(workshop, 1, "retail")  # the master data is read again
    assert count(workshop.db, lambda: hold(workshop, 1, "retail")) == without


def test_the_database_itself_refuses_what_is_kept(workshop: Workshop) -> None:
    kept = keep(workshop)

    def reserve(session):
        return stock.change(session, item_id(session, "STOOL"), 1, free=3, reserved=3)

    assert workshop.db.run(reserve) is False
    for whose, quantity in (("trade", 1), ("key", 4)):
        taken = {"customer_class": whose, "total": "reserved"}
        assert workshop.db.run(lambda session, n=quantity, by=taken: allotting.take(session, kept, n, **by)) is None
    assert figures(workshop) == (5, 0, 0, 3)
    with pytest.raises(sa.exc.IntegrityError):
        workshop.db.run(lambda session: session.execute(sa.update(t.Allotment).values(taken=4)))
    with pytest.raises(sa.exc.IntegrityError):
        workshop.db.run(lambda session: session.execute(sa.update(t.Stock).values(allotted=-1)))


def lamps(workshop: Workshop) -> tuple[int, int, int]:
    """Return (received, pegged, allotted) of the ten lamps that come on Friday."""
    line = workshop.rows(t.PurchaseOrderLine)[0]
    return line.received, line.pegged, line.allotted


def keep_lamps(workshop: Workshop, quantity: int) -> int:
    def work(session):
        kept = {"line_id": 1, **BY}
        return allotting.set_aside(session, item_id(session, "LAMP"), "key", quantity, DAY, **kept, now=workshop.now).id

    return workshop.db.run(work)


def test_what_is_still_to_come_is_kept_as_well(workshop: Workshop) -> None:
    keep_lamps(workshop, 6)
    assert lamps(workshop) == (0, 0, 6)
    assert workshop.day("LAMP", 4)
    with pytest.raises(Refused):
        workshop.day("LAMP", 5)
    first = hold(workshop, 7, "key", "LAMP")
    assert lamps(workshop) == (0, 7, 0)
    with pytest.raises(Refused):
        hold(workshop, 4, "key", "LAMP", owner="cart:2")
    workshop.db.run(lambda session: holds.release(session, first, now=workshop.now))
    assert lamps(workshop) == (0, 0, 6)
    with pytest.raises(Refused):
        keep_lamps(workshop, 5)
    with pytest.raises(NotFound):  # stools do not come with lamps
        workshop.db.run(
            lambda session: allotting.set_aside(
                session, item_id(session, "STOOL"), "key", 1, DAY, line_id=1, **BY, now=workshop.now
            )
        )
    assert lamps(workshop) == (0, 0, 6)


def test_what_arrives_of_it_is_kept_on_the_shelf(workshop: Workshop) -> None:
    keep_lamps(workshop, 6)
    hold(workshop, 2, "key", "LAMP")
    hold(workshop, 1, "retail", "LAMP", owner="cart:2")
    workshop.do(purchasing.receive, 1, 5, ref="delivery:1")  # two for the one cart, one for the other, two that are kept
    assert (lamps(workshop), figures(workshop, "LAMP")) == ((5, 0, 2), (5, 0, 3, 2))
    assert workshop.day("LAMP", 3)  # of the five to come
    with pytest.raises(Refused):
        workshop.day("LAMP", 4)
    workshop.do(purchasing.receive, 1, 5, ref="delivery:2")
    assert (lamps(workshop), figures(workshop, "LAMP")) == ((10, 0, 0), (10, 0, 3, 4))
    kept = [(one.quantity, one.taken, one.warehouse_id, one.purchase_order_line_id) for one in workshop.rows(t.Allotment)]
    assert kept == [(2, 2, None, 1), (2, 0, 1, None), (2, 0, 1, None)]
    assert hold(workshop, 7, "key", "LAMP", owner="cart:3")
    assert figures(workshop, "LAMP") == (10, 0, 10, 0)


def test_a_receipt_that_moves_takes_what_is_kept_of_it_along(workshop: Workshop) -> None:
    keep_lamps(workshop, 10)
    cart = workshop.shop.carts.add(None, "STOOL", 1, postcode=None, now=workshop.now)

    def known(session):
        session.scalars(sa.select(Cart)).one().customer_class = "key"

    workshop.db.run(known)
    cart = workshop.shop.carts.add(cart.token, "LAMP", 3, postcode=None, now=workshop.now)
    workshop.pay(workshop.start(cart))
    with workshop.db.read() as session:
        _, supposed = what_if.receipt_later(session, 1, 3, now=workshop.now)
    workshop.do(purchasing.move_due, 1, at(30, 8), version=1)
    assert {one.after for one in supposed.moved} == {date(2026, 12, 1)}  # the stool waits in the same parcel
    assert {one.ready_at for one in workshop.rows(t.Reservation) if one.quantity == 3} == {at(30, 8)}
    assert lamps(workshop) == (0, 3, 7)
