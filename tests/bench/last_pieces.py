"""`make bench-last-pieces`: 100,000 attempts by 16 processes on little stock, a receipt and a bottleneck: what is promised twice?

PostgreSQL. Each process holds, renews, releases and forgets through `backoffice.erp.holds`, in transactions of its own; all
goods are soon taken, and what comes back is raced for. After each granted hold, and at the end, a judge looks at pegs and slots
alone, not at the counters that the program goes by. Then the same by the control, tests/bench/naive.py, which reads, then writes:
it shows that the race is one, and that the judge sees. Prints figures and a last JSON line; ends with 1 where the shop
promised anything twice, or the control did not.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from multiprocessing.synchronize import Barrier
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.db import Database
from backoffice.erp import holds, offers, plan, stock
from backoffice.erp import models as t
from backoffice.public.errors import Refused
from backoffice.tables import metadata
from tests.bench import naive
from tests.company import open_company
from tests.invariants import breaches
from tests.need import postgres_database

NOW = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)  # the works is closed: no work is due to begin during the race
SHELF, PIECES = ("PIN-0", "PIN-1", "PIN-2", "PIN-3"), 10
COMING, MADE = ("RING",), ("DOOR", "GATE")
PIECES_COMING, DAYS_OPEN, MINUTES = 20, 6, 30  # the bottleneck: two hours on each of six days, half an hour a piece
WANTED = ((SHELF, COMING, MADE), (0.8, 0.1, 0.1))
RELEASES, RENEWS, FORGETS = 0.25, 0.1, 0.01  # after so many of the attempts; forgotten holds die after a minute
_gate: list[Barrier] = []  # of this process, set when it starts


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--control-attempts", type=int, default=10_000, help="of the naive control")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=3_600, help="stop each race then, however many attempts were made")
    given = parser.parse_args()
    figures = {}
    for name, attempts in (("shop", given.attempts), ("control", given.control_attempts)):
        with postgres_database() as url:
            db = Database(url)
            metadata.create_all(db.engine)
            db.run(open_floor)
            db.dispose()
            figures[name] = race(url, attempts, workers=given.workers, seconds=given.seconds, control=name == "control")
        print(name, "  ".join(f"{key} {value}" for key, value in figures[name].items()), flush=True)
    print(json.dumps({"bench": "last-pieces", "workers": given.workers, "figures": figures}))
    shop = figures["shop"]
    raise SystemExit(shop["double_promises"] > 0 or shop["breaches"] > 0 or figures["control"]["double_promises"] == 0)


def open_floor(session: Session) -> None:
    """Write the small company and the goods that are raced for."""
    open_company(session, now=NOW)
    warehouse = session.scalars(sa.select(t.Warehouse.id)).one()
    category = session.scalars(sa.select(t.Category.id)).one()
    calendar = t.Calendar(code="rare", name="Rare", timezone="Europe/Berlin")
    session.add(calendar)
    session.flush()
    days = [NOW.date() + timedelta(days=1 + day) for day in range(DAYS_OPEN)]
    session.add_all(t.CalendarException(calendar_id=calendar.id, on_day=day, intervals=[[600, 720]]) for day in days)
    centre = t.WorkCentre(code="BOTTLENECK", name="Bottleneck", calendar_id=calendar.id, lanes=1)
    session.add(centre)
    session.flush()
    for skus, source, sell_from in ((SHELF, "buy", "stock"), (COMING, "buy", "incoming"), (MADE, "make", "production")):
        for sku in skus:
            product = t.Product(category_id=category, slug=sku.lower(), name=sku, search_text=sku.lower())
            session.add(product)
            session.flush()
            item = t.Item(
                sku=sku, name=sku, product_id=product.id, on_sale=True, source=source, sell_from=sell_from, price_minor=900
            )
            session.add(item)
            session.flush()
            _supply(session, item, warehouse, centre.id)
    plan.bump(session, master=True)
    offers.refresh(session, None, now=NOW)


def _supply(session: Session, item: t.Item, warehouse: int, centre: int) -> None:
    if item.sell_from == "stock":
        stock.move(session, item.id, warehouse, PIECES, cause="opening", ref=f"race:{item.sku}", actor="bench", now=NOW)
    elif item.sell_from == "incoming":
        order = session.scalars(sa.select(t.PurchaseOrder.id)).one()
        due_at = NOW + timedelta(days=3)
        session.add(t.PurchaseOrderLine(purchase_order_id=order, item_id=item.id, quantity=PIECES_COMING, due_at=due_at))
    else:
        session.add(t.RoutingOperation(item_id=item.id, position=0, work_centre_id=centre, run_seconds=60 * MINUTES))
    session.flush()


# --- the race -------------------------------------------------------------------------------------


def race(url: str, attempts: int, *, workers: int, seconds: float = 3_600, control: bool = False) -> dict[str, Any]:
    """Let so many processes share the attempts, for so many seconds at most; return the figures."""
    context = multiprocessing.get_context("spawn")  # a process of its own, with nothing of ours in it
    shares = [attempts // workers + (number < attempts % workers) for number in range(workers)]
    with context.Pool(workers, _meet_at, (context.Barrier(workers),)) as pool:
        runs = pool.starmap(compete, [(url, number, share, seconds, control) for number, share in enumerate(shares)], chunksize=1)
    took = max(run.ended for run in runs) - min(run.began for run in runs)
    ended = NOW + timedelta(seconds=took)
    said = sum((run.said for run in runs), Counter[str]())
    twice = set[int]().union(*(run.twice for run in runs))
    db = Database(url)
    with db.read() as session:
        twice |= double_promises(session, now=ended)
    if not control:  # which keeps no counters
        db.run(lambda session: holds.sweep(session, now=ended))
        with db.read() as session:
            said["breaches"] = len(breaches(session))
    db.dispose()
    figures = {name: said[name] for name in ("attempts", "held", "refused", "retried", "renewed", "released", "died")}
    others = {name: count for name, count in said.items() if name not in figures and name != "breaches"}
    return figures | {
        "others": others,
        "seconds": round(took, 1),
        "per_second": round(said["attempts"] / took, 1),
        "double_promises": len(twice),
        "breaches": said["breaches"],
    }


def _meet_at(gate: Barrier) -> None:
    _gate.append(gate)


@dataclass
class Run:
    """What one process saw. twice: reservations that the judge found. began, ended: seconds of the machine's clock."""

    began: float = 0.0
    ended: float = 0.0
    said: Counter[str] = field(default_factory=Counter)
    twice: set[int] = field(default_factory=set)


def compete(url: str, number: int, attempts: int, seconds: float, control: bool) -> Run:
    """Make so many attempts, or as many as these seconds allow, beginning together with the others."""
    db = Database(url, pool_size=1)
    hold, release = (naive.hold, naive.release) if control else (holds.hold, holds.release)
    with db.read() as session:
        items = {item.sku: item for item in session.scalars(sa.select(t.Item))}
    random, mine, run = Random(number), list[int](), Run()  # noqa: S311 - the same wishes each time, not a secret
    _gate[0].wait(120)
    run.began = time.monotonic()

    def attempt(work: Callable[[Session, datetime], Any]) -> Any:
        now, tries = NOW + timedelta(seconds=time.monotonic() - run.began), Counter[str]()

        def once(session: Session) -> Any:
            tries["made"] += 1
            return work(session, now)

        try:
            return db.run(once)
        except Refused as error:
            run.said["refused" if error.code == "not_available" else error.code] += 1
        except IntegrityError:
            run.said["stopped by a constraint"] += 1
        finally:
            run.said["retried"] += tries["made"] - 1

    for _ in range(attempts):
        if time.monotonic() - run.began > seconds:
            break
        run.said["attempts"] += 1
        [skus] = random.choices(*WANTED)
        item, quantity = items[random.choice(skus)], random.choice((1, 1, 2))
        got = attempt(lambda s, now, i=item, q=quantity: hold(s, i, q, owner=f"racer {number}", minutes=1, now=now).id)
        if got is not None:
            run.said["held"] += 1
            with db.read() as session:
                run.twice |= double_promises(session, now=NOW + timedelta(seconds=time.monotonic() - run.began))
            if random.random() >= FORGETS:
                mine.append(got)
        if mine and random.random() < RENEWS:
            again = random.choice(mine)
            run.said["renewed"] += bool(attempt(lambda s, now, r=again: holds.renew(s, r, minutes=1, now=now)))
        if mine and random.random() < RELEASES:
            old = mine.pop(random.randrange(len(mine)))
            gone = attempt(lambda s, now, r=old: release(s, r, now=now))
            run.said["released" if gone else "died"] += 1
    run.ended = time.monotonic()
    db.dispose()
    return run


# --- the judge ------------------------------------------------------------------------------------


def double_promises(session: Session, *, now: datetime) -> set[int]:
    """Return the reservations that stand on what an earlier one already has: pieces, receipts, goods to be made, minutes.

    One statement, so one moment. It adds up pegs and compares slots; what the program counts for itself it does not read.
    """
    return set(session.scalars(_judge(), {"now": now}))


@cache
def _judge() -> sa.CompoundSelect[Any]:
    now: sa.BindParameter[datetime] = sa.bindparam("now")
    live = sa.and_(
        t.Reservation.state.in_(["held", "paying", "converted"]),
        sa.or_(t.Reservation.state != "held", t.Reservation.expires_at > now),
    )
    stocked = sa.and_(t.Stock.item_id == t.Peg.item_id, t.Stock.warehouse_id == t.Peg.warehouse_id)
    line, order = t.PurchaseOrderLine, t.ProductionOrder
    return sa.union(
        _beyond(t.Stock, stocked, t.Stock.on_hand, live),
        _beyond(line, line.id == t.Peg.purchase_order_line_id, line.quantity - line.received, live),
        _beyond(order, order.id == t.Peg.supply_order_id, order.quantity, live),
        _overlapping(live),
    )


def _beyond(supply: Any, on: Any, quantity: Any, live: Any) -> sa.Select[Any]:
    """Select the reservations whose pegs on a supply, added up in the order they came, go beyond its quantity."""
    taken = sa.func.sum(t.Peg.quantity).over(partition_by=supply.id, order_by=(t.Peg.reservation_id, t.Peg.id))
    pegs = (
        sa.select(t.Peg.reservation_id, taken.label("taken"), quantity.label("there"))
        .join(supply, on)
        .join(t.Reservation, t.Reservation.id == t.Peg.reservation_id)
        .where(live, t.Peg.used.is_(False))
        .subquery()
    )
    return sa.select(pegs.c.reservation_id).where(pegs.c.taken > pegs.c.there)


def _overlapping(live: Any) -> sa.Select[Any]:
    """Select the reservations that were given minutes of a lane which an earlier one has."""
    busy = (
        sa.select(t.OperationSlot, t.ProductionOrder.reservation_id)
        .join(t.ProductionOrder, t.ProductionOrder.id == t.OperationSlot.production_order_id)
        .join(t.Reservation, t.Reservation.id == t.ProductionOrder.reservation_id)
        .where(live, t.ProductionOrder.state.in_(["held", "planned"]), t.OperationSlot.starts_at < t.OperationSlot.ends_at)
        .cte("busy")
    )
    one, other = busy.alias("one"), busy.alias("other")
    return sa.select(other.c.reservation_id).where(
        one.c.work_centre_id == other.c.work_centre_id,
        one.c.lane == other.c.lane,
        one.c.id != other.c.id,
        one.c.reservation_id <= other.c.reservation_id,
        one.c.starts_at < other.c.ends_at,
        other.c.starts_at < one.c.ends_at,
    )


if __name__ == "__main__":
    main()
