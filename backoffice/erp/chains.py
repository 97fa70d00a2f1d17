"""How a change comes to an order's line: from where it began, through the production that needs it, in numbers and names."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.erp import models as t
from backoffice.public.orders import CauseLink

Node = tuple[str, int]  # ("receipt", purchase order line) | ("order", production order) | ("line", reservation)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change began: what is said of it, and the receipt or the production orders that it touched first.

    known: ways that were looked up before their pegs were taken away.
    """

    link: CauseLink
    receipt_id: int | None = None
    order_ids: frozenset[int] = frozenset()
    known: Mapping[int, tuple[CauseLink, ...]] = field(default_factory=dict)


def routes(session: Session, origin: Origin, reservation_ids: Iterable[int]) -> dict[int, tuple[CauseLink, ...]]:
    """Return for each reservation the links from the origin to it, the shortest way. Ask before its pegs are taken away."""
    wanted = sorted(set(reservation_ids))
    goes_to: dict[Node, list[Node]] = {}
    for peg in session.scalars(
        sa.select(t.Peg).where(t.Peg.reservation_id.in_(wanted), t.Peg.used.is_(False)).order_by(t.Peg.id)
    ):
        demand: Node = ("order", peg.production_order_id) if peg.production_order_id else ("line", peg.reservation_id)
        if peg.purchase_order_line_id:
            goes_to.setdefault(("receipt", peg.purchase_order_line_id), []).append(demand)
        elif peg.supply_order_id:
            goes_to.setdefault(("order", peg.supply_order_id), []).append(demand)
    came_from = _walk(goes_to, _starts(origin))
    names = _names(session, [number for kind, number in came_from if kind == "order"])
    found = {one: (origin.link, *_back(came_from, ("line", one), names, origin.link.ref)) for one in wanted}
    return found | dict(origin.known)


def _starts(origin: Origin) -> list[Node]:
    if origin.receipt_id is not None:
        return [("receipt", origin.receipt_id)]
    return [("order", one) for one in sorted(origin.order_ids)]


def _walk(goes_to: dict[Node, list[Node]], starts: list[Node]) -> dict[Node, Node | None]:
    came_from: dict[Node, Node | None] = dict.fromkeys(starts)
    waiting = deque(starts)
    while waiting:
        node = waiting.popleft()
        for following in goes_to.get(node, ()):
            if following not in came_from:
                came_from[following] = node
                waiting.append(following)
    return came_from


def _back(came_from: dict[Node, Node | None], end: Node, names: dict[int, CauseLink], origin_ref: str) -> list[CauseLink]:
    """Return the production orders on the way to `end`, the first one first."""
    found: list[CauseLink] = []
    node = came_from.get(end)
    while node is not None:
        if node[0] == "order" and names[node[1]].ref != origin_ref:
            found.append(names[node[1]])
        node = came_from[node]
    return found[::-1]


def _names(session: Session, order_ids: list[int]) -> dict[int, CauseLink]:
    rows = session.execute(
        sa.select(t.ProductionOrder.id, t.ProductionOrder.number, t.Item.name)
        .join(t.Item, t.Item.id == t.ProductionOrder.item_id)
        .where(t.ProductionOrder.id.in_(order_ids))
    )
    return {row_id: CauseLink("order", name, number) for row_id, number, name in rows}
