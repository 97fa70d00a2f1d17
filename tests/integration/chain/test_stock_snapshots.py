"""Stock figures from an outside ERP: in sequence, believed with care, our own orders counted once, too old: not sold from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import bootstrap
from backoffice.audit import AuditEntry
from backoffice.bootstrap import Services
from backoffice.bridge.outside import figures
from backoffice.config import Settings
from backoffice.crm.models import OrderLine, Slip
from backoffice.db import Database
from backoffice.erp import fulfilment, offers, stock_snapshots
from backoffice.erp import models as t
from backoffice.erp.stock_snapshots import Line, Snapshot
from backoffice.payments import cancelling
from backoffice.public.errors import Refused
from tests.company import item_id
from tests.erp_double import ErpDouble, Faults
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.outside import Outside

ALL = {"STOOL": 5, "LEG": 12, "BOARD": 20}
QUARTER = timedelta(minutes=15)


@pytest.fixture
def settings(db: Database, settings_for: Callable[..., Settings], erp: ErpDouble) -> Settings:
    """Settings that name the double as the ERP."""
    return settings_for(db.url, erp_url=erp.url)


@pytest.fixture
def outside(workshop: Workshop, services: Services, erp: ErpDouble, clock: Any) -> Outside:
    """The workshop, and an ERP that has what lies on its shelves."""
    erp.on_hand = dict(ALL)
    return Outside(services, workshop, erp, clock)


def take(shop: Workshop, sequence: int, kind: Any = "full", minutes: int = 0, after: int | None = None, **there: int) -> Any:
    """Take in a snapshot as of so many minutes ago."""
    lines = [Line(sku, quantity) for sku, quantity in there.items()]
    said = Snapshot(sequence, kind, after, shop.now - timedelta(minutes=minutes), lines)
    return shop.db.run(lambda session: stock_snapshots.receive(session, said, unbooked={}, max_age=QUARTER, now=shop.now))


def state(shop: Workshop) -> list[Any]:
    stock = [shop.stock(sku) for sku in ALL]
    return [stock, len(shop.rows(t.StockMovement)), [(one.sequence, one.as_of, one.good_until) for one in _last(shop)]]


def _last(shop: Workshop) -> list[t.OutsideStock]:
    with shop.db.read() as session:
        return list(session.scalars(sa.select(t.OutsideStock)))


def cancel(shop: Workshop, number: str) -> None:
    shop.db.run(lambda session: cancelling.cancel(session, number, by="customer", now=shop.now))


def test_a_full_one_says_all_and_a_delta_what_is_other(workshop: Workshop) -> None:
    full = take(workshop, 7, STOOL=9, LEG=12, BOARD=20, UNKNOWN=3)
    assert (full.state, full.changed) == ("applied", 1)
    delta = take(workshop, 8, "delta", after=7, LEG=15)
    assert (delta.state, delta.changed) == ("applied", 1)
    assert [workshop.stock(sku)[0] for sku in ALL] == [9, 15, 20]
    full = take(workshop, 9, STOOL=9, LEG=15)  # no board is named: none is there
    assert (full.state, workshop.stock("BOARD")[0]) == ("applied", 0)
    moved = [(one.delta, one.ref, one.actor) for one in workshop.rows(t.StockMovement, cause="snapshot")]
    assert moved == [(4, "snapshot:7:full:1", "erp"), (3, "snapshot:8:delta:6", "erp"), (-20, "snapshot:9:full:7", "erp")]


def test_an_older_one_after_a_newer_is_refused_and_kept(workshop: Workshop) -> None:
    take(workshop, 7, STOOL=9, LEG=12, BOARD=20)
    before = state(workshop)
    older = take(workshop, 6, minutes=1, STOOL=2, LEG=12, BOARD=20)
    assert (older.state, older.reason) == ("refused", "older")
    turned = take(workshop, 8, minutes=1, STOOL=2, LEG=12, BOARD=20)  # a newer number, an older instant
    assert (turned.state, turned.reason) == ("refused", "older")
    gap = take(workshop, 9, "delta", after=8, STOOL=2)
    assert (gap.state, gap.reason) == ("refused", "gap")
    ahead = take(workshop, 10, minutes=-6, STOOL=2, LEG=12, BOARD=20)
    assert (ahead.state, ahead.reason) == ("refused", "ahead")
    assert take(workshop, 7, STOOL=2, LEG=12, BOARD=20) is None  # the same again
    assert state(workshop) == before
    assert [one.sequence for one in workshop.rows(t.StockSnapshot)] == [7, 6, 8, 9, 10]


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        ({"STOOL": 0, "LEG": 0, "BOARD": 20}, "dropped"),
        ({"BOARD": 20}, "dropped"),
        ({}, "empty"),
        ({"STOOL": -4, "LEG": 0, "BOARD": 0}, "empty"),
        ({"STOOL": 0, "LEG": 1, "BOARD": 1}, ""),
    ],
)
def test_what_cannot_be_true_is_put_aside(workshop: Workshop, there: Mapping[str, int], reason: str) -> None:
    take(workshop, 1, STOOL=5, LEG=12, BOARD=20)
    before = state(workshop)
    row = take(workshop, 2, **there)
    assert (row.state, row.reason) == ("quarantined" if reason else "applied", reason)
    assert (state(workshop) == before) is bool(reason)


def test_a_person_decides_over_what_was_put_aside(workshop: Workshop) -> None:
    take(workshop, 1, STOOL=5, LEG=12, BOARD=20)
    who = {"by": "ada@werk.test", "role": "admin"}
    aside = take(workshop, 2, STOOL=5)

    def approve(snapshot_id: int) -> None:
        workshop.db.run(
            lambda session: stock_snapshots.approve(session, snapshot_id, unbooked={}, max_age=QUARTER, now=workshop.now, **who)
        )

    approve(aside.id)
    assert [workshop.stock(sku)[0] for sku in ALL] == [5, 0, 0]
    with pytest.raises(Refused, match="wrong_state"):
        approve(aside.id)
    second = take(workshop, 3)
    take(workshop, 4, STOOL=6)
    with pytest.raises(Refused, match="wrong_state"):  # a newer one has come
        approve(second.id)
    workshop.db.run(lambda session: stock_snapshots.decline(session, second.id, now=workshop.now, **who))
    assert workshop.stock("STOOL")[0] == 6
    assert [(one.state, one.decided_by, one.lines) for one in workshop.rows(t.StockSnapshot)] == [
        ("applied", "", []),
        ("applied", "ada@werk.test", []),
        ("declined", "ada@werk.test", []),
        ("applied", "", []),
    ]
    assert [one.action for one in workshop.rows(AuditEntry)] == ["stock_snapshot.approve", "stock_snapshot.decline"]


def test_less_than_what_was_promised_flags_the_newest_and_is_never_below_nothing(outside: Outside) -> None:
    shop = outside.shop
    outside.pull()
    first, second = shop.buy(STOOL=2).number, shop.buy(STOOL=2).number
    outside.work()
    row = outside.pull(lambda erp: erp.on_hand.update(STOOL=3))
    assert (row.state, row.short) == ("applied", [{"sku": "STOOL", "promised": 4, "there": 3}])
    assert shop.stock("STOOL") == (3, 3, 0)  # the newest has lost one of two
    told = {line.id: line.moved_cause for line in shop.rows(OrderLine)}
    assert [bool(cause) for cause in told.values()] == [False, True]
    assert len(shop.rows(Slip)) == 1
    row = outside.pull(lambda erp: erp.on_hand.update(STOOL=-1))
    assert (row.short, shop.stock("STOOL")) == ([{"sku": "STOOL", "promised": 3, "there": -1}], (0, 0, 0))
    assert {first, second} == set(outside.erp.by_reference())


def test_after_figures_were_too_old_who_loses_goods_keeps_what_is_left(outside: Outside) -> None:
    shop = outside.shop
    outside.pull()
    shop.buy(STOOL=2)
    outside.later(3600)
    outside.pull(lambda erp: erp.on_hand.update(STOOL=1))
    assert shop.stock("STOOL") == (1, 1, 0)


def test_what_lies_in_a_closed_parcel_is_there_whatever_the_erp_says(outside: Outside) -> None:
    shop = outside.shop
    outside.pull()
    shop.buy(STOOL=2)
    shop.do(fulfilment.start, 1)
    shop.do(fulfilment.pick, 1, "STOOL", 2)
    shop.do(fulfilment.pack, 1)
    row = outside.pull(lambda erp: erp.on_hand.update(STOOL=0))
    assert (row.state, row.short, shop.stock("STOOL")) == (
        "applied",
        [{"sku": "STOOL", "promised": 2, "there": 0}],
        (2, 2, 0),
    )


def test_an_order_of_ours_counts_once_before_and_after_the_erp_has_it(outside: Outside) -> None:
    shop = outside.shop
    outside.pull()
    shop.buy(STOOL=2)
    outside.pull()  # it has not heard of it
    before = shop.stock("STOOL")
    outside.work()
    outside.pull()  # it has, and keeps two for us
    assert (before, shop.stock("STOOL")) == ((5, 2, 0), (5, 2, 0))


@pytest.mark.parametrize("fault", ["none", "lost", "away"])
def test_a_parcel_that_left_counts_once_before_and_after_the_erp_booked_it(outside: Outside, fault: str) -> None:
    shop = outside.shop
    outside.pull()
    shop.buy(STOOL=2)
    if fault != "away":
        outside.work()
    shop.do(fulfilment.start, 1)
    shop.do(fulfilment.pick, 1, "STOOL", 2)
    shop.do(fulfilment.pack, 1)
    shop.do(fulfilment.ship, 1, tracking="JD 0146")
    assert shop.stock("STOOL") == (3, 0, 0)
    outside.pull()
    assert shop.stock("STOOL") == (3, 0, 0)  # the ERP still has five
    if fault == "lost":
        outside.erp.faults = Faults(lost=1.0)
        outside.work()
        outside.pull()  # it has booked it, which nobody here knows: too few for a while, never too many
        assert (outside.erp.on_hand["STOOL"], shop.stock("STOOL")) == (3, (1, 0, 0))
        outside.erp.faults = Faults()
    outside.until_quiet(seconds=60)
    outside.later(1)
    outside.pull()
    assert (outside.erp.on_hand["STOOL"], shop.stock("STOOL")) == (3, (3, 0, 0))


def test_a_cancelled_order_is_free_at_once(outside: Outside) -> None:
    shop = outside.shop
    outside.pull()
    number = shop.buy(STOOL=2).number
    outside.work()
    cancel(shop, number)
    outside.pull()
    assert shop.stock("STOOL") == (5, 0, 0)
    outside.work()
    outside.pull()
    assert shop.stock("STOOL") == (5, 0, 0)


def test_figures_that_are_too_old_close_the_sale_and_the_page_stays(outside: Outside) -> None:
    shop = outside.shop
    outside.pull()
    held = shop.cart(STOOL=1)
    assert "stool" in shop.listed()
    outside.clock.advance(minutes=15)
    shop.now = outside.clock()
    offers.freshen(shop.db, now=shop.now)
    assert "stool" not in shop.listed()
    page = shop.shop.catalogue.get_product("stool", language="en", now=shop.now)
    assert page.name == "Stool"
    with pytest.raises(Refused, match="not_available"):
        shop.day("STOOL")
    with pytest.raises(Refused, match="not_available"):
        shop.cart(STOOL=1)
    assert held.token
    outside.pull()  # it is asked again: open at once
    offers.freshen(shop.db, now=shop.now)
    assert "stool" in shop.listed()
    assert shop.day("STOOL")


def test_before_the_first_one_nothing_is_sold_from_stock_and_without_an_erp_all_is_as_it_was(outside: Outside) -> None:
    shop = outside.shop
    outside.erp.stop()
    assert outside.pull() is None
    offers.freshen(shop.db, now=shop.now)
    assert "stool" not in shop.listed()
    figures.keep_own(shop.db, now=shop.now)
    offers.freshen(shop.db, now=shop.now)
    assert ("stool" in shop.listed(), shop.stock("STOOL")) == (True, (5, 0, 0))


def test_a_delta_that_does_not_follow_is_answered_by_asking_for_all(outside: Outside) -> None:
    outside.pull()
    outside.shop.db.run(lambda session: session.execute(sa.update(t.OutsideStock).values(sequence=0)))
    outside.shop.db.run(lambda session: session.execute(sa.delete(t.StockSnapshot)))
    outside.erp.sequence = 40
    outside.erp._states = {1: {}}
    outside.shop.db.run(lambda session: session.execute(sa.update(t.OutsideStock).values(sequence=1)))
    delta = outside.pull(lambda erp: erp.on_hand.update(STOOL=4))
    assert (delta.kind, delta.state, outside.shop.stock("STOOL")[0]) == ("delta", "applied", 4)
    stale = Snapshot(50, "delta", 30, outside.shop.now, [Line("STOOL", 1)])
    asked: list[int | None] = []

    class Jumping:
        def stock(self, after: int | None) -> Snapshot:
            asked.append(after)
            return stale if after else Snapshot(50, "full", None, outside.shop.now, [Line("STOOL", 3), Line("LEG", 1)])

    row = figures.pull(outside.shop.db, Jumping(), max_age=QUARTER, now=outside.shop.now)  # type: ignore[arg-type] # only this call
    assert row is not None
    assert (asked, row.kind, row.state, outside.shop.stock("STOOL")[0]) == ([41, None], "full", "applied", 3)


@pytest.mark.parametrize(
    "body",
    [
        {"sequence": "7", "as_of": "2026-11-24T08:00:00Z", "kind": "full", "items": []},
        {"sequence": 7, "as_of": "2026-11-24T08:00:00", "kind": "full", "items": []},
        {"sequence": 7, "as_of": "2026-11-24T08:00:00Z", "kind": "some", "items": []},
        {"sequence": 7, "as_of": "2026-11-24T08:00:00Z", "kind": "full", "items": [{"sku": "STOOL", "available": 1.5}]},
        {"sequence": 7, "as_of": "2026-11-24T08:00:00Z", "kind": "full", "items": [{"sku": "STOOL", "available": True}]},
        [],
        None,
    ],
)
def test_what_cannot_be_read_changes_nothing(outside: Outside, body: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outside.pull()
    before = state(outside.shop)
    monkeypatch.setattr(outside.erp, "_stock", lambda _after: (200, body))
    assert outside.pull() is None
    assert state(outside.shop) == before


def test_the_worker_asks_each_minute(outside: Outside) -> None:
    assert [job.seconds for job in bootstrap.periodic(outside.services) if job.name == "read_stock"] == [60]
    with outside.shop.db.read() as session:
        assert item_id(session, "STOOL") == 1
