"""The projection that pages read: per item, whether something may be promised, from when, and how long that stands.

A change touches rows (raises `generation`, ends `valid_until`) in its own transaction; `freshen` computes them again before
they are read, and stores an answer only if nothing touched the row meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from backoffice.db import Database, among, table_of
from backoffice.erp import factory as masters
from backoffice.erp import models as t
from backoffice.erp import plan, shipping, snapshot, sources
from backoffice.erp.company import get_company, local_today
from backoffice.erp.sources import Source, policy
from backoffice.planning.plan import Plan

STANDS_FOR = timedelta(minutes=10)
BATCH = 500
_OFFER = table_of(t.Offer)
MANY = 1_000  # offers named one by one in a statement


def _touching(condition: sa.ColumnElement[bool]) -> sa.Update:
    """Return the statement that marks offers; it locks them in order: two that touch the same ones never wait in a ring."""
    rows = sa.select(_OFFER.c.item_id).where(condition).order_by(_OFFER.c.item_id).with_for_update()
    new = {"generation": _OFFER.c.generation + 1, "valid_until": sa.bindparam("now", type_=_OFFER.c.valid_until.type)}
    return sa.update(_OFFER).where(_OFFER.c.item_id.in_(rows)).values(new)


_NAMED = among(_OFFER.c.item_id, "touched")
_MADE = _OFFER.c.item_id.in_(sa.select(t.Item.id).where(t.Item.sell_from == "production"))
_TOUCH, _TOUCH_MADE, _TOUCH_ALL = _touching(_NAMED), _touching(sa.or_(_NAMED, _MADE)), _touching(sa.true())


def touch(
    session: Session, item_ids: Iterable[int], *, now: datetime, capacity: bool = False, centres: Iterable[int] = ()
) -> None:
    """Mark the offers of these items and of all that is made with them as out of date.

    centres: work centres that have less time now: also of all that waits for them. capacity: any may have: of all that is made.
    """
    master = masters.load(session, now=now)
    touched, waiting = master.above(item_ids), master.waiting_for(centres)
    if capacity or len(waiting) > MANY:
        session.execute(_TOUCH_MADE, {"touched": sorted(touched), "now": now})
    else:
        session.execute(_TOUCH, {"touched": sorted(touched | waiting), "now": now})


def touch_all(session: Session, *, now: datetime) -> None:
    """Mark every offer as out of date."""
    session.execute(_TOUCH_ALL, {"now": now})


def refresh(session: Session, item_ids: Iterable[int] | None, *, now: datetime) -> int:
    """Compute the offers of these items (None = of everything on sale) now; return how many."""
    wanted = None if item_ids is None else sorted(set(item_ids))
    query = sa.select(t.Item).where(t.Item.product_id.is_not(None)).order_by(t.Item.id)
    items = list(session.scalars(query if wanted is None else query.where(t.Item.id.in_(wanted))))
    _ensure_rows(session, items, now=now)
    done = 0
    for start in range(0, len(items), BATCH):
        done += _compute(session, items[start : start + BATCH], now=now)
    if done:
        plan.raise_offers(session)
    return done


def freshen(db: Database, *, now: datetime) -> int:
    """Compute again what was touched or has run out, in a transaction of its own; return how many. Cheap when none."""
    with db.read() as session:
        stale = find_stale(session, now=now)
    return db.run(lambda session: refresh(session, stale, now=now)) if stale else 0


def find_stale(session: Session, *, now: datetime) -> list[int]:
    """Return items whose offer must be computed again, some of them where there are many."""
    due = sa.select(t.Offer.item_id).where(t.Offer.valid_until <= now)
    return list(session.scalars(due.order_by(t.Offer.item_id).limit(BATCH)))


def shown_state(session: Session) -> str:
    """Return a name for the state of all that catalogue pages show, as it was when offers were last computed."""
    return f"{plan.offers_version(session)}-{plan.master_version(session)}"


def shown_version(session: Session, *, now: datetime) -> tuple[str, bool]:
    """Return a name for the state of all that catalogue pages show, and whether an offer is to be computed again first.

    One statement: it is asked on each request.
    """
    domain = t.PlanDomain
    row = session.execute(
        sa.select(
            sa.select(domain.version).where(domain.id == plan.OFFERS).scalar_subquery(),
            sa.select(domain.master_version).where(domain.id == plan.DOMAIN).scalar_subquery(),
            sa.exists(sa.select(t.Offer.item_id).where(t.Offer.valid_until <= now)),
        )
    ).one()
    return f"{row[0] or 0}-{row[1] or 0}", bool(row[2])


def _ensure_rows(session: Session, items: Sequence[t.Item], *, now: datetime) -> None:
    have = set(session.scalars(sa.select(t.Offer.item_id)))
    new = [
        {"item_id": i.id, "listed": False, "basis": "none", "valid_until": now, "plan_version": 0, "generation": 0}
        for i in items
        if i.id not in have
    ]
    if new:
        insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
        session.execute(insert(t.Offer).on_conflict_do_nothing(index_elements=["item_id"]), new)


def _compute(session: Session, items: Sequence[t.Item], *, now: datetime) -> int:
    rows = session.execute(sa.select(t.Offer.item_id, t.Offer.generation).where(t.Offer.item_id.in_([i.id for i in items])))
    generations = {row.item_id: row.generation for row in rows}  # read before the figures: a change in between shows
    version = plan.version(session)
    ask = _asker(session, items, now=now)
    until = _valid_until(session, now)
    for item in items:
        source = ask(item) if item.on_sale else None
        outcome = source.outcome if source else None
        session.execute(
            sa.update(t.Offer)
            .where(t.Offer.item_id == item.id, t.Offer.generation == generations[item.id])
            .values(
                listed=source is not None,
                ready_at=source.ready_at if source else None,
                basis=outcome.basis if outcome else "none",
                warehouse_id=source.warehouse_id if source else None,
                valid_until=until,
                plan_version=version,
            )
            .execution_options(synchronize_session=False)
        )
    return len(items)


def _asker(session: Session, items: Sequence[t.Item], *, now: datetime) -> Callable[[t.Item], Source | None]:
    """Return what tells where one piece of any of these items would ship from, to the place days are named for by default."""
    made = [i for i in items if i.sell_from == "production"]
    planned = snapshot.load(session, [i.id for i in made], now=now, from_log=True) if made else None
    lying = snapshot.load(session, [i.id for i in items], now=now, sell_from="incoming")
    shelves: list[tuple[int | None, Plan]] = list(sources.stocked(session, [i.id for i in items], now=now).items())
    master = masters.load(session, now=now)
    ways = {one: shipping.destination(session, master, warehouse_id=one, now=now) for one in (None, *(one for one, _ in shelves))}
    for one, where in [(None, planned), (None, lying), *shelves]:
        if where is not None:
            where.ships_on = shipping.arrival(ways[one], now=now)

    def ask(item: t.Item) -> Source | None:
        works = planned if planned is not None and item.sell_from == "production" else lying
        found = [sources.at_works(session, master, works.quote(item.id, 1, sell_from=policy(item)), ways[None])]
        found += [Source.from_shelf(shelf.quote(item.id, 1, sell_from="stock"), one, ways[one]) for one, shelf in shelves]
        return sources.first(found, now=now)

    return ask


def _valid_until(session: Session, now: datetime) -> datetime:
    """Return when these answers must be asked again: in ten minutes, or when a hold, a supply or a figure runs out."""
    line, order, making = t.PurchaseOrderLine, t.PurchaseOrder, t.ProductionOrder
    nexts = (
        sa.select(sa.func.min(t.Reservation.expires_at)).where(t.Reservation.state == "held", t.Reservation.expires_at > now),
        sa.select(sa.func.min(line.due_at))
        .join(order, order.id == line.purchase_order_id)
        .where(order.state == "ordered", line.received < line.quantity, line.due_at > now),
        sa.select(sa.func.min(t.OutsideStock.good_until)).where(t.OutsideStock.good_until > now),
        sa.select(sa.func.min(making.ready_at)).where(making.state == "planned", making.ready_at > now),
    )
    return min([now + STANDS_FOR, *filter(None, map(session.scalar, nexts)), *_releases(session, now)])


def _releases(session: Session, now: datetime) -> Iterable[datetime]:
    """Yield the midnight at which the next allotment is everybody's, where there is one."""
    company = get_company(session)
    kept = t.Allotment
    later = sa.select(sa.func.min(kept.release_on)).where(kept.released_at.is_(None), kept.release_on > local_today(company, now))
    release_on = session.scalar(later)
    if release_on is not None:
        yield datetime.combine(release_on, time(), ZoneInfo(company.timezone)).astimezone(UTC)
