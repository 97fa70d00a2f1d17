"""Promises: the plan's answer turned into a day at the customer's door, with the steps that lead there."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import factory as masters
from backoffice.erp import margins, plan, sources
from backoffice.erp import models as t
from backoffice.erp.classes import RETAIL
from backoffice.erp.company import get_warehouse
from backoffice.erp.factory import Master
from backoffice.erp.margins import Days
from backoffice.erp.shipping import Destination
from backoffice.erp.sources import Source
from backoffice.planning.outcome import Link, Outcome
from backoffice.planning.shipping import ship
from backoffice.public.errors import NotFound, Refused
from backoffice.public.promise import Promise, Step

STANDS_FOR = timedelta(minutes=10)  # how long a quoted day is worth repeating without asking again


_ITEM = sa.select(t.Item).where(t.Item.sku == sa.bindparam("sku"))


def get_item(session: Session, sku: str) -> t.Item:
    """Return a thing that the shop sells. Raises NotFound(unknown_product)."""
    item = session.scalar(_ITEM, {"sku": sku})
    if item is None or item.product_id is None:
        raise NotFound("unknown_product", sku=sku)
    return item


def quote(
    session: Session,
    item: t.Item,
    quantity: int,
    *,
    country: str | None,
    postcode: str | None,
    own: str | None = None,
    customer_class: str = RETAIL,
    by: date | None = None,
    service: str = "",
    now: datetime,
) -> Promise:
    """Return the earliest day for `quantity` of `item` at `postcode`; leaves no trace. by, service: as in `sources.find`.

    own: the asker's cart, whose holds do not compete; customer_class: the asker's.

    Raises Refused(not_available, most), BadInput(unknown_postcode).
    """
    source = sources.find(
        session,
        item,
        quantity,
        country=country,
        postcode=postcode,
        own=own,
        customer_class=customer_class,
        by=by,
        service=service,
        now=now,
    )
    return to_promise(session, masters.load(session, now=now), item, source, now=now)


def to_promise(session: Session, master: Master, item: t.Item, source: Source, *, now: datetime) -> Promise:
    """Return an answer as a promise, with its margin. Raises Refused(not_available) if nothing is ever shipped there."""
    outcome, zone = source.outcome, source.way.timezone
    assert outcome.ready_at is not None
    assert source.ready_at is not None
    ready_at = max(source.ready_at, now)
    shipped = ship(ready_at, source.way.shipping)
    if shipped is None:
        raise Refused("not_available", sku=item.sku, most=0)
    kept_back = margins.links(outcome.ready_at, source.ready_at, source.margin_days)
    steps = [_step(master, link, zone) for link in (*outcome.chain, *kept_back, *shipped.links)]
    return Promise(
        sku=item.sku,
        quantity=int(outcome.quantity),
        basis=outcome.basis,
        ready_at=ready_at,
        ship_on=shipped.ship_on,
        deliver_on=shipped.deliver_on,
        steps=steps,
        valid_until=now + STANDS_FOR,
        plan_version=plan.version(session),
        postcode=source.way.postcode,
        earliest_on=_earliest_on(outcome.ready_at, source.way, source.margin_days, now),
    )


def chain_rows(session: Session, outcome: Outcome, warehouse_id: int | None, *, now: datetime) -> list[dict[str, Any]]:
    """Return the steps that lead to an outcome's ready instant as plain data, to be stored with what they explain."""
    zone = get_warehouse(session, warehouse_id).timezone
    master = masters.load(session, now=now)
    return steps_to_rows(_step(master, link, zone) for link in outcome.chain)


def promise_of(
    session: Session, master: Master, reservation: t.Reservation, item: t.Item, place: Destination, *, now: datetime
) -> Promise:
    """Return what a reservation promises to a place, seen from `now`. Raises Refused(not_available) if nothing ships there.

    place: the way from the reservation's own warehouse.
    """
    safe_at = margins.safe_at(session, master, reservation)
    ready_at = max(safe_at, now)
    shipped = ship(ready_at, place.shipping)
    if shipped is None:
        raise Refused("not_available", sku=item.sku, most=0)
    kept_back = margins.links(reservation.ready_at, safe_at, reservation.margin_days)
    made = [*rows_to_steps(reservation.chain), *(_step(master, link, place.timezone) for link in kept_back)]
    if made and made[-1].ends_at < ready_at:  # ready since: the last step reaches to now, so that steps leave no gap
        made[-1] = Step(made[-1].kind, made[-1].starts_at, ready_at, made[-1].details)
    steps = [*made, *(_step(master, link, place.timezone) for link in shipped.links)]
    return Promise(
        sku=item.sku,
        quantity=reservation.quantity,
        basis=reservation.basis,
        ready_at=ready_at,
        ship_on=shipped.ship_on,
        deliver_on=shipped.deliver_on,
        steps=steps,
        valid_until=reservation.expires_at,
        plan_version=reservation.plan_version,
        postcode=place.postcode,
        earliest_on=_earliest_on(reservation.ready_at, place, reservation.margin_days, now),
    )


def day_for(ready_at: datetime, place: Destination, *, now: datetime) -> Days | None:
    """Return (ship on, deliver on) of goods ready at `ready_at`, seen from `now`; None if nothing ships there."""
    shipped = ship(max(ready_at, now), place.shipping)
    return None if shipped is None else Days(shipped.ship_on, shipped.deliver_on)


def days_for(
    session: Session, reservations: Iterable[t.Reservation], place: Destination, *, now: datetime
) -> tuple[Days, Days] | None:
    """Return the days of goods that leave together, by the plan and with the margins of their promises; None as `day_for`."""
    goods, master = list(reservations), masters.load(session, now=now)
    by_plan = day_for(max(one.ready_at for one in goods), place.without_margin(), now=now)
    safe = day_for(max(margins.safe_at(session, master, one) for one in goods), place, now=now)
    return None if by_plan is None or safe is None else (by_plan, safe)


def _earliest_on(ready_at: datetime, place: Destination, margin_days: int, now: datetime) -> date | None:
    """Return the day on which it would arrive by the plan alone; None where no margin is added to it."""
    plain = place.without_margin()
    days = day_for(ready_at, plain, now=now) if margin_days or plain is not place else None
    return days.deliver_on if days else None


def _step(master: Master, link: Link, zone: str) -> Step:
    details: dict[str, str | int] = {"zone": zone}
    if link.item is not None:
        details["item"] = master.names.get(cast(int, link.item), str(link.item))
    for key, value in link.details.items():
        if key != "supply":  # which receipt it is, is the planner's business
            details[key] = _word(master, key, value)
    return Step(link.kind, link.starts_at, link.ends_at, details)


def _word(master: Master, key: str, value: Hashable) -> str | int:
    if key == "work_centre":
        return master.centre_names.get(cast(int, value), str(value))
    if isinstance(value, int):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def steps_to_rows(steps: Iterable[Step]) -> list[dict[str, Any]]:
    """Return steps as plain data, to be stored with an order line."""
    return [
        {
            "kind": s.kind,
            "starts_at": s.starts_at.isoformat(),
            "ends_at": s.ends_at.isoformat(),
            "details": dict(s.details),
        }
        for s in steps
    ]


def rows_to_steps(rows: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Return stored steps."""
    return [
        Step(
            row["kind"],
            datetime.fromisoformat(row["starts_at"]),
            datetime.fromisoformat(row["ends_at"]),
            row["details"],
        )
        for row in rows
    ]
