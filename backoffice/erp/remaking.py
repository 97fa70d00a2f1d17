"""A changed parts list or routing: what is not begun yet is planned anew in the new way, whoever waits for it is told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import causes
from backoffice.erp import chains, offers, plan, replan
from backoffice.erp import models as t
from backoffice.public.orders import CauseLink

Recipes = Mapping[int, tuple[object, ...]]


def recipes(session: Session, item_id: int | None = None) -> Recipes:
    """Return how each item (or one) is made, for comparing before and after: item → its components and operations."""
    found: dict[int, list[object]] = defaultdict(list)
    bom, step = t.BomLine, t.RoutingOperation
    lines = sa.select(bom.parent_id, bom.component_id, bom.quantity, bom.per, bom.scrap_permille)
    lines = lines if item_id is None else lines.where(bom.parent_id == item_id)
    for parent, *line in session.execute(lines.order_by(bom.parent_id, bom.component_id)):
        found[parent].append(("part", *line))
    columns = (step.position, step.work_centre_id, step.setup_seconds, step.fixed_seconds, step.run_seconds, step.run_per)
    steps = sa.select(step.item_id, *columns)
    steps = steps if item_id is None else steps.where(step.item_id == item_id)
    for item, *operation in session.execute(steps.order_by(step.item_id, step.position)):
        found[item].append(("operation", *operation))
    return {item: tuple(rows) for item, rows in found.items()}


def changed(before: Recipes, after: Recipes) -> set[int]:
    """Return the items that are made in another way now."""
    return {item for item in before.keys() | after.keys() if before.get(item) != after.get(item)}


def after_change(session: Session, item_ids: Iterable[int], *, now: datetime) -> int:
    """Plan anew what stands on production of these items that is not begun; return how many orders' lines moved.

    What has begun is finished in the old way. Locks the plan.
    """
    plan.bump(session, master=True)
    wanted = sorted(set(item_ids))
    orders: dict[int, list[t.ProductionOrder]] = defaultdict(list)
    for order in session.scalars(
        sa.select(t.ProductionOrder)
        .where(
            t.ProductionOrder.item_id.in_(wanted),
            t.ProductionOrder.state.in_(["held", "planned"]),
            t.ProductionOrder.reservation_id.is_not(None),
            t.ProductionOrder.starts_at > now,
        )
        .order_by(t.ProductionOrder.id)
    ):
        orders[order.item_id].append(order)
    moved = 0
    for item_id, own in sorted(orders.items()):
        name = session.get_one(t.Item, item_id).name
        origin = chains.Origin(CauseLink("recipe", name), order_ids=frozenset(order.id for order in own))
        waiting = [order.reservation_id for order in own if order.reservation_id is not None]
        moved += replan.after_change(session, waiting, cause=causes.of("recipe_changed", item=name), origin=origin, now=now)
    if wanted:
        offers.touch(session, wanted, now=now, capacity=True)
    return moved
