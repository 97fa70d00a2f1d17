"""Two people, one moment, PostgreSQL: the second waits, then sees what the first did."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from backoffice import bootstrap
from backoffice.config import Settings
from backoffice.crm import carts
from backoffice.crm.models import CartLine
from backoffice.db import Database
from backoffice.erp import counting, fulfilment, holds, offers, pegging, production, purchasing
from backoffice.erp import models as t
from backoffice.payments.models import Payment
from backoffice.public.errors import ShopError
from tests.company import open_company
from tests.integration.chain.conftest import Workshop

pytestmark = pytest.mark.postgresql


@pytest.fixture
def busy_workshop(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Workshop]:
    """The open workshop on PostgreSQL; after every test all its figures must still add up."""
    postgres_db.run(lambda session: open_company(session, now=now))
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: now)
    shop = Workshop(services, now)
    yield shop
    assert shop.breaches() == []
    services.db.dispose()


def both(*people: Callable[[], object]) -> list[str]:
    """Let everybody start at the same moment; return "done", or the code of the refusal, of each."""
    gate = threading.Barrier(len(people))

    def run(person: Callable[[], object]) -> str:
        gate.wait()
        try:
            person()
        except ShopError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(len(people)) as pool:
        return [done.result(60) for done in [pool.submit(run, person) for person in people]]


@contextmanager
def slow(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, *, after: bool = False) -> Iterator[threading.Event]:
    """Make the first call of a function wait for an event (at most 1.5 s): somebody else acts in between.

    The event set by the call itself is `reached`, the one to let it go on is yielded as `reached.go_on`.
    """
    real, reached, go_on, first = getattr(module, name), threading.Event(), threading.Event(), threading.Lock()

    def wait() -> None:
        if first.acquire(blocking=False):
            reached.set()
            go_on.wait(1.5)

    def held(*args: Any, **named: Any) -> Any:
        if not after:
            wait()
        answer = real(*args, **named)
        if after:
            wait()
        return answer

    reached.go_on = go_on  # type: ignore[attr-defined] # the pair travels together
    with monkeypatch.context() as patched:
        patched.setattr(module, name, held)
        yield reached


def in_between(slowed: threading.Event, first: Callable[[], object], second: Callable[[], object]) -> list[str]:
    """Let `first` reach its slow place, then let `second` run; return what each says."""

    def then() -> object:
        assert slowed.wait(10)
        try:
            return second()
        finally:
            slowed.go_on.set()  # type: ignore[attr-defined] # see `slow`

    return both(first, then)


def test_a_parcel_in_is_counted_once_while_a_hold_on_it_dies(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    shop.buy(LAMP=2)
    shop.cart(LAMP=5)
    later = shop.now + timedelta(minutes=20)
    line = shop.rows(t.PurchaseOrderLine)[0]
    with slow(monkeypatch, purchasing, "_get_line", after=True) as reached:
        said = in_between(
            reached,
            lambda: shop.do(purchasing.receive, line.id, 4, ref="delivery", now=later),
            lambda: shop.db.run(lambda session: holds.sweep(session, now=later)),
        )
    assert said == ["done", "done"]
    line = shop.rows(t.PurchaseOrderLine)[0]
    assert (line.quantity, line.received, line.pegged) == (10, 4, 0)
    assert shop.stock("LAMP") == (4, 2, 0)


def test_a_payment_settles_while_its_goods_come_in(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    start = shop.start(shop.cart(LAMP=5))
    line = shop.rows(t.PurchaseOrderLine)[0]
    with slow(monkeypatch, pegging, "to_stock") as reached:
        said = in_between(reached, lambda: shop.do(purchasing.receive, line.id, 5, ref="delivery"), lambda: shop.pay(start))
    assert said == ["done", "done"]
    assert shop.stock("LAMP") == (5, 5, 0)
    assert [shipment.state for shipment in shop.rows(t.Shipment)] == ["to_pick"]


def test_a_payment_settles_while_its_goods_are_counted(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    start = shop.start(shop.cart(STOOL=3))
    stool = shop.rows(t.Item, sku="STOOL")[0].id
    with slow(monkeypatch, counting, "_newest_on", after=True) as reached:
        said = in_between(reached, lambda: shop.do(counting.count_stock, stool, 1, 0, ref="count"), lambda: shop.pay(start))
    assert said == ["done", "done"]
    assert shop.stock("STOOL") == (0, 0, 0)
    assert [shipment.state for shipment in shop.rows(t.Shipment)] == ["waiting"]
    assert [order.state for order in shop.rows(t.PurchaseOrder)] == ["ordered", "proposed"]


def test_picking_starts_while_the_goods_are_counted(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    shop.buy(STOOL=3)
    stool, shipment = shop.rows(t.Item, sku="STOOL")[0].id, shop.rows(t.Shipment)[0]
    with slow(monkeypatch, fulfilment, "_on_the_shelf") as reached:
        said = in_between(
            reached,
            lambda: shop.do(counting.count_stock, stool, 1, 1, ref="count"),
            lambda: shop.do(fulfilment.pick, shipment.id, "STOOL", 1),
        )
    assert said == ["done", "wrong_state"]
    assert [(one.state, one.picker) for one in shop.rows(t.Shipment)] == [("waiting", "")]


def test_a_parcel_leaves_while_the_goods_are_counted(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    shop.buy(STOOL=3)
    stool, shipment = shop.rows(t.Item, sku="STOOL")[0].id, shop.rows(t.Shipment)[0]
    shop.do(fulfilment.pick, shipment.id, "STOOL", 3)
    shop.do(fulfilment.pack, shipment.id)
    said = both(
        lambda: shop.do(counting.count_stock, stool, 1, 4, ref="count"),
        lambda: shop.do(fulfilment.ship, shipment.id, tracking="JD 1"),
    )
    assert said == ["done", "done"]
    assert shop.stock("STOOL")[1:] == (0, 0)


def test_an_item_taken_out_while_the_parcel_is_closed(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    shop.buy(STOOL=3)
    shipment = shop.rows(t.Shipment)[0]
    shop.do(fulfilment.pick, shipment.id, "STOOL", 3)
    with slow(monkeypatch, fulfilment, "_step") as reached:
        said = in_between(
            reached,
            lambda: shop.do(fulfilment.pack, shipment.id),
            lambda: shop.do(fulfilment.unpick, shipment.id, "STOOL", 1),
        )
    assert said == ["done", "wrong_state"]
    assert [line.picked for line in shop.rows(t.ShipmentLine)] == [3]


def test_two_people_press_the_same_button(busy_workshop: Workshop) -> None:
    shop = busy_workshop
    shop.buy(TABLE=4)
    shop.buy(STOOL=1)
    proposed = shop.rows(t.PurchaseOrder, state="proposed")[0]
    top = max(shop.rows(t.ProductionOrder), key=lambda order: order.item_id)
    shipment = next(one for one in shop.rows(t.Shipment) if one.state == "to_pick")
    centre = shop.rows(t.WorkCentre)[0].id
    stop = shop.do(production.stop, centre, shop.now + timedelta(days=9), shop.now + timedelta(days=10), reason="x")

    def twice(verb: Any, *args: Any, **named: Any) -> list[str]:
        return sorted(both(*[lambda: shop.do(verb, *args, **named)] * 2))

    assert twice(purchasing.confirm, proposed.id) == ["done", "wrong_state"]
    assert twice(production.finish, top.id) == ["done", "done"]
    assert twice(production.end_stop, stop.id) == ["done", "unknown_stop"]
    shop.do(fulfilment.pick, shipment.id, "STOOL", 1)
    assert twice(fulfilment.pack, shipment.id) == ["done", "done"]
    assert twice(fulfilment.ship, shipment.id, tracking="JD 1") == ["done", "done"]
    assert shop.stock("STOOL") == (4, 0, 0)
    assert shop.stock("TOP") == (4, 4, 0)
    line = shop.rows(t.PurchaseOrderLine, purchase_order_id=proposed.id)[0]
    assert twice(purchasing.receive, line.id, 2, ref="delivery") == ["already_moved", "done"]


def test_the_pay_button_pressed_twice_at_once_is_one_payment(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    cart = shop.cart(STOOL=2, TABLE=1)
    starts: list[Any] = []

    def press() -> None:
        starts.append(shop.start(cart))

    with slow(monkeypatch, holds, "start_paying") as reached:
        said = in_between(reached, press, press)
    assert said == ["done", "done"]
    assert starts[0] == starts[1]
    assert len(shop.rows(Payment)) == 1
    shop.pay(starts[0])
    assert len(shop.orders()) == 1


def test_two_windows_of_one_cart_never_pay_twice(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    cart = shop.cart(STOOL=2)
    starts: list[Any] = []
    with slow(monkeypatch, carts, "renew") as reached:
        said = in_between(
            reached,
            lambda: starts.append(shop.start(cart, key="one window")),
            lambda: starts.append(shop.start(cart, key="another window")),
        )
    assert said == ["done", "stale"]
    shop.pay(starts[0])
    assert [payment.problem for payment in shop.rows(Payment)] == [""]
    assert len(shop.orders()) == 1


def test_the_cart_changes_while_the_payment_page_opens(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    cart = shop.cart(STOOL=2)
    starts: list[Any] = []
    with slow(monkeypatch, carts, "renew") as reached:
        said = in_between(
            reached,
            lambda: starts.append(shop.start(cart)),
            lambda: shop.shop.carts.set_quantity(cart.token, "STOOL", 1, now=shop.now),
        )
    assert said == ["done", "stale"]  # what is being paid for is never given back behind the payment's back
    shop.pay(starts[0])
    assert [payment.problem for payment in shop.rows(Payment)] == [""]
    assert len(shop.orders()) == 1


def test_the_same_thing_put_into_a_cart_twice_at_once(busy_workshop: Workshop) -> None:
    shop = busy_workshop
    cart = shop.cart(TABLE=1)
    said = both(*[lambda: shop.shop.carts.add(cart.token, "STOOL", 2, postcode=None, now=shop.now)] * 2)
    assert said == ["done", "done"]
    assert [line.quantity for line in shop.rows(CartLine)] == [1, 4]
    assert shop.stock("STOOL") == (5, 0, 4)


def test_an_offer_computed_before_a_sale_is_not_stored_after_it(busy_workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = busy_workshop
    later = shop.now + timedelta(minutes=11)  # all offers have run out
    with slow(monkeypatch, offers, "_valid_until", after=True) as reached:
        said = in_between(
            reached,
            lambda: offers.freshen(shop.db, now=later),
            lambda: shop.shop.carts.add(None, "STOOL", 5, postcode=None, now=later),
        )
    assert said == ["done", "done"]
    shop.now = later
    assert "stool" not in shop.listed()
