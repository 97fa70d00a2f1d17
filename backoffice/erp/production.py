"""Making: finish a production order, stop a work centre. Each tells the plan and whoever waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice import audit, causes
from backoffice.erp import (
    calendars,
    chains,
    decisions,
    fulfilment,
    gaining,
    learning,
    offers,
    pegging,
    plan,
    purchasing,
    replan,
    rescheduling,
    stock,
)
from backoffice.erp import models as t
from backoffice.erp.company import get_company, get_warehouse
from backoffice.public.errors import BadInput, NotFound, Refused
from backoffice.public.orders import Cause, CauseLink
from backoffice.wording import day_in

log = structlog.get_logger()
Closed = Mapping[int, Sequence[tuple[datetime, datetime]]]  # work centre → when it is closed now


def finish(session: Session, production_order_id: int, *, actor: str, now: datetime) -> None:
    """Say that a production order is done: components leave the stock, what was made comes in, first for who waits.

    Raises NotFound(unknown_production_order), Refused(wrong_state), Refused(components_missing, items).
    """
    plan.bump(session)
    order = session.get(t.ProductionOrder, production_order_id, populate_existing=True)
    if order is None:
        raise NotFound("unknown_production_order")
    if order.state == "done":
        return
    decisions.because(session, "made", now=now)
    if order.state != "planned":
        raise Refused("wrong_state", state=order.state)
    components = session.scalars(
        sa.select(t.Peg).where(t.Peg.production_order_id == order.id, t.Peg.used.is_(False)).order_by(t.Peg.item_id)
    ).all()
    missing = [peg.item_id for peg in components if peg.kind != "stock"]
    if missing:
        names = session.scalars(sa.select(t.Item.name).where(t.Item.id.in_(missing)).order_by(t.Item.name)).all()
        raise Refused("components_missing", items=", ".join(names))
    for peg in components:
        _consume(session, order, peg, actor, now)
    warehouse_id = get_warehouse(session).id
    waiting = purchasing.waiting_for(session, sa.and_(t.Peg.supply_order_id == order.id, t.Peg.kind == "make"))
    taken = purchasing.arrive(
        session,
        order.item_id,
        warehouse_id,
        order.quantity,
        waiting,
        cause="production",
        ref=f"made:{order.number}",
        actor=actor,
        now=now,
    )
    order.state, order.done_at = "done", now
    learning.note_made(session, order, now=now)
    session.execute(
        sa.delete(t.OperationSlot)
        .where(t.OperationSlot.production_order_id == order.id, t.OperationSlot.ends_at > now)
        .execution_options(synchronize_session="fetch", **decisions.NOTED)  # with the order that is done
    )
    session.flush()
    fulfilment.wake(session, taken)
    offers.touch(session, [order.item_id, *(peg.item_id for peg in components)], now=now, capacity=True)


def _consume(session: Session, order: t.ProductionOrder, peg: t.Peg, actor: str, now: datetime) -> None:
    assert peg.warehouse_id is not None
    reservation = session.get_one(t.Reservation, peg.reservation_id)
    totals = {pegging.total_of(reservation.state): -peg.quantity}
    stock.move(
        session,
        peg.item_id,
        peg.warehouse_id,
        -peg.quantity,
        cause="consumption",
        ref=f"used:{order.number}:{peg.id}",
        actor=actor,
        now=now,
        lot_id=peg.lot_id,
        **totals,
    )
    peg.used = True


def stop(
    session: Session,
    work_centre_id: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    reason: str,
    actor: str,
    now: datetime,
) -> t.WorkCentreStop:
    """Let a work centre stand still for some time and re-date the orders whose minutes lie in it.

    Raises NotFound(unknown_work_centre), BadInput(bad_period) when it ends before it starts, lies in the past or is
    longer than a year.
    """
    plan.bump(session, master=True)
    centre = session.get(t.WorkCentre, work_centre_id)
    if centre is None:
        raise NotFound("unknown_work_centre")
    require_period(starts_at, ends_at, now=now)
    row = _stop(session, centre, starts_at, ends_at, reason=reason, actor=actor)
    cause = cause_of_stop(session, centre, ends_at)
    _move_what_lies_in(session, {centre.id: [(starts_at, ends_at)]}, cause, CauseLink("stop", centre.name), now=now)
    return row


def miss_shift(
    session: Session, work_centre_id: int, on_day: date, *, reason: str, actor: str, now: datetime
) -> list[t.WorkCentreStop]:
    """Let a work centre stand still for what is left of its hours on a day, because its people are missing; return the stops.

    Raises NotFound(unknown_work_centre), BadInput(invalid_form, on_day) when it is not open then any more.
    """
    plan.bump(session, master=True)
    centre = session.get(t.WorkCentre, work_centre_id)
    if centre is None:
        raise NotFound("unknown_work_centre")
    calendar = calendars.of_centres(session, calendars.load_all(session, on_day, on_day))[centre.id]
    zone = ZoneInfo(calendar.timezone)
    midnight = datetime.combine(on_day, time(), zone)
    hours = [(_wall(midnight, starts), _wall(midnight, ends)) for starts, ends in calendar.intervals_on(on_day)]
    left = [(max(starts, now), ends) for starts, ends in hours if ends > now]
    if not left:
        raise BadInput("invalid_form", {"on_day": "closed_then"})
    rows = [_stop(session, centre, starts, ends, reason=reason, actor=actor) for starts, ends in left]
    cause = causes.of("shift_missing", station=centre.name, missing_on=on_day)
    _move_what_lies_in(session, {centre.id: left}, cause, CauseLink("shift", centre.name), now=now)
    return rows


def _wall(midnight: datetime, minute: int) -> datetime:
    """Return a minute of a local day as an instant; 1440 is midnight at its end."""
    days, rest = divmod(minute, 1440)
    return datetime.combine(midnight.date() + timedelta(days=days), time(rest // 60, rest % 60), midnight.tzinfo).astimezone(UTC)


def delay(session: Session, production_order_id: int, not_before_at: datetime, *, by: str, role: str = "", now: datetime) -> int:
    """Note that a production order cannot begin before an instant; return how many orders' lines moved. Locks the plan.

    Raises NotFound(unknown_production_order), Refused(wrong_state), BadInput(invalid_form, not_before).
    """
    plan.bump(session)
    order = session.get(t.ProductionOrder, production_order_id, populate_existing=True)
    if order is None:
        raise NotFound("unknown_production_order")
    if order.state != "planned":
        raise Refused("wrong_state", state=order.state)
    if not_before_at <= max(now, order.starts_at):
        raise BadInput("invalid_form", {"not_before": "not_later"})
    decisions.because(session, "production_later", now=now)
    before, order.not_before_at = order.starts_at, not_before_at
    session.flush()
    item, zone = session.get_one(t.Item, order.item_id), get_company(session).timezone
    if order.reservation_id is None:
        touched = rescheduling.push(session, order, not_before=not_before_at, now=now)
    else:
        touched = [order.reservation_id]
    from_on = day_in(zone, not_before_at)
    days = (from_on - day_in(zone, before)).days
    # the way begins at the order itself, so its own link is not said twice
    origin = chains.Origin(CauseLink("order", item.name, order.number, days), order_ids=frozenset([order.id]))
    cause = causes.of("production_later", item=item.name, from_on=from_on)
    moved = replan.after_change(session, touched, cause=cause, origin=origin, now=now)
    _touch_made(session, now)
    details = {"before": before.isoformat(), "after": not_before_at.isoformat(), "lines_moved": moved}
    audit.record(session, "production.delay", f"production_order:{order.id}", actor=by, role=role, details=details, now=now)
    return moved


def begin(session: Session, production_order_id: int, *, by: str, role: str = "", now: datetime) -> int:
    """Note that a production order can begin after all; return how many orders' lines moved. Locks the plan.

    Raises NotFound(unknown_production_order), Refused(wrong_state) unless it was said that it cannot.
    """
    plan.bump(session)
    order = session.get(t.ProductionOrder, production_order_id, populate_existing=True)
    if order is None:
        raise NotFound("unknown_production_order")
    if order.state != "planned" or order.not_before_at is None:
        raise Refused("wrong_state", state=order.state)
    decisions.because(session, "planned_again", now=now)
    before, order.not_before_at = order.not_before_at, None
    session.flush()
    own = [order.reservation_id] if order.reservation_id else []
    moved = replan.after_change(session, own, cause=causes.of("planned_again"), now=now)
    _touch_made(session, now)
    details = {"before": before.isoformat(), "lines_moved": moved}
    audit.record(session, "production.begin", f"production_order:{order.id}", actor=by, role=role, details=details, now=now)
    return moved


def _stop(
    session: Session, centre: t.WorkCentre, starts_at: datetime, ends_at: datetime, *, reason: str, actor: str
) -> t.WorkCentreStop:
    row = t.WorkCentreStop(
        work_centre_id=centre.id, starts_at=starts_at, ends_at=ends_at, reason=reason.strip()[:200], actor=actor
    )
    session.add(row)
    session.flush()
    return row


def require_period(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    """Raise BadInput(bad_period) unless a work centre may stand still from when to when."""
    if not (starts_at < ends_at and ends_at > now and (ends_at - starts_at).days <= 366):
        raise BadInput("bad_period")


def stopped_by(
    session: Session, work_centre_id: int, closed: Sequence[tuple[datetime, datetime]], *, now: datetime
) -> Sequence[t.ProductionOrder]:
    """Return the production orders that use minutes of a work centre that are closed."""
    slot = t.OperationSlot
    inside = [sa.and_(slot.starts_at < ends_at, slot.ends_at > max(starts_at, now)) for starts_at, ends_at in closed]
    return session.scalars(
        sa.select(t.ProductionOrder)
        .join(slot, slot.production_order_id == t.ProductionOrder.id)
        .where(slot.work_centre_id == work_centre_id, sa.or_(*inside), t.ProductionOrder.state.in_(["held", "planned"]))
        .distinct()
    ).all()


def cause_of_stop(session: Session, centre: t.WorkCentre, ends_at: datetime) -> Cause:
    """Return why days move when a work centre stands still."""
    return causes.of("station_stopped", station=centre.name, until_on=day_in(get_company(session).timezone, ends_at))


def _move_what_lies_in(session: Session, closed: Closed, cause: Cause, link: CauseLink, *, now: datetime) -> None:
    """Re-date the orders that use minutes of work centres that are closed now."""
    decisions.because(session, cause.code, now=now)
    waiting, origin = push_what_lies_in(session, closed, link, now=now)
    replan.after_change(session, waiting, cause=cause, origin=origin, now=now)
    _touch_made(session, now)


def push_what_lies_in(session: Session, closed: Closed, link: CauseLink, *, now: datetime) -> tuple[list[int], chains.Origin]:
    """Push orders for stock out of minutes that are closed now; return the reservations to plan anew, and where it began.

    The caller holds the plan's lock.
    """
    lying = (order for centre_id, spans in sorted(closed.items()) for order in stopped_by(session, centre_id, spans, now=now))
    touched = {order.id: order for order in lying}
    waiting = _move_stock_orders(session, [one for one in touched.values() if not one.reservation_id], now=now)
    own = [one.reservation_id for one in touched.values() if one.reservation_id]
    return [*own, *waiting], chains.Origin(link, order_ids=frozenset(touched))


def end_stop(
    session: Session,
    stop_id: int,
    *,
    actor: str,  # noqa: ARG001 - as of every verb of a desk; who it was is in the record of changes, not in the log
    now: datetime,
) -> None:
    """Let a stopped work centre work again from now. Raises NotFound(unknown_stop)."""
    plan.bump(session, master=True)
    row = session.get(t.WorkCentreStop, stop_id, populate_existing=True)
    if row is None:
        raise NotFound("unknown_stop")
    if row.starts_at >= now:
        session.delete(row)
    elif row.ends_at > now:
        row.ends_at = now
    session.flush()
    log.info("work_centre_works_again", stop_id=stop_id)
    gaining.after_freeing(session, gaining.Freed(centre_ids=frozenset([row.work_centre_id])), now=now)
    _touch_made(session, now)


def _move_stock_orders(session: Session, orders: list[t.ProductionOrder], *, now: datetime) -> list[int]:
    """Push orders made for stock behind the stop; return the reservations that wait for them."""
    waiting: list[int] = []
    for order in sorted(orders, key=lambda o: (o.starts_at, o.id)):
        waiting += rescheduling.push(session, order, now=now)
    return waiting


def _touch_made(session: Session, now: datetime) -> None:
    offers.touch(session, [], now=now, capacity=True)
