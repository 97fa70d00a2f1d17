"""What is booked at the work centres, kept in memory and brought up to date from the plan's log.

The log says which orders have which minutes; whose of them count for the asker, the reservations say, each time. The lanes of a
work centre are made ready when they are first asked for and follow the log from then on, so that a question costs what it changes
and not what is booked. What the asker's own transaction has decided so far counts too.

Whoever commits on an answer from here looks into the rows before it stands (`snapshot.are_free`): a log that is behind must not
give minutes away twice.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.db import kept
from backoffice.erp import decisions
from backoffice.erp import models as t
from backoffice.planning.capacity import Booked, Span
from backoffice.planning.folding import Decided, State
from backoffice.planning.instants import micros
from backoffice.planning.model import Factory

KEPT = "bookings"

Works = Mapping[int, Sequence[Span]]
"""Work centre → the minutes of one order there."""


class _Tail:
    """The plan as folded so far, and what of it was made ready. Threads share it: one at a time, with the lock."""

    def __init__(self, number: int, state: State) -> None:
        self.lock = Lock()
        self.number, self._state = number, state
        self._works: dict[int, dict[int, Sequence[Span]]] = {}  # work centre → order → its minutes there
        self._held: dict[int | None, set[int]] = {}  # reservation → its orders that count only while it does
        self._ready: dict[int, Booked] = {}
        for order in state.of["order"]:
            self._book(order, _works_of(state, order))

    def follow(self, rows: Iterable[sa.Row[int, list[Any]]]) -> bool:
        """Fold the decisions that are new. False: one is missing, so that all has to be folded anew."""
        for number, decided in rows:
            if number > self.number + 1:
                return False
            if number == self.number + 1:
                self._fold(decided)
                self.number = number
        return True

    def at(self, factory: Factory, centre: int, changes: Mapping[int, Works], now: int) -> Booked:
        """Return what is booked at a work centre once these orders have other minutes."""
        if not self.is_ready(factory, centre, now):
            spans = [span for spans in self._works.get(centre, {}).values() for span in spans]
            self._ready[centre] = Booked(factory.axis(centre, now), factory.centre_by[centre].lanes, spans)
        return self._changed(centre, self._ready[centre], changes)

    def is_ready(self, factory: Factory, centre: int, now: int) -> bool:
        """Tell whether a work centre's lanes are ready, and for the hours and lanes that it has now."""
        known = self._ready.get(centre)
        return known is not None and known.axis is factory.axis(centre, now) and known.count == factory.centre_by[centre].lanes

    def changes(self, decided: Sequence[Decided], without: Collection[int]) -> dict[int, Works]:
        """Return order → its minutes, of the orders that decisions change or that these reservations only hold."""
        changed = self._after(decided)
        empty: Works = {}
        found = {order: empty for one in without for order in self._held.get(one, ())}
        for order in _orders(self._state, decided):
            held = _reservation_of(changed, order)
            found[order] = empty if held in without else _works_of(changed, order)
        return found

    def _fold(self, decided: Sequence[Decided]) -> None:
        changes = self.changes(decided, set())
        for centre, ready in self._ready.items():
            self._ready[centre] = self._changed(centre, ready, changes)
        for order in changes:
            for standing in self._works.values():
                standing.pop(order, None)
            self._held.get(_reservation_of(self._state, order), set()).discard(order)
        self._state.fold(decided)
        for order, works in changes.items():
            self._book(order, works)

    def _after(self, decided: Sequence[Decided]) -> State:
        """Return the orders that decisions are about, as they are then."""
        changed = self._state.part(_orders(self._state, decided))
        changed.fold(one for one in decided if one[0] in ("order", "slot"))
        return changed

    def _book(self, order: int, works: Works) -> None:
        for centre, spans in works.items():
            self._works.setdefault(centre, {})[order] = spans
        if (held := _reservation_of(self._state, order)) is not None:
            self._held.setdefault(held, set()).add(order)

    def _changed(self, centre: int, ready: Booked, changes: Mapping[int, Works]) -> Booked:
        standing = self._works.get(centre, {})
        gone = [span for order in changes for span in standing.get(order, ())]
        new = [span for works in changes.values() for span in works.get(centre, ())]
        if gone == new:
            return ready
        others = (spans for order, spans in standing.items() if order not in changes)
        return ready.changed(gone, new) or Booked(ready.axis, ready.count, [*(span for spans in others for span in spans), *new])


def _orders(state: State, decided: Iterable[Decided]) -> set[int]:
    """Return the production orders that decisions are about."""
    found: set[int] = set()
    for kind, key, values in decided:
        if kind == "order":
            found.add(key)
        elif kind == "slot":
            known = state.of["slot"].get(key)
            found |= {values[0]} if values is not None else set()
            found |= {known.order} if known is not None else set()
    return found


def _works_of(state: State, order: int) -> Works:
    found: dict[int, list[Span]] = {}
    if order in state.of["order"]:
        for slot in state.slots_of(order):
            if slot.starts_at < slot.ends_at:
                found.setdefault(slot.work_centre, []).append((slot.lane, slot.starts_at, slot.ends_at))
    return found


def _reservation_of(state: State, order: int) -> int | None:
    """Return the reservation that an order is only held for."""
    known = state.of["order"].get(order)
    return known.reservation if known is not None and known.state == "held" else None


_NEW = (
    sa.select(t.PlanDecision.number, t.PlanDecision.decided)
    .where(t.PlanDecision.number > sa.bindparam("known"))
    .order_by(t.PlanDecision.number)
)


@contextmanager
def _following(session: Session) -> Iterator[_Tail]:
    """Lock the plan as the log stands: what is new in it is read, the rest is known."""
    tail: _Tail | None = kept(session).get(KEPT)
    rows = session.execute(_NEW, {"known": tail.number}).all() if tail is not None else []
    if tail is not None:
        with tail.lock:
            if tail.follow(rows):
                yield tail
                return
    kept(session)[KEPT] = tail = _Tail(*decisions.as_logged(session))
    with tail.lock:
        yield tail


def prepare(session: Session, factory: Factory, centre_ids: Collection[int], *, now: datetime) -> None:
    """Make these work centres ready where they are not. No statement where they are."""
    tail: _Tail | None = kept(session).get(KEPT)
    if centre_ids and (tail is None or not all(tail.is_ready(factory, one, micros(now)) for one in centre_ids)):
        at(session, factory, centre_ids, (), now=now)


def at(
    session: Session, factory: Factory, centre_ids: Iterable[int], without: Collection[int], *, now: datetime
) -> dict[Hashable, Booked]:
    """Return what is booked at these work centres, without what is held for the reservations `without`."""
    with _following(session) as tail:
        changes = tail.changes(decisions.pending(session), without)
        return {centre: tail.at(factory, centre, changes, micros(now)) for centre in centre_ids}
