"""Money that colleagues want to give back: at once up to the limit, above it by a second person, never more than was paid."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from backoffice.audit import AuditEntry
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Activity, Order
from backoffice.erp.models import Staff
from backoffice.payments import cancelling, requests
from backoffice.payments.models import Payment, Refund, RefundRequest
from backoffice.public.errors import BadInput, NotFound, Refused
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_companies import Seller
from tests.integration.chain.test_customers import colleague


@pytest.fixture
def people(workshop: Workshop) -> tuple[Any, Any, Any]:
    """Bea of sales, and two who administer."""
    ids = {name: colleague(workshop, name, role) for name, role in (("Bea", "sales"), ("Ada", "admin"), ("Eve", "admin"))}
    rows = {one.id: one for one in workshop.rows(Staff)}
    return rows[ids["Bea"]], rows[ids["Ada"]], rows[ids["Eve"]]


def ask(shop: Workshop, number: str, amount: int, by: Any, key: str = "k", reason: str = "A scratch") -> Any:
    return shop.db.run(lambda session: requests.ask(session, number, amount, reason=reason, key=key, by=by, now=shop.now))


def approve(shop: Workshop, request_id: int, by: Any) -> Any:
    return shop.db.run(lambda session: requests.approve(session, request_id, by=by, now=shop.now))


def state(shop: Workshop) -> str:
    kinds: list[Any] = [Payment, Refund, RefundRequest, Activity, AuditEntry]
    return json.dumps(
        [str({c.name: getattr(row, c.name) for c in kind.__table__.columns}) for kind in kinds for row in shop.rows(kind)]
    )


def amounts(shop: Workshop) -> tuple[int, list[tuple[int, str]]]:
    [payment] = shop.rows(Payment)
    return payment.refunded_minor, [(one.amount_minor, one.state) for one in shop.rows(Refund)]


def test_up_to_the_limit_it_goes_back_at_once_and_many_small_ones_are_a_large_one(workshop: Workshop, people: Any) -> None:
    bea, _, _ = people
    number = workshop.buy(TABLE=1).number  # 504.00
    assert requests.limit_minor("EUR") == 10_000
    assert requests.limit_minor("JPY") == 100
    assert ask(workshop, number, 6_000, bea, "a").state == "within_limit"
    assert ask(workshop, number, 6_000, bea, "a").id == 1  # the same form again
    assert ask(workshop, number, 4_000, bea, "b").state == "within_limit"
    assert ask(workshop, number, 1, bea, "c").state == "waiting"
    assert amounts(workshop) == (10_000, [(6_000, "requested"), (4_000, "requested")])
    asked = workshop.rows(Activity, kind="refund_asked")
    assert [(one.text, one.actor, one.order_ref, one.values["amount_minor"]) for one in asked] == [
        ("A scratch", "Bea", number, 6_000),
        ("A scratch", "Bea", number, 4_000),
        ("A scratch", "Bea", number, 1),
    ]
    assert [(one.action, one.actor) for one in workshop.rows(AuditEntry)] == [("refund.request", "Bea@werk.test")] * 3


def test_above_the_limit_a_second_person_approves(workshop: Workshop, people: Any) -> None:
    bea, ada, eve = people
    number = workshop.buy(TABLE=1).number
    asked = ask(workshop, number, 20_000, ada)
    assert (asked.state, amounts(workshop)) == ("waiting", (0, []))
    before = state(workshop)
    with pytest.raises(Refused) as refused:
        approve(workshop, asked.id, ada)
    assert refused.value.code == "second_person"
    assert state(workshop) == before
    approve(workshop, asked.id, eve)
    assert amounts(workshop) == (20_000, [(20_000, "requested")])
    before = state(workshop)
    approve(workshop, asked.id, eve)  # pressed twice
    with pytest.raises(Refused):
        approve(workshop, asked.id, bea)
    assert state(workshop) == before
    [row] = workshop.rows(RefundRequest)
    assert (row.state, row.decided_by_id, row.refund_id) == ("approved", eve.id, 1)


def test_the_database_itself_wants_a_second_person(workshop: Workshop, people: Any) -> None:
    _, ada, _ = people
    asked = ask(workshop, workshop.buy(TABLE=1).number, 20_000, ada)
    for decider in (ada.id, None):
        with pytest.raises(IntegrityError):
            workshop.db.run(
                lambda session, d=decider: session.execute(
                    sa.update(RefundRequest).where(RefundRequest.id == asked.id).values(state="approved", decided_by_id=d)
                )
            )


def test_what_is_declined_says_why_and_moves_no_money(workshop: Workshop, people: Any) -> None:
    bea, ada, eve = people
    number = workshop.buy(TABLE=1).number
    asked = ask(workshop, number, 20_000, bea)

    def decline(note: str, by: Any) -> Any:
        return workshop.db.run(lambda session: requests.decline(session, asked.id, note, by=by, now=workshop.now))

    before = state(workshop)
    with pytest.raises(BadInput) as wrong:
        decline("  ", ada)
    assert wrong.value.fields == {"note": "missing"}
    assert state(workshop) == before
    decline("They kept it", ada)
    decline("They kept it", ada)
    with pytest.raises(Refused):
        decline("Again", eve)
    with pytest.raises(Refused):
        approve(workshop, asked.id, eve)
    assert amounts(workshop) == (0, [])
    assert [(one.kind, one.text) for one in workshop.rows(Activity, order_ref=number)][-1] == ("refund_declined", "They kept it")


def test_a_desk_frees_the_goods_alone_and_the_money_with_a_second_person(workshop: Workshop, people: Any) -> None:
    bea, ada, _ = people
    small, large = workshop.buy(STOOL=1).number, workshop.buy(TABLE=1).number

    def cancel(number: str) -> bool:
        given: dict[str, Any] = {"reason": "Moves house", "by": bea, "now": workshop.now}
        return workshop.db.run(lambda session: cancelling.cancel_at_desk(session, number, **given))

    assert [cancel(small), cancel(large), cancel(large)] == [True, True, False]
    assert [one.state for one in workshop.rows(Order)] == ["cancelled", "cancelled"]
    assert [(one.order_ref, one.amount_minor, one.state) for one in workshop.rows(RefundRequest)] == [(large, 50_400, "waiting")]
    assert [(one.amount_minor, one.reason) for one in workshop.rows(Refund)] == [(5_400, "cancelled")]
    mails = [row.payload["amount"]["amount_minor"] for row in workshop.rows(OutboxMessage, kind="order_cancelled")]
    assert mails == [5_400, 0]  # what waits is promised to nobody
    [request] = workshop.rows(RefundRequest)
    with pytest.raises(Refused, match="second_person"):
        approve(workshop, request.id, bea)
    approve(workshop, request.id, ada)
    assert [one.amount_minor for one in workshop.rows(Refund)] == [5_400, 50_400]
    notes = [(one.kind, one.text, one.actor) for one in workshop.rows(Activity, order_ref=large, kind="note")]
    assert notes == [("note", "Moves house", "Bea")]
    assert workshop.rows(AuditEntry, action="order.cancel")[0].details == {"reason": "Moves house"}


def test_never_more_than_is_left_also_when_the_order_is_cancelled_meanwhile(workshop: Workshop, people: Any) -> None:
    bea, ada, _ = people
    start = workshop.start(workshop.cart(TABLE=1))
    workshop.pay(start)
    number = workshop.order(start).number
    asked = ask(workshop, number, 20_000, bea)
    before = state(workshop)
    with pytest.raises(Refused) as refused:
        ask(workshop, number, 50_401, bea, "more")
    assert (refused.value.code, refused.value.details["most"]) == ("refund_too_much", 50_400)
    assert state(workshop) == before
    for _ in range(2):
        workshop.shop.orders.cancel(start.order_token, key="k", now=workshop.now)
    assert amounts(workshop) == (50_400, [(50_400, "requested")])  # all of it, whatever waits
    before = state(workshop)
    with pytest.raises(Refused) as refused:
        approve(workshop, asked.id, ada)
    assert (refused.value.code, refused.value.details["most"]) == ("refund_too_much", 0)
    assert state(workshop) == before


def test_reasons_of_ours_never_reach_the_customer(workshop: Workshop, people: Any) -> None:
    bea, _, _ = people
    start = workshop.start(workshop.cart(STOOL=1))
    workshop.pay(start)
    number = workshop.order(start).number
    ask(workshop, number, 100, bea, reason="She shouts")
    view = workshop.order(start)
    assert "She shouts" not in repr(view)
    assert [(one.amount.amount_minor, one.reason) for one in view.refunds] == [(100, "partial")]


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_must_be_one(workshop: Workshop, people: Any, amount: int) -> None:
    number = workshop.buy(STOOL=1).number
    before = state(workshop)
    with pytest.raises(BadInput):
        ask(workshop, number, amount, people[0])
    with pytest.raises(NotFound):
        ask(workshop, "SF-NONE", 100, people[0])
    with pytest.raises(NotFound):
        approve(workshop, 99, Seller())
    assert state(workshop) == before
