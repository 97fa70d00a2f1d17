"""What is booked at the work centres, kept in memory and brought up to date from the plan's log: for who only asks.

The log says which orders have which minutes; whose of them count for the asker, the reservations say, each time. Whoever is
about to commit reads the rows (`snapshot`): a question that was answered from a log that is behind costs nobody a minute.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import kept
from backoffice.erp import decisions
from backoffice.erp import models as t
from backoffice.planning.folding import Decided, State
from backoffice.planning.instants import micros

KEPT = "bookings"


Span = tuple[int, int, int]
"""Lane, start and end, in microseconds."""


class Work(NamedTuple):
    """The minutes of one order at one work centre. held: it counts only while its reservation does."""

    held: bool
    reservation_id: int | None
    spans: tuple[Span, ...]


Booked = Mapping[int, Mapping[int, Work]]
"""Work centre → production order → its minutes. Never changed: a newer one takes its place."""


class _Tail:
    """The plan as folded so far. Threads share it."""

    def __init__(self, number: int, state: State) -> None:
        self.number, self._state, self._growing = number, state, Lock()
        self.booked: Booked = {}
        self._book(state.of["order"])

    def follow(self, rows: Iterable[sa.Row[int, list[Any]]]) -> bool:
        """Fold the decisions that are new. False: one is missing, so that all has to be folded anew."""
        with self._growing:
            for number, decided in rows:
                if number > self.number + 1:
                    return False
                if number == self.number + 1:
                    touched = {order for one in decided if (order := self._order(one)) is not None}
                    self._state.fold(decided)
                    self._book(touched)
                    self.number = number
        return True

    def _order(self, one: Decided) -> int | None:
        """Return the production order that a decision is about."""
        kind, key, values = one
        if kind == "slot":
            known = self._state.of["slot"].get(key)
            order: int | None = values[0] if values is not None else known and known.order
            return order
        return key if kind == "order" else None

    def _book(self, order_ids: Iterable[int]) -> None:
        booked = dict(self.booked)
        fresh: set[int] = set()  # whose orders are ours to change, not those that somebody reads
        for order_id in order_ids:
            now = self._work(order_id)
            for centre in now.keys() | {centre for centre, works in booked.items() if order_id in works}:
                if centre not in fresh:
                    booked[centre] = dict(booked.get(centre, {}))
                    fresh.add(centre)
                works: dict[int, Work] = booked[centre]  # type: ignore[assignment] # made two lines above
                if centre in now:
                    works[order_id] = now[centre]
                else:
                    del works[order_id]
        self.booked = booked

    def _work(self, order_id: int) -> dict[int, Work]:
        order = self._state.of["order"].get(order_id)
        if order is None:
            return {}
        found: dict[int, list[Span]] = {}
        for slot in self._state.slots_of(order_id):
            if slot.starts_at < slot.ends_at:
                found.setdefault(slot.work_centre, []).append((slot.lane, slot.starts_at, slot.ends_at))
        held = order.state == "held"
        return {centre: Work(held, order.reservation, tuple(some)) for centre, some in found.items()}


_NEW = (
    sa.select(t.PlanDecision.number, t.PlanDecision.decided)
    .where(t.PlanDecision.number > sa.bindparam("known"))
    .order_by(t.PlanDecision.number)
)


def booked(session: Session) -> Booked:
    """Return what is booked by the log as it stands; what is new in it is read, the rest is known."""
    tail: _Tail | None = kept(session).get(KEPT)
    if tail is not None and tail.follow(session.execute(_NEW, {"known": tail.number}).all()):
        return tail.booked
    kept(session)[KEPT] = tail = _Tail(*decisions.as_logged(session))
    return tail.booked


_HELD = (
    sa.select(t.ProductionOrder.reservation_id)
    .join(t.Reservation, t.Reservation.id == t.ProductionOrder.reservation_id)
    .where(t.ProductionOrder.state == "held")
)


def at(
    session: Session, centre_ids: Iterable[int], ignored: sa.ColumnElement[bool], *, now: datetime
) -> dict[Hashable, list[Span]]:
    """Return what is booked at these work centres after `now`, without what the reservations that are `ignored` keep."""
    found, past = booked(session), micros(now)
    without = set(session.scalars(_HELD.where(ignored)))
    return {
        centre_id: [
            span
            for held, reservation_id, spans in found.get(centre_id, {}).values()
            if not (held and reservation_id in without)
            for span in spans
            if span[2] > past
        ]
        for centre_id in centre_ids
    }
