"""The questions a plan is asked: the earliest instant, an asked instant, and a line that may come in parts."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from fractions import Fraction

from backoffice.planning.backward import DatedSearch
from backoffice.planning.explode import SellFrom
from backoffice.planning.model import Number
from backoffice.planning.needs import BlockedError, Need, joined


@dataclass(slots=True)
class Answer:
    """What was found: the needs of the parts, in order, and why the rest can never come (None: there is no rest)."""

    needs: list[Need] = field(default_factory=list)
    failure: BlockedError | None = None

    def whole(self, now: int) -> Need:
        """Return all parts as one need."""
        return self.needs[0] if len(self.needs) == 1 else joined(self.needs, now)


def ask(search: DatedSearch, item: Hashable, quantity: Number, *, sell_from: SellFrom, due: int | None, partial: bool) -> Answer:
    """Answer for `quantity` (> 0, else ValueError) of `item` and reserve it.

    due: as late as possible but in time; if that cannot be, the earliest. partial: see `_in_parts`.
    """
    if quantity <= 0:
        raise ValueError("quantity must be above 0")
    mark = search.mark()
    if due is not None:
        need = search.in_time(item, quantity, due, sell_from)
        if need is not None:
            return Answer([need])
        search.forget_effort()
    if partial:
        return _in_parts(search, item, quantity, search.now if due is None else due)
    try:
        return Answer([search.earliest(item, quantity, sell_from)])
    except BlockedError as error:
        search.undo(mark)
        return Answer([], error)


def _in_parts(search: DatedSearch, item: Hashable, quantity: Number, due: int) -> Answer:
    """Answer with what can be in time as one part, and then every further part at its earliest.

    In time is by `due`. A further part is what may be promised at the next instant at which anything may, until the whole
    rest can be had no later. What can never come is left out.
    """
    answer = Answer()
    most = _most(search, quantity, lambda some: search.in_time(item, some, due))
    if most > 0:
        answer.needs.append(_sure(search.in_time(item, most, due)))
    rest = quantity - most
    while rest > 0:
        search.forget_effort()
        part = _next_part(search, item, rest)
        if isinstance(part, BlockedError):
            answer.failure = part
            least = _most(search, rest, lambda some: _or_none(search, item, some))
            if least > 0:
                answer.needs.append(_sure(_or_none(search, item, least)))
            break
        answer.needs.append(part)
        rest -= part.quantity
    return answer


def _next_part(search: DatedSearch, item: Hashable, rest: Number) -> Need | BlockedError:
    """Reserve what is there before the whole rest is, or else the whole rest; return why not if it can never come."""
    mark = search.mark()
    whole: Need | BlockedError
    try:
        whole = search.earliest(item, rest)
    except BlockedError as error:
        search.undo(mark)
        whole = error
    ready = search.limit + 1 if isinstance(whole, BlockedError) else whole.ready
    search.undo(mark)
    pool = search.pools[item].on(search.state.ships_on(search.now))
    for instant in (search.now, *pool.rises(search.now, search.limit)):
        there = pool.on(search.state.ships_on(instant)).free_by(instant)
        if instant < ready and there > 0:
            return search.earliest(item, min(rest, there), "incoming")
    return whole if isinstance(whole, BlockedError) else search.earliest(item, rest)


def _or_none(search: DatedSearch, item: Hashable, quantity: Number) -> Need | None:
    mark = search.mark()
    search.forget_effort()
    try:
        return search.earliest(item, quantity)
    except BlockedError:
        search.undo(mark)
        return None


def _most(search: DatedSearch, quantity: Number, attempt: Callable[[Number], Need | None]) -> Number:
    """Return the largest part of `quantity`, in its own units, that an attempt can do; reserve nothing.

    A unit is one piece, or for a fraction what its denominator says.
    """
    unit: Number = 1 if quantity.denominator == 1 else Fraction(1, quantity.denominator)
    low, high = 0, int(quantity / unit)
    while low < high:
        middle = (low + high + 1) // 2
        mark = search.mark()
        search.forget_effort()
        if attempt(middle * unit) is None:
            high = middle - 1
        else:
            low = middle
        search.undo(mark)
    return low * unit


def _sure(need: Need | None) -> Need:
    """Return a need that was found a moment ago."""
    assert need is not None
    return need
