"""Late promises, the worst first: what each waits for, and where something can be done about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.crm.models import Order, OrderLine, Party
from backoffice.desk.listing import PAGE
from backoffice.erp import promising, tracing
from backoffice.erp.models import (
    Item,
    Peg,
    ProductionOrder,
    PurchaseOrder,
    PurchaseOrderLine,
    Reservation,
    Shipment,
    ShipmentLine,
)
from backoffice.public.promise import Step

OPEN = ("placed", "confirmed", "picking")


@dataclass(frozen=True, slots=True)
class Blocker:
    """A supply that a line still waits for. kind: receipt | proposed | make | buy; id: its row; late: its time is over."""

    kind: str
    id: int
    ref: str
    item: str
    at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class Late:
    """An order line that comes later than promised, or that stands on something late.

    days: by which it is late at least; 0 if its day is still to come and has not moved. overdue: its expected day is over.
    path: from the line down through what comes last at each step, where something is still to come.
    longest: the longest of the steps that lead to its day: a wait for a machine may cost more than any supply.
    with_others: all of it is here, and another line of its order is not.
    """

    number: str
    customer: str
    line: OrderLine
    days: int
    overdue: bool
    day_known: bool
    blockers: Sequence[Blocker]
    path: Sequence[tracing.Node]
    longest: Step | None
    with_others: bool


def find_late(session: Session, today: date, *, page: int = 1, now: datetime) -> tuple[Sequence[Late], int]:
    """Return one page of late lines not sent yet, first those without a day, then by days late, and how many there are in all.

    today: the company's date.
    """
    root = sa.func.coalesce(Reservation.split_from_id, Reservation.id)
    all_late = _worst_first(session, today, root, now)
    shown = [one.line_id for one in all_late[(page - 1) * PAGE : page * PAGE]]
    wanted = (
        sa.select(Order.number, Party.name, OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Party, Party.id == Order.party_id)
        .where(OrderLine.id.in_(shown))
    )
    rows = sorted(session.execute(wanted).all(), key=lambda row: shown.index(row[2].id))
    orders = {line.order_id for _, _, line in rows}
    mates = [one for one in all_late if one.order_id in orders]
    waits = _blockers(session, [one.reservation_id for one in mates], root, now)
    paths = _paths(session, [line.reservation_id for _, _, line in rows], root, now)
    waiting = {one.order_id for one in mates if one.reservation_id in waits}
    nothing: tuple[Sequence[tracing.Node], Step | None] = ((), None)
    found = [
        Late(
            number,
            customer,
            line,
            _days(line.promised_on, line.expected_on, today),
            line.expected_on < today,
            causes.is_day_known(line.moved_cause),
            waits.get(line.reservation_id, ()),
            *paths.get(line.reservation_id, nothing),
            line.order_id in waiting and line.reservation_id not in waits,
        )
        for number, customer, line in rows
    ]
    return found, len(all_late)


class _Line(NamedTuple):
    """A late line, by as little as the order of the list needs."""

    rank: tuple[bool, int, date]
    line_id: int
    order_id: int
    reservation_id: int


def _worst_first(session: Session, today: date, root: sa.ColumnElement[int], now: datetime) -> list[_Line]:
    """Return all late lines not sent yet, in the order in which they are shown."""
    without_day = OrderLine.moved_cause["day_known"].as_boolean() == sa.false()
    rows = session.execute(
        sa.select(
            OrderLine.promised_on, OrderLine.expected_on, without_day, OrderLine.id, OrderLine.order_id, OrderLine.reservation_id
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.state.in_(OPEN),
            OrderLine.reservation_id.in_(_not_sent(root)),
            sa.or_(
                OrderLine.expected_on > OrderLine.promised_on,
                OrderLine.expected_on < today,
                without_day,
                OrderLine.reservation_id.in_(_on_something_late(now, root)),
            ),
        )
    )
    return sorted(
        _Line((not unknown, -_days(promised_on, expected_on, today), promised_on), *ids)
        for promised_on, expected_on, unknown, *ids in rows
    )


def _days(promised_on: date, expected_on: date, today: date) -> int:
    return max((max(expected_on, today) - promised_on).days, 0)


def _paths(
    session: Session, reservation_ids: Sequence[int], root: sa.ColumnElement[int], now: datetime
) -> Mapping[int, tuple[Sequence[tracing.Node], Step | None]]:
    """Return line → its path and its longest step; of a parted line those of the part that comes last."""
    rows = session.execute(sa.select(Reservation.id, root, Reservation.chain).where(root.in_(reservation_ids)))
    parts = {part: (line, promising.rows_to_steps(chain)) for part, line, chain in rows}
    trees = tracing.find_tree(session, [tracing.Key("line", part) for part in sorted(parts)], "origin", now=now)
    found: dict[int, tuple[Sequence[tracing.Node], Step | None]] = {}
    for tree in trees:
        path, (line, steps) = tracing.path_of(tree), parts[tree.key.id]
        if len(path) > 1 and (line not in found or (path[1].at or now) > (found[line][0][1].at or now)):
            still = [step for step in steps if step.ends_at > now]
            found[line] = path, max(still, key=lambda step: step.ends_at - max(step.starts_at, now), default=None)
    return found


def _not_sent(root: sa.ColumnElement[int]) -> sa.Select[int]:
    """Select the reservations of which something has not left yet."""
    return (
        sa.select(root)
        .select_from(ShipmentLine)
        .join(Reservation, Reservation.id == ShipmentLine.reservation_id)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(Shipment.state.in_(("waiting", "to_pick", "picking", "packed")))
    )


def _on_something_late(now: datetime, root: sa.ColumnElement[int]) -> sa.Select[int]:
    """Select the reservations whose receipt or production order is past its time."""
    return (
        sa.select(root)
        .select_from(Peg)
        .join(Reservation, Reservation.id == Peg.reservation_id)
        .join(PurchaseOrderLine, PurchaseOrderLine.id == Peg.purchase_order_line_id, isouter=True)
        .join(ProductionOrder, ProductionOrder.id == Peg.supply_order_id, isouter=True)
        .where(
            Peg.used.is_(False),
            sa.or_(PurchaseOrderLine.due_at < now, sa.and_(ProductionOrder.ready_at < now, ProductionOrder.state == "planned")),
        )
    )


def _blockers(
    session: Session, reservation_ids: Sequence[int], root: sa.ColumnElement[int], now: datetime
) -> Mapping[int, Sequence[Blocker]]:
    rows = session.execute(
        sa.select(
            root,
            Peg,
            Item.name,
            PurchaseOrder.number,
            PurchaseOrder.state,
            PurchaseOrderLine.due_at,
            ProductionOrder.number,
            ProductionOrder.ready_at,
        )
        .select_from(Peg)
        .join(Reservation, Reservation.id == Peg.reservation_id)
        .join(Item, Item.id == Peg.item_id)
        .join(PurchaseOrderLine, PurchaseOrderLine.id == Peg.purchase_order_line_id, isouter=True)
        .join(PurchaseOrder, PurchaseOrder.id == PurchaseOrderLine.purchase_order_id, isouter=True)
        .join(ProductionOrder, ProductionOrder.id == Peg.supply_order_id, isouter=True)
        .where(root.in_(reservation_ids), Peg.used.is_(False), Peg.kind != "stock")
        .order_by(Peg.id)
    ).all()
    found: dict[int, dict[tuple[str, int], Blocker]] = defaultdict(dict)
    for line, peg, item, purchase, bought, due_at, made, ready_at in rows:
        row_id, at = peg.purchase_order_line_id or peg.supply_order_id or 0, due_at or ready_at
        kind = "proposed" if bought == "proposed" else peg.kind
        blocker = Blocker(kind, row_id, purchase or made or "", item, at, at is not None and at < now)
        found[line].setdefault((peg.kind, row_id), blocker)
    # the late ones first, then what is bought before what is made from it: there something can be done
    return {line: sorted(them.values(), key=lambda one: (not one.late, one.kind == "make")) for line, them in found.items()}
