"""Kept promises, worked out by hand: the first promise, the width, the days ahead; the same on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import count

import pytest
from sqlalchemy.orm import Session

from backoffice.crm import kept_promises
from backoffice.crm.kept_promises import Kept
from backoffice.crm.models import Cart, Checkout, Order, OrderLine, Party
from backoffice.erp import models as t
from tests.company import item_id

TODAY = date(2026, 11, 24)
MADE = {"plan_version": 1}
numbers = count(1)


def utc(month: int, day: int, hour: int = 10, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    """Return an instant of 2026."""
    return datetime(2026, month, day, hour, minute, second, micro, tzinfo=UTC)


def order(
    session: Session,
    placed_at: datetime,
    promised_on: date,
    actual_on: date | None,
    *,
    basis: str = "stock",
    state: str = "delivered",
    expected_on: date | None = None,
) -> None:
    """Write an order of one line as it would stand at the end."""
    number, item = next(numbers), item_id(session, "STOOL")
    party = Party(kind="person", name="Ada", email=f"a{number}@example.test", created_at=placed_at)
    cart = Cart(token_hash=f"c{number}", country="DE", created_at=placed_at, updated_at=placed_at)
    kept = t.Reservation(
        item_id=item,
        quantity=1,
        state="released",
        owner_ref="",
        basis=basis,
        ready_at=placed_at,
        expires_at=placed_at,
        plan_version=1,
    )
    session.add_all([party, cart, kept])
    session.flush()
    words = dict.fromkeys(("email", "name", "street", "city", "postcode", "country", "currency", "base_url"), "")
    checkout = Checkout(
        key=f"k{number}", request_hash="", cart_id=cart.id, shipping_minor=0, total_minor=0, lines=[], **words,
        link_nonce="", token_hash=f"t{number}", created_at=placed_at,
    )  # fmt: skip
    session.add(checkout)
    session.flush()
    row = Order(
        number=f"SF-{number}", checkout_id=checkout.id, payment_id=number, party_id=party.id, state=state, currency="EUR",
        shipping_minor=0, total_minor=0, placed_at=placed_at,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(
        OrderLine(
            order_id=row.id, item_id=item, reservation_id=kept.id, sku="STOOL", name="Stool", quantity=1, unit_price_minor=0,
            basis=basis, promised_on=promised_on, expected_on=expected_on or promised_on, actual_on=actual_on, promise=MADE,
        )
    )  # fmt: skip


def october(session: Session) -> None:
    """Write what came due in October, by hand.

    stock: ahead 3, 3, 5; off 0, −1, +2 | production: one due and not here, one sent and not noted, one on its day.
    """
    order(session, utc(10, 2, 21, 59, 59, 700_000), date(2026, 10, 5), date(2026, 10, 5))  # 2 Oct 23:59:59.7 in Berlin
    order(session, utc(10, 3), date(2026, 10, 6), date(2026, 10, 5))
    order(session, utc(10, 1, 22, 0), date(2026, 10, 7), date(2026, 10, 9), expected_on=date(2026, 10, 9))  # 2 Oct 00:00
    order(session, utc(10, 6), date(2026, 10, 20), None, basis="make", state="confirmed", expected_on=date(2026, 12, 9))
    order(session, utc(10, 10), date(2026, 10, 20), None, basis="buy", state="shipped")
    order(session, utc(10, 12), date(2026, 10, 22), date(2026, 10, 22), basis="mixed")
    order(session, utc(10, 1), date(2026, 10, 9), None, state="cancelled")


def found(workshop, write, first: date = date(2026, 9, 15), last: date = date(2026, 12, 31)) -> list[Kept]:
    """Write orders and return what is counted."""
    workshop.db.run(write)
    with workshop.db.read() as session:
        return list(kept_promises.find_kept(session, first, last, today=TODAY))


def test_a_month_by_hand(workshop):
    month = date(2026, 10, 1)
    whole, stock, production = found(workshop, october)
    assert stock == Kept(month, "stock", 2, 1, 0, 3 + 3 + 5, 0, 2, -1, 2, -1, 2)
    assert production == Kept(month, "production", 1, 1, 1, 14 + 10 + 10, 0, 1, 0, 0, 0, 0)
    assert whole == Kept(month, None, 3, 2, 1, 45, 0, 3, -1, 2, -1, 2)
    assert (stock.rate, stock.width, stock.mean_days) == (2 / 3, 3, 11 / 3)
    assert (production.rate, production.width, production.mean_days) == (1 / 2, 0, 34 / 3)
    assert (whole.rate, whole.mean_days) == (3 / 5, 45 / 6)


def test_what_is_not_due_does_not_count_and_what_arrived_does(workshop):
    def november(session: Session) -> None:
        order(session, utc(11, 20), date(2026, 11, 24), None, basis="receipt", state="confirmed")  # today: not over yet
        order(session, utc(11, 20), date(2026, 11, 25), None, basis="receipt", state="shipped")
        order(session, utc(11, 19, 23, 0), date(2026, 11, 24), date(2026, 11, 23), basis="receipt")  # 20 Nov 00:00, winter time
        order(session, utc(11, 20), date(2026, 12, 1), date(2026, 11, 24), basis="make")

    months = found(workshop, november)
    assert months == [
        Kept(date(2026, 12, 1), None, 1, 0, 0, 11, 0, 1, -7, -7, -7, -7),
        Kept(date(2026, 12, 1), "production", 1, 0, 0, 11, 0, 1, -7, -7, -7, -7),
        Kept(date(2026, 11, 1), None, 1, 0, 0, 4, 0, 1, -1, -1, -1, -1),
        Kept(date(2026, 11, 1), "incoming", 1, 0, 0, 4, 0, 1, -1, -1, -1, -1),
    ]


def test_the_width_is_of_the_middle_eighty_of_a_hundred(workshop):
    offs = [-2, 0, 0, 0, 0, 0, 0, 0, 1, 5]  # of ten the first is the tenth, the ninth the ninetieth of a hundred

    def september(session: Session) -> None:
        for off in offs:
            order(session, utc(9, 5), date(2026, 9, 10), date(2026, 9, 10 + off))

    whole, stock = found(workshop, september)
    assert (stock.early, stock.late, stock.width, stock.earliest, stock.latest) == (-2, 1, 3, -2, 5)
    assert (stock.kept, stock.broken, stock.mean_days) == (8, 2, 5.0)
    assert (whole.early, whole.late) == (stock.early, stock.late)


def test_a_padded_promise_is_kept_and_seen(workshop):
    """Promising ten days more keeps every promise; the days ahead and the distance from the promise say at what price."""

    def two_months(session: Session) -> None:
        for off in (0, 1, 0, 2):
            order(session, utc(9, 3), date(2026, 9, 6), date(2026, 9, 6 + off))
            order(session, utc(10, 3), date(2026, 10, 16), date(2026, 10, 6 + off))

    padded, _, honest, _ = found(workshop, two_months)
    assert (honest.rate, honest.mean_days, (honest.early, honest.late)) == (0.5, 3.0, (0, 2))
    assert (padded.rate, padded.mean_days, (padded.early, padded.late)) == (1.0, 13.0, (-10, -8))


def test_only_the_months_asked_for(workshop):
    assert found(workshop, october, date(2026, 11, 3), date(2026, 11, 9)) == []
    assert len(found(workshop, lambda session: None, date(2026, 10, 31), date(2026, 10, 31))) == 3


@pytest.mark.parametrize(
    ("zone", "low", "high", "expected"),
    [
        ("UTC", utc(1, 1), utc(12, 1), [(utc(12, 1), 0)]),
        ("Europe/Berlin", utc(10, 1), utc(12, 1), [(utc(10, 25, 1), 7200), (utc(12, 1), 3600)]),
        ("Australia/Lord_Howe", utc(3, 1), utc(5, 1), [(utc(4, 4, 15), 39600), (utc(5, 1), 37800)]),
    ],
)
def test_changes_of_the_clocks(zone: str, low: datetime, high: datetime, expected: list[tuple[datetime, int]]) -> None:
    from zoneinfo import ZoneInfo

    assert kept_promises._offsets(ZoneInfo(zone), low, high) == expected
