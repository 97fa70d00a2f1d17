"""An outside ERP has each order once and hears of it in sequence, whatever happens to a call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from backoffice import verify
from backoffice.bootstrap import Services
from backoffice.bridge import outbox
from backoffice.bridge.models import OutboxLane, OutboxMessage
from backoffice.bridge.outbox import Unsettled
from backoffice.bridge.outside import figures
from backoffice.bridge.outside.carrying import Carrier
from backoffice.bridge.outside.door import Door
from backoffice.bridge.outside.over_http import ErpOverHttp
from backoffice.bridge.worker import Worker
from backoffice.config import Settings
from backoffice.crm import redirecting
from backoffice.crm.models import Order
from backoffice.db import Database
from backoffice.erp import fulfilment
from backoffice.erp import models as t
from backoffice.payments import cancelling
from tests.erp_double import BAD, ErpDouble, Faults
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.outside import Outside
from tests.integration.chain.test_companies import BEA
from tests.integration.chain.test_redirecting import THERE


@pytest.fixture
def settings(db: Database, settings_for: Callable[..., Settings], erp: ErpDouble) -> Settings:
    """Settings that name the double as the ERP."""
    return settings_for(db.url, erp_url=erp.url, erp_key="a key")


@pytest.fixture
def outside(workshop: Workshop, services: Services, erp: ErpDouble, clock: Any) -> Outside:
    """The workshop, which tells its ERP."""
    return Outside(services, workshop, erp, clock)


def test_an_order_is_handed_over_with_all_that_belongs_to_it_and_bound(outside: Outside) -> None:
    order = outside.shop.buy(STOOL=2)
    [message] = outside.shop.rows(OutboxMessage, target="erp")
    assert message.payload == {"order": order.number, "at": outside.shop.now.isoformat()}  # nobody's name waits there
    outside.work()
    [(their_id, kept)] = outside.erp.orders.items()
    document = kept["document"]
    assert (document["reference"], document["sequence"], document["event"]) == (order.number, 1, "placed")
    assert document["lines"] == [{"sku": "STOOL", "quantity": 2, "unit_price_minor": 4_900, "promised_on": "2026-11-25"}]
    assert (document["total_minor"], document["currency"], document["ship_to"]["city"]) == (2 * 4_900 + 500, "EUR", "Berlin")
    [row] = outside.shop.rows(Order)
    assert [(one.system, one.kind, one.their_id, one.our_id) for one in outside.shop.rows(t.ExternalRef)] == [
        ("erp", "orders", their_id, row.id)
    ]
    assert outside.waiting() == []


def test_what_becomes_of_an_order_arrives_in_sequence(outside: Outside) -> None:
    shop = outside.shop
    number = shop.buy(STOOL=2).number
    shop.db.run(lambda session: redirecting.redirect(session, number, THERE, version=1, by=BEA, now=shop.now))
    shop.do(fulfilment.start, 1)
    shop.do(fulfilment.pick, 1, "STOOL", 2)
    shop.do(fulfilment.pack, 1)
    shop.do(fulfilment.ship, 1, tracking="JD 0146")
    outside.erp.on_hand = {"STOOL": 5}
    outside.work()
    assert outside.erp.told() == {number: [1, 2, 3]}
    assert outside.erp.on_hand == {"STOOL": 3}
    assert [(row.sequence, row.kind) for row in shop.rows(OutboxMessage, target="erp")] == [
        (1, "placed"),
        (2, "redirected"),
        (3, "shipped"),
    ]


def test_a_cancelled_order_is_told(outside: Outside) -> None:
    shop = outside.shop
    number = shop.buy(STOOL=2).number
    outside.work()
    shop.db.run(lambda session: cancelling.cancel(session, number, by="customer", now=shop.now))
    outside.work()
    assert [order["lines"] for order in outside.erp.orders.values()] == [{}]


def test_after_a_lost_answer_it_waits_searches_and_does_not_ask_again(outside: Outside) -> None:
    outside.erp.faults, outside.erp.spared = Faults(lost=1.0), {"GET"}
    number = outside.shop.buy(STOOL=1).number
    outside.work()
    outside.later(119)
    assert (outside.erp.calls, outside.waiting()) == (
        {"GET orders": 1, "POST orders": 1},
        [(f"order:{number}", "placed", "pending")],
    )
    outside.later(1)
    assert (outside.erp.calls, outside.waiting()) == ({"GET orders": 2, "POST orders": 1}, [])
    assert outside.erp.by_reference() == {number: 1}


def test_nothing_is_asked_for_before_a_search_was_answered(outside: Outside) -> None:
    outside.erp.faults, outside.erp.spared = Faults(lost=1.0), {"POST"}
    outside.shop.buy(STOOL=1)
    for _ in range(10):
        outside.later(60)
    assert outside.erp.calls["POST orders"] == 0
    [message] = outside.shop.rows(OutboxMessage, target="erp")
    assert (message.state, message.attempts - message.excused) == ("pending", 0)


def test_what_it_commits_late_is_found_and_not_doubled(outside: Outside) -> None:
    outside.erp.faults, outside.erp.spared = Faults(late=1.0), {"GET"}
    number = outside.shop.buy(STOOL=1).number
    outside.work()
    assert outside.erp.by_reference() == {}
    outside.until_quiet()
    assert (outside.erp.by_reference(), outside.erp.calls["POST orders"]) == ({number: 1}, 1)


def test_a_worker_that_died_over_a_call_leaves_behind_that_it_was_made(outside: Outside) -> None:
    """Its lease runs out long before the ERP must be done: whoever takes the message waits for the rest of that time."""
    db, clock = outside.services.db, outside.clock
    slow = Carrier(db, ErpOverHttp(Door(outside.erp.url, "")), longest=timedelta(seconds=600), clock=clock)
    outside.worker = Worker(db, outside.carriers | {"erp": slow}, [], name="next", clock=clock)
    outside.erp.faults, outside.erp.spared = Faults(lost=1.0), {"GET"}
    outside.shop.buy(STOOL=1)
    [message] = [one for one in db.run(lambda session: outbox.lease(session, "dies", now=clock())) if one.target == "erp"]
    with pytest.raises(Unsettled):
        slow(message)
    outside.erp.orders.clear()  # and what it was asked for is still to come
    outside.later(599)
    assert outside.erp.calls == {"GET orders": 1, "POST orders": 1}
    outside.later(1)
    assert outside.erp.calls == {"GET orders": 2, "POST orders": 2}


def test_an_order_that_it_has_already_is_taken_as_ours(outside: Outside) -> None:
    """A backup was put back: nobody here remembers the call, also where the ERP itself says that it has it."""
    number = outside.shop.buy(STOOL=1).number
    outside.erp.orders["SO-77"] = {"reference": number, "lines": {"STOOL": 1}, "told": [1]}
    outside.work()
    assert [one.their_id for one in outside.shop.rows(t.ExternalRef)] == ["SO-77"]
    second = outside.shop.buy(STOOL=1).number
    outside.erp.orders["SO-78"] = {"reference": second, "lines": {"STOOL": 1}, "told": [1]}
    outside.erp.unique, outside.erp._found = True, lambda reference: (200, {"orders": []})  # type: ignore[method-assign] # a slow index
    outside.work()
    assert [one.their_id for one in outside.shop.rows(t.ExternalRef)] == ["SO-77", "SO-78"]
    assert outside.erp.by_reference() == {number: 1, second: 1}


def test_two_of_one_order_are_a_dead_letter_for_a_person(outside: Outside) -> None:
    number = outside.shop.buy(STOOL=1).number
    for their_id in ("SO-1", "SO-2"):
        outside.erp.orders[their_id] = {"reference": number, "lines": {}, "told": []}
    outside.work()
    [message] = outside.shop.rows(OutboxMessage, target="erp")
    assert (message.state, message.last_error) == ("dead", "Undeliverable: the ERP has this order 2 times")


def test_one_that_is_refused_and_one_that_it_falls_over_stop_nobody_else(outside: Outside) -> None:
    numbers = [outside.shop.buy(STOOL=1).number for _ in range(4)]
    outside.erp.refused, outside.erp.poison = {numbers[0]}, {numbers[1]}
    for _ in range(80):
        outside.later(5)
    assert outside.erp.by_reference() == {numbers[2]: 1, numbers[3]: 1}
    states = {row.payload["order"]: row.state for row in outside.shop.rows(OutboxMessage, target="erp")}
    assert states == {numbers[0]: "dead", numbers[1]: "dead", numbers[2]: "done", numbers[3]: "done"}
    assert [row.attempts for row in outside.shop.rows(OutboxMessage, target="erp")] == [1, 8, 1, 1]


def test_no_transaction_is_open_while_it_is_asked(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    outside.shop.buy(STOOL=1)
    open_ones: list[int] = []
    answer = outside.erp.answer

    def watched(*call: Any) -> Any:
        open_ones.append(sum(engine.pool.checkedout() for engine in outside.services.db.engines))  # type: ignore[attr-defined] # both pools count
        return answer(*call)

    monkeypatch.setattr(outside.erp, "answer", watched)
    outside.work()
    outside.pull()
    assert open_ones == [0, 0, 0]


def test_while_it_is_away_one_looks_now_and_then_and_all_go_once_it_is_back(outside: Outside) -> None:
    outside.erp.stop()
    numbers = [outside.shop.buy(STOOL=1).number for _ in range(5)]
    for _ in range(120):
        outside.later(30)
    with outside.shop.db.read() as session:
        assert session.get_one(OutboxLane, "erp").closed_until is not None
        said = [line for line in verify.breaches(session, now=outside.shop.now) if line.startswith("I9 message")]
    assert (len(outside.waiting()), [one.state for one in outside.shop.rows(OutboxMessage, target="erp")]) == (5, ["pending"] * 5)
    assert said  # somebody is told
    outside.erp.start()
    assert outside.until_quiet(seconds=1) <= 60
    assert outside.erp.by_reference() == Counter(numbers)


def test_with_all_its_faults_each_order_is_there_once_and_was_told_in_sequence(outside: Outside) -> None:
    shop, erp = outside.shop, outside.erp
    erp.faults = BAD
    outside.pull(lambda books: books.on_hand.update(STOOL=100, LEG=12, BOARD=20))
    numbers = [shop.buy(STOOL=1).number for _ in range(12)]
    outside.later(30)
    for number in numbers[::2]:
        shop.db.run(lambda session, one=number: cancelling.cancel(session, one, by="customer", now=shop.now))
    outside.until_quiet()
    assert erp.by_reference() == Counter(numbers)
    assert erp.told() == {number: [1, 2] if number in numbers[::2] else [1] for number in numbers}
    assert erp.most_at_once <= 10


def test_without_an_outside_erp_nothing_is_written_for_one(
    db: Database, settings_for: Callable[..., Settings], clock: Any
) -> None:
    from backoffice import bootstrap
    from tests.company import open_company

    services = bootstrap.build(settings_for(db.url), clock=clock)
    services.db.run(lambda session: open_company(session, now=clock()))
    shop = Workshop(services, clock())
    shop.buy(STOOL=1)
    figures.keep_own(services.db, now=clock())
    assert [row.target for row in shop.rows(OutboxMessage)] == ["mail"]
    assert "erp" not in bootstrap.carriers(services)
    services.db.dispose()
