"""Disputes: nothing leaves and nothing is paid twice while one is open; won it goes on, lost the money is written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Lead
from backoffice.erp import fulfilment, waves
from backoffice.erp import models as t
from backoffice.local.listening import INBOX, listen
from backoffice.payments import billing, cancelling, disputes
from backoffice.payments.models import Dispute, Payment, Refund
from backoffice.public.errors import Refused
from tests.integration.payments.conftest import Paying


def bought(paying: Paying) -> str:
    """Buy a stool; return the double's session."""
    start = paying.start(paying.cart(STOOL=1))
    paying.pay(start)
    return paying.session(start)


def told(paying: Paying) -> None:
    """Let the newest event arrive, twice."""
    for _ in range(2):
        assert paying.deliver(paying.double.events[-1]).status_code == 200


def tasks(paying: Paying) -> Sequence[tuple[str, str, Any]]:
    return [(one.kind, one.state, one.due_at) for one in paying.rows(Lead)]


def test_nothing_leaves_and_nothing_is_given_back_while_it_is_open(paying: Paying) -> None:
    session = bought(paying)
    dispute = paying.double.dispute(session)
    told(paying)
    assert paying.payment().state == "disputed"
    assert tasks(paying) == [("dispute", "new", paying.now + timedelta(days=7))]
    [parcel] = paying.rows(t.Shipment)
    with pytest.raises(Refused, match="on_hold"):
        paying.do(fulfilment.pick, parcel.id, "STOOL", 1)
    with pytest.raises(Refused, match="nothing_to_release"):
        paying.do(waves.release, parcel.warehouse_id, parcel.carrier, parcel.ship_by_on)
    assert paying.stock("STOOL") == (5, 1, 0)
    paying.double.dispute_ends(dispute["id"], "won")
    told(paying)
    assert (paying.payment().state, paying.payment().problem, tasks(paying)[0][1]) == ("succeeded", "", "done")
    paying.do(fulfilment.pick, parcel.id, "STOOL", 1)
    assert paying.refunds() == []


@pytest.mark.parametrize(
    ("end", "of_minor", "given", "state"),
    [
        ("won", 5_400, [(5_400, "succeeded", "cancelled")], "refunded"),
        ("lost", 5_400, [(5_400, "succeeded", "dispute")], "refunded"),  # the bank gave it back: nothing twice
        ("lost", 4_000, [(4_000, "succeeded", "dispute"), (1_400, "succeeded", "cancelled")], "refunded"),
    ],
)
def test_a_buyer_may_withdraw_meanwhile_and_the_money_follows_at_the_end(
    paying: Paying, end: str, of_minor: int, given: list[Any], state: str
) -> None:
    start = paying.start(paying.cart(STOOL=1))
    paying.pay(start)
    dispute = paying.double.dispute(paying.session(start), of_minor)
    told(paying)
    [line] = paying.shop.withdrawals.get(start.order_token, now=paying.now).lines
    for _ in range(2):  # pressed twice
        paying.shop.withdrawals.withdraw(start.order_token, {line.id: 1}, key="one", now=paying.now)
    assert (paying.orders()[0].state, paying.stock("STOOL")) == ("cancelled", (5, 0, 0))
    assert (paying.payment().state, paying.payment().problem, paying.refunds()) == ("disputed", cancelling.IN_DISPUTE, [])
    noted = [(one.kind, one.payload["charge"]) for one in paying.rows(OutboxMessage, target="mail")[1:]]
    assert noted == [("order_cancelled", "disputed"), ("withdrawal_noted", "disputed")]
    paying.double.dispute_ends(dispute["id"], end)
    told(paying)
    paying.work()
    paying.deliver_all()
    assert (paying.refunds(), paying.payment().state, paying.payment().problem) == (given, state, "")


def test_a_lost_one_is_money_that_went_back_with_its_paper(paying: Paying) -> None:
    session = bought(paying)
    billing.issue_due(paying.db, now=paying.now)
    dispute = paying.double.dispute(session, 4_000)
    told(paying)
    paying.double.dispute_ends(dispute["id"], "lost")
    told(paying)
    assert paying.refunds() == [(4_000, "succeeded", "dispute")]
    assert (paying.payment().state, paying.payment().problem) == ("partly_refunded", disputes.LOST)
    assert paying.mails() == ["order_confirmed"]  # we have given nothing back
    billing.issue_due(paying.db, now=paying.now)
    assert [(one.number, one.gross_minor) for one in paying.rows(t.Invoice)] == [
        ("INV-2026-000001", 5_400),
        ("CN-2026-000001", 4_000),
    ]
    [parcel] = paying.rows(t.Shipment)
    with pytest.raises(Refused, match="on_hold"):  # until a colleague has decided
        paying.do(fulfilment.pick, parcel.id, "STOOL", 1)
    paying.db.run(lambda s: cancelling.cancel(s, parcel.order_ref, by="Bea", now=paying.now))
    assert (paying.stock("STOOL"), paying.payment().refunded_minor) == ((5, 0, 0), 5_400)


def test_it_never_goes_back_from_its_end(paying: Paying) -> None:
    session = bought(paying)
    dispute = paying.double.dispute(session)
    paying.double.dispute_ends(dispute["id"], "lost")
    opened, closed = paying.double.events[-2:]
    for event in (closed, opened, closed):
        assert paying.deliver(event).status_code == 200
    assert [(one.state, one.amount_minor) for one in paying.rows(Dispute)] == [("lost", 5_400)]
    assert (paying.payment().state, paying.refunds()) == ("refunded", [(5_400, "succeeded", "dispute")])
    assert tasks(paying) == []  # it was over when we heard of it


def test_messages_that_never_came_are_heard_by_listing(paying: Paying) -> None:
    """A paid session, a refund by hand and a dispute, and not one message arrives."""
    start = paying.start(paying.cart(STOOL=1))
    session = paying.session(start)
    paying.double.pay(session)
    paying.double.refund_by_hand(session, 700)
    dispute = paying.double.dispute(session)
    paying.later(minutes=1)
    assert listen(paying.services.till, now=paying.now) == 3
    assert (paying.payment().state, paying.refunds()) == ("disputed", [(700, "succeeded", "by_provider")])
    assert listen(paying.services.till, now=paying.now) == 0
    paying.double.dispute_ends(dispute["id"], "won")
    told(paying)
    paying.later(minutes=1)
    assert listen(paying.services.till, now=paying.now) == 0  # it came by itself
    assert paying.rows(Payment)[0].state == "partly_refunded"
    assert len(paying.rows(Refund)) == 1


def test_a_provider_that_is_away_is_asked_again_from_the_same_instant(paying: Paying) -> None:
    bought(paying)
    listen(paying.services.till, now=paying.now)
    paying.later(minutes=1)
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start))
    paying.double.fail_next = [500] * 3
    assert listen(paying.services.till, now=paying.now) == 0
    paying.later(hours=3)
    assert listen(paying.services.till, now=paying.now) == 1
    assert len(paying.orders()) == 2


def test_one_that_cannot_be_heard_keeps_nobody_else_waiting(paying: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    listen(paying.services.till, now=paying.now)
    for _ in range(2):
        paying.later(minutes=1)
        paying.double.pay(paying.session(paying.start(paying.cart(STOOL=1))))
    till, refused = paying.services.till, list[str]()
    hear = till.hear

    def first_is_broken(event: Any, *, now: Any) -> None:
        if event.id in refused or not refused:
            refused.append(event.id)
            raise ValueError("not as documented")
        hear(event, now=now)

    monkeypatch.setattr(till, "hear", first_is_broken)
    paying.later(hours=3)
    asked = [(listen(till, now=paying.now), len(paying.orders())) for _ in range(2)]
    assert asked == [(1, 1), (0, 1)]  # the second time it is not asked for again: it waits by itself
    for _ in range(outbox.MOST_TRIES):
        paying.later(hours=2)
        paying.work()
    [waits] = paying.rows(OutboxMessage, target=INBOX)
    assert (waits.kind, waits.payload["event"], waits.state) == ("provider_event", refused[0], "dead")
    assert len(refused) == 1 + outbox.MOST_TRIES
    monkeypatch.undo()
    paying.later(minutes=1)
    assert (listen(till, now=paying.now), len(paying.orders())) == (0, 1)
    paying.db.run(lambda session: outbox.replay(session, waits.id, now=paying.now))  # a person says: once more
    paying.work()
    assert ([one.state for one in paying.rows(OutboxMessage, target=INBOX)], len(paying.orders())) == (["done"], 2)


def test_a_long_list_is_read_to_its_end(paying: Paying) -> None:
    bought(paying)
    for _ in range(130):
        paying.double._event("refund.updated", {"id": "re_0", "object": "refund"})
    start = paying.start(paying.cart(STOOL=1))
    paying.double.pay(paying.session(start))
    assert listen(paying.services.till, now=paying.now) == 1  # the others are not as documented
    assert len(paying.orders()) == 2
