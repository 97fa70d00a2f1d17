"""Six messages of one payment that contradict each other, in 720 orders, once and again: one end, whatever the order.

Here every fifteenth order is tried; `make bench-faults SHARD=money` tries them all.

Each order begins at the same moment: everything happens inside one transaction that is then taken back.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Lead, Order
from backoffice.erp.models import HeldOrder, Item, Stock
from backoffice.payments.models import Payment, PaymentEvent, Refund
from tests.integration.payments.conftest import Paying
from tests.invariants import breaches

T = TypeVar("T")
KINDS = [
    "checkout.session.completed",  # the money is on its way
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "refund.created",
    "charge.dispute.created",
    "checkout.session.expired",
]


class OneTransaction:
    """Stands where the database stands: each use case is a savepoint of one transaction."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def run(self, work: Callable[[Session], T]) -> T:
        """Run one use case; what it did is not seen again from memory."""
        with self.session.begin_nested():
            done = work(self.session)
        self.session.expire_all()
        return done

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Read what the transaction has written."""
        yield self.session


def messages(paying: Paying) -> list[dict[str, Any]]:
    """Return the six messages of a payment of one stool, and leave it as it was before any of them came."""
    start = paying.start(paying.cart(STOOL=1))
    session = paying.session(start)
    paying.double.pay(session, slow=True)
    paying.double.money_comes(session, well=False)
    paying.double.money_comes(session)
    paying.double.refund_by_hand(session, 700)
    paying.double.dispute(session)
    news = list(paying.double.events)
    over = copy.deepcopy(news[0])
    over |= {"id": "evt_over", "type": KINDS[-1]}
    over["data"]["object"] |= {"status": "expired", "payment_intent": None}
    assert [one["type"] for one in (*news, over)] == KINDS
    return [*news, over]


def ended(session: Session) -> dict[str, Any]:
    """Return what a message may change."""
    stock = sa.select(Stock.on_hand, Stock.allocated, Stock.reserved).join(Item, Item.id == Stock.item_id)
    return {
        "payment": session.execute(sa.select(Payment.state, Payment.refunded_minor, Payment.problem)).all(),
        "orders": session.scalars(sa.select(Order.state)).all(),
        "refunds": session.execute(sa.select(Refund.amount_minor, Refund.state, Refund.reason)).all(),
        "stock": session.execute(stock.where(Item.sku == "STOOL")).all(),
        "mails": sorted(session.scalars(sa.select(OutboxMessage.kind).where(OutboxMessage.target == "mail"))),
        "tasks": session.execute(sa.select(Lead.kind, Lead.state)).all(),
        "held": len(session.scalars(sa.select(HeldOrder.order_ref)).all()),
        "events": len(session.scalars(sa.select(PaymentEvent.id)).all()),
    }


ONE_END = {
    "payment": [("disputed", 700, "")],
    "orders": ["confirmed"],
    "refunds": [(700, "succeeded", "by_provider")],
    "stock": [(5, 1, 0)],
    "mails": ["order_confirmed", "order_refunded"],
    "events": 6,
    "tasks": [("dispute", "new")],
    "held": 1,
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_all_orders_of_six_messages_have_one_end(paying: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    news = messages(paying)
    before = paying.state()
    orders = list(itertools.permutations(news))
    assert len(orders) == 720
    for order in orders[::15]:
        assert not differs(paying, order, monkeypatch)
    assert paying.state() == before


def differs(paying: Paying, order: Sequence[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> str:
    """Let messages arrive in an order, then again backwards, and take it all back; return what ended otherwise, if anything."""
    named = [one["type"] for one in order]
    with paying.db.write() as session:
        monkeypatch.setattr(paying.services.till, "db", OneTransaction(session))
        statuses = {paying.deliver(event).status_code for event in order}
        once = ended(session)
        statuses |= {paying.deliver(event).status_code for event in reversed(order)}
        found = (statuses, once, ended(session), list(breaches(session)))
        session.rollback()
        monkeypatch.undo()
    return "" if found == ({200}, ONE_END, ONE_END, []) else f"{named}: {found}"
