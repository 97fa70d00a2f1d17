"""Where an answer ships from: the works, with all that can still be made and bought, or another warehouse where it stands ready.

Only the works plans: another warehouse keeps finished goods, and a line ships from there when the whole of it lies there
and arrives earlier than from the works (docs/decisions/0012).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Literal, TypedDict, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import margins, shipping, snapshot
from backoffice.erp import models as t
from backoffice.erp.classes import RETAIL
from backoffice.erp.company import premises
from backoffice.erp.factory import Master
from backoffice.erp.shipping import Destination
from backoffice.planning.outcome import Outcome
from backoffice.planning.plan import Plan
from backoffice.planning.shipping import ready_in_time, ship
from backoffice.public.errors import Refused

SellFrom = Literal["stock", "incoming", "production"]


class Asker(TypedDict):
    """Who asks, as `snapshot` wants to know it."""

    own: str | None
    customer_class: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who buys, and where it goes.

    own: the cart whose holds do not compete; service: how it is sent, "" the usual way; customer_class: for what is kept for it.
    """

    country: str
    postcode: str | None
    own: str | None = None
    service: str = ""
    customer_class: str = RETAIL


@dataclass(frozen=True, slots=True)
class Source:
    """An answer of the plan, the warehouse that it ships from (none: the works), and the way from there.

    ready_at: from when on it is promised to be ready: the plan's instant and `margin_days` open days; None: never.
    """

    outcome: Outcome
    warehouse_id: int | None
    way: Destination
    ready_at: datetime | None
    margin_days: int = 0

    @classmethod
    def from_shelf(cls, outcome: Outcome, warehouse_id: int | None, way: Destination) -> Source:
        """Return the answer of a shelf: what lies there needs no margin."""
        return cls(outcome, warehouse_id, way, outcome.ready_at)


def at_works(session: Session, master: Master, outcome: Outcome, way: Destination) -> Source:
    """Return the answer of the works, with the margin that the company adds to it."""
    if outcome.ready_at is None:
        return Source.from_shelf(outcome, None, way)
    days = margins.days_of(session, master, outcome)
    return Source(outcome, None, way, margins.later(session, master, outcome.ready_at, days), days)


def policy(item: t.Item) -> SellFrom:
    """Return what the item may be sold from."""
    return cast(SellFrom, item.sell_from)


def find(
    session: Session,
    item: t.Item,
    quantity: int,
    *,
    country: str | None = None,
    postcode: str | None = None,
    own: str | None = None,
    customer_class: str = RETAIL,
    reclaimed: bool = False,
    by: date | None = None,
    service: str = "",
    now: datetime,
) -> Source:
    """Return the source from which `quantity` of `item` arrives first at a place (none: the company's default place).

    own: the asker, whose holds do not compete; customer_class: theirs, for what is kept for it. reclaimed: the asker is about to
    commit on it, and no expired hold stands on it any more.

    by: what is planned is planned back from that day, as late as possible but in time; if that cannot be, as early as it can.
    service: how it is sent, "" the usual way.

    Raises BadInput(unknown_postcode), and Refused(not_available, most = what could be had instead of `quantity`, 0 if nothing).
    """
    master = masters.load(session, now=now)

    def way(warehouse_id: int | None) -> Destination:
        where = {"country": country, "postcode": postcode}
        return shipping.destination(session, master, **where, warehouse_id=warehouse_id, service=service, now=now)

    works = way(None)
    if not item.on_sale:
        raise Refused("not_available", sku=item.sku, most=0)
    sell_from = policy(item)
    asker: Asker = {"own": own, "customer_class": customer_class}
    arrives_on = shipping.arrival(works, now=now)
    due = _latest_ready(by, works, now)

    def planned(standing: Plan) -> Source:
        answer = at_works(session, master, standing.quote(item.id, quantity, sell_from=sell_from, due=due), works)
        if due is not None and answer.margin_days:  # planned back from the day itself, it would come too late by its margin
            answer = at_works(session, master, standing.quote(item.id, quantity, sell_from=sell_from), works)
        return answer

    load = partial(
        snapshot.load, session, [item.id], now=now, **asker, sell_from=sell_from, reclaimed=reclaimed, ships_on=arrives_on
    )
    standing = load(from_log=reclaimed)
    answer = planned(standing)
    if reclaimed and not snapshot.are_free(session, answer.outcome, now=now):  # the log is behind the rows
        standing = load(from_log=False)
        answer = planned(standing)
    found = [answer]
    elsewhere = stocked(session, [item.id], now=now, **asker)
    for warehouse_id, ready in elsewhere.items():
        ready.ships_on = shipping.arrival(way(warehouse_id), now=now)
        found.append(Source.from_shelf(ready.quote(item.id, quantity, sell_from="stock"), warehouse_id, way(warehouse_id)))
    best = first(found, now=now)
    if best is None:
        shelves = (_most(shelf, item.id, quantity, "stock") for shelf in elsewhere.values())
        most = max(_most(standing, item.id, quantity, sell_from), *shelves, 0)
        raise Refused("not_available", sku=item.sku, most=most)
    return best


def _latest_ready(by: date | None, way: Destination, now: datetime) -> datetime | None:
    """Return the last whole minute at which goods may become ready to arrive by a day; None: no day, or it is too early."""
    windows = [] if by is None else ready_in_time(by, way.shipping, now=now)
    return windows[0][1] - timedelta(minutes=1) if windows and windows[0][0] is None else None


def first(found: Iterable[Source], *, now: datetime) -> Source | None:
    """Return the source whose parcel arrives first, of equals the one from the shelf, of those the works; None: there is none."""
    kept = [(rank, source) for source in found if (rank := _rank(source, now)) is not None]
    return min(kept, key=lambda pair: pair[0])[1] if kept else None


def _rank(source: Source, now: datetime) -> tuple[date, bool, int] | None:
    if source.ready_at is None:
        return None
    shipped = ship(max(source.ready_at, now), source.way.shipping)
    # what never ships still ranks, last: whoever asked is told so in the words for that
    arrives_on = date.max if shipped is None else shipped.deliver_on
    return arrives_on, source.outcome.basis != "stock", source.warehouse_id or 0


def stocked(
    session: Session, item_ids: Iterable[int], *, now: datetime, own: str | None = None, customer_class: str = RETAIL
) -> Mapping[int, Plan]:
    """Return warehouse → what stands ready there of these items, for each warehouse but the works that has any."""
    if len(premises(session).warehouses) == 1:
        return {}
    wanted = sorted(set(item_ids))
    works = sa.select(sa.func.min(t.Warehouse.id)).scalar_subquery()
    rows = session.execute(
        sa.select(t.Stock.warehouse_id, t.Stock.item_id)
        .where(t.Stock.item_id.in_(wanted), t.Stock.warehouse_id != works, t.Stock.on_hand > t.Stock.allocated)
        .order_by(t.Stock.warehouse_id, t.Stock.item_id)
    ).all()
    kept: dict[int, list[int]] = {}
    for warehouse_id, item_id in rows:
        kept.setdefault(warehouse_id, []).append(item_id)
    asker: Asker = {"own": own, "customer_class": customer_class}
    return {one: snapshot.load_shelf(session, items, one, now=now, **asker) for one, items in kept.items()}


def _most(standing: Plan, item_id: int, quantity: int, sell_from: SellFrom) -> int:
    """Return the largest quantity that could be had instead, at most what stock and receipts give."""
    most = min(int(standing.most(item_id)), quantity - 1)
    if most <= 0:
        return 0
    if standing.quote(item_id, most, sell_from=sell_from).ready_at is not None:
        return most
    return 1 if standing.quote(item_id, 1, sell_from=sell_from).ready_at is not None else 0
