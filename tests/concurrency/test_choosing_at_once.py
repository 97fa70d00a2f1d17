"""Two tabs, a picker, another slip, at the moment of a choice, PostgreSQL: one wins, the other changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from backoffice import bootstrap
from backoffice.config import Settings
from backoffice.crm.models import Lead, Order, Slip
from backoffice.db import Database
from backoffice.erp import counting, fulfilment, purchasing, splitting
from backoffice.erp import models as t
from backoffice.payments import choosing
from backoffice.payments.models import Payment, Refund
from tests.company import open_company
from tests.concurrency.test_at_the_same_moment import both, in_between, slow
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_slips import buy, move_lamps, slip_of, stand_in

pytestmark = pytest.mark.postgresql


@pytest.fixture
def shop(postgres_db: Database, settings_for: Callable[..., Settings], now: datetime) -> Iterator[Workshop]:
    """The open workshop on PostgreSQL; after every test all its figures must still add up."""
    postgres_db.run(lambda session: open_company(session, now=now))
    services = bootstrap.build(settings_for(postgres_db.url), clock=lambda: now)
    workshop = Workshop(services, now)
    yield workshop
    assert workshop.breaches() == []
    services.db.dispose()


def choice(shop: Workshop, start: Any, what: str, option: str = "", slip_id: int = 1) -> Callable[[], object]:
    return lambda: shop.shop.slips.choose(start.order_token, slip_id, what, option, now=shop.now)


def test_many_tabs_make_one_choice(shop: Workshop) -> None:
    stand_in(shop, "LAMP", "STOOL")
    mine = buy(shop, LAMP=3, STOOL=2)
    move_lamps(shop, 30)
    [option] = slip_of(shop, mine).options
    wishes = [("accept", ""), ("part", ""), ("substitute", option.id), ("cancel", "")]
    said = both(*(choice(shop, mine, *wish) for wish in wishes))
    assert sorted(said) == ["already_chosen", "already_chosen", "already_chosen", "done"]
    [slip] = shop.rows(Slip)
    assert slip.state == choosing.STATES[wishes[said.index("done")][0]]
    given = sum(one.amount_minor for one in shop.rows(Refund))
    assert given == {"substituted": 9_000, "cancelled": 34_000}.get(slip.state, 0)
    assert [one.refunded_minor for one in shop.rows(Payment)] == [given]


def test_the_same_button_in_four_tabs_is_pressed_once(shop: Workshop) -> None:
    mine = buy(shop, LAMP=7)  # of importance: sales has it on the list
    move_lamps(shop, 30)
    assert both(*[choice(shop, mine, "cancel")] * 4) == ["done"] * 4
    assert [(one.amount_minor, one.reason) for one in shop.rows(Refund)] == [(7 * 7_900 + 500, "cancelled")]
    assert [one.state for one in shop.rows(Lead)] == ["done"]


def test_a_choice_while_the_day_moves_again_is_for_the_newest_day_or_none(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is at it when they press the button: they agreed to a day that is no longer true, so they are asked again."""
    mine = buy(shop, LAMP=3)
    move_lamps(shop, 30)
    line = shop.rows(t.PurchaseOrderLine)[0]
    with slow(monkeypatch, purchasing, "_get_line", after=True) as reached:
        said = in_between(
            reached,
            lambda: move_lamps_to(shop, line),
            choice(shop, mine, "accept"),
        )
    assert said == ["done", "newer_day"]
    assert [one.state for one in shop.rows(Slip)] == ["replaced", "open"]


def move_lamps_to(shop: Workshop, line: Any) -> None:
    move_lamps(shop, 3, 12)


def test_the_day_moves_again_while_they_cancel(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = buy(shop, LAMP=3)
    move_lamps(shop, 30)
    with slow(monkeypatch, choosing.slips, "mark", after=True) as reached:
        said = in_between(reached, choice(shop, mine, "cancel"), lambda: move_lamps(shop, 3, 12))
    assert said == ["done", "done"]
    assert [one.state for one in shop.rows(Slip)] == ["cancelled"]
    assert [one.state for one in shop.rows(Order)] == ["cancelled"]


def test_a_picker_who_has_begun_keeps_the_parcel_whole(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """All but one stool is here; the picker comes first, then the customer wants it parted."""
    stand_in(shop, "LAMP", "STOOL")
    mine = buy(shop, LAMP=3)
    move_lamps(shop, 30)
    [option] = slip_of(shop, mine).options
    line = shop.rows(t.PurchaseOrderLine)[0]
    shop.do(purchasing.receive, line.id, 10, ref="delivery")
    parcel = shop.rows(t.Shipment)[0]
    with slow(monkeypatch, fulfilment, "_count") as reached:
        said = in_between(
            reached,
            lambda: shop.do(fulfilment.pick, parcel.id, "LAMP", 3),
            choice(shop, mine, "substitute", option.id),
        )
    assert said[0] == "done"
    assert said[1] in ("offer_changed", "too_late_to_swap")
    assert [(one.sku if hasattr(one, "sku") else one.item_id, one.picked) for one in shop.rows(t.ShipmentLine)] == [(3, 3)]
    assert [one.state for one in shop.rows(Slip)] == ["open"]
    assert shop.rows(Refund) == []


def test_who_parts_first_leaves_the_picker_what_is_ready(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = buy(shop, STOOL=5)
    shop.do(counting.count_stock, shop.rows(t.Item, sku="STOOL")[0].id, 1, 2, ref="count:1")
    parcel = shop.rows(t.Shipment)[0]
    with slow(monkeypatch, splitting, "follow") as reached:
        said = in_between(reached, choice(shop, mine, "part"), lambda: shop.do(fulfilment.pick, parcel.id, "STOOL", 2))
    assert said == ["done", "done"]
    assert [(one.quantity, one.picked) for one in shop.rows(t.ShipmentLine)] == [(2, 2), (3, 0)]
    assert [one.state for one in shop.rows(t.Shipment)] == ["picking", "waiting"]
