"""Turn a tentative answer into an Outcome: pegs, lots and the critical chain."""

from __future__ import annotations

from collections.abc import Hashable

from backoffice.planning.asking import Answer
from backoffice.planning.atp import Lot
from backoffice.planning.explode import Search
from backoffice.planning.instants import micros, moment
from backoffice.planning.model import Number
from backoffice.planning.needs import Made, Need
from backoffice.planning.outcome import Basis, Link, LinkKind, Make, Outcome, Part, Peg, Slot


def outcome_of(search: Search, answer: Answer, item: Hashable, quantity: Number) -> Outcome:
    """Describe the answer to a question for `quantity` of `item`."""
    failure = answer.failure
    reason, blocked = (failure.reason, failure.where) if failure else (None, None)
    if not answer.needs:
        return Outcome(item, quantity, None, "none", (), (), (), reason, blocked)
    need = answer.whole(search.now)
    makes, demands = lots_of(need)
    numbers = {id(made): number for number, made in enumerate(makes)}
    pegs = _pegs(need, None, numbers, search.now)
    for made in makes:
        for part in made.needs:
            pegs += _pegs(part, numbers[id(made)], numbers, search.now)
    kinds = _kinds(need)
    basis: Basis = kinds.pop() if len(kinds) == 1 else "mixed"
    return Outcome(
        item,
        quantity,
        None if failure else moment(need.ready),
        basis,
        tuple(pegs),
        tuple(_make(made, demand) for made, demand in zip(makes, demands, strict=True)),
        tuple(_chain(search, need)),
        reason,
        blocked,
        tuple(Part(part.quantity, moment(part.ready)) for part in answer.needs),
    )


def _kinds(need: Need) -> set[Basis]:
    """Return what a need stands on; a kit or phantom stands on its components."""
    kinds: set[Basis] = {lot.kind for lot, _ in need.taken}
    if need.bought:
        kinds.add("buy")
    for made in need.made:
        kinds |= set().union(*map(_kinds, made.needs)) if made.item.through else {"make"}
    return kinds


def lots_of(need: Need) -> tuple[list[Made], list[int | None]]:
    """Return the lots an answer makes, in the order of `Outcome.makes`, and for each the lot that needs it."""
    makes: list[Made] = []
    demands: list[int | None] = []
    _collect(need, None, makes, demands)
    return makes, demands


def _collect(need: Need, demand: int | None, makes: list[Made], demands: list[int | None]) -> None:
    """List the lots below `need`, each before those of its components."""
    for made in need.made:
        number = len(makes)
        makes.append(made)
        demands.append(demand)
        for part in made.needs:
            _collect(part, number, makes, demands)


def _pegs(need: Need, demand: int | None, numbers: dict[int, int], now: int) -> list[Peg]:
    pegs = []
    for lot, amount in need.taken:
        supply = numbers[id(lot.made)] if lot.made else lot.key if lot.firm else None
        pegs.append(Peg(need.item, amount, lot.kind, supply, moment(max(lot.at, now)), demand))
    pegs += [Peg(need.item, made.used, "make", numbers[id(made)], moment(made.ready), demand) for made in need.made]
    pegs += [Peg(need.item, amount, "buy", supplier, moment(at), demand) for amount, at, supplier in need.bought]
    return pegs


def _make(made: Made, demand: int | None) -> Make:
    slots = tuple(
        Slot(step.work_centre, place.lane, moment(place.starts_at), moment(place.ends_at), position)
        for position, (step, place) in enumerate(zip(made.steps, made.places, strict=True))
    )
    return Make(made.item.key, made.quantity, moment(made.start), moment(made.ready), slots, demand)


def _chain(search: Search, need: Need) -> list[Link]:
    """Return the links from now to the instant `need` is ready: at every level the component that came last."""
    cause = need.cause
    if isinstance(cause, Lot) and cause.made:
        cause = cause.made
    if isinstance(cause, Made):
        return _chain_of_lot(search, cause)
    if isinstance(cause, Lot) and cause.kind != "buy":
        kind: LinkKind = "stock" if cause.kind == "stock" else "receipt"
        return [_link(kind, search.now, need.ready, need.item, {"supply": cause.key})]
    item = search.factory.item_by[need.item]
    sellers = [supplier for _, at, supplier in need.bought if at == need.ready]
    [lead_days] = [offer.lead_days for offer in item.suppliers if offer.key in sellers[:1]] or [item.lead_days]
    return [_link("buy", search.now, need.ready, need.item, {"lead_days": lead_days})]


def _chain_of_lot(search: Search, made: Made) -> list[Link]:
    links = _chain(search, made.gate) if made.gate else []
    clock = made.gate.ready if made.gate else search.now
    for position, (step, place) in enumerate(zip(made.steps, made.places, strict=True)):
        if place.starts_at > clock:
            links += _waits(search, step.work_centre, made, clock, place.starts_at)
        details: dict[str, Hashable] = {
            "work_centre": step.work_centre,
            "lane": place.lane,
            "position": position,
            "quantity": made.quantity,
        }
        if stopped := _stopped_until(search, step.work_centre, place.starts_at, place.ends_at):
            details["stopped_until"] = moment(stopped)
        links.append(_link("operation", place.starts_at, place.ends_at, made.item.key, details))
        clock = place.ends_at
    if not made.steps and not (made.item.through and links):
        links.append(_link("make", clock, clock, made.item.key, {"quantity": made.quantity}))
    return links


def _waits(search: Search, work_centre: Hashable, made: Made, start: int, end: int) -> list[Link]:
    """Return the waits before an operation: first a stop of its work centre, if one lies there, then what else."""
    links, item = [], made.item.key
    stopped = 0 if made.late else _stopped_until(search, work_centre, start, end)
    if stopped:
        if stopped < end and _why_wait(search, work_centre, stopped, end) == "closed":
            stopped = end  # it works again at the next opening
        links.append(_link("wait", start, stopped, item, {"work_centre": work_centre, "cause": "stopped"}))
        start = stopped
    if start < end:
        cause = _why_wait(search, work_centre, start, end)
        if made.late and cause != "closed":
            cause = "due"
        links.append(_link("wait", start, end, item, {"work_centre": work_centre, "cause": cause}))
    return links


def _why_wait(search: Search, work_centre: Hashable, start: int, end: int) -> str:
    """Name why an operation waits where nothing stands still: closed, frozen, or busy with other work.

    An operation placed as late as an asked instant allows waits for that: due.
    """
    axis = search.centre(work_centre).axis
    frozen = search.factory.centre_by[work_centre].frozen_until
    if frozen is not None and start < micros(frozen):
        return "frozen"
    return "closed" if axis.work_at(start) == axis.work_at(end) else "busy"


def _stopped_until(search: Search, work_centre: Hashable, start: int, end: int) -> int:
    """Return when the last stop is over that takes open time of a work centre within [start, end); 0: none does."""
    calendar = search.factory.calendars[search.factory.centre_by[work_centre].calendar]
    until = 0
    for stop in search.factory.stops:
        low, high = max(start, micros(stop.starts_at)), min(end, micros(stop.ends_at))
        if stop.work_centre == work_centre and low < high and any(calendar.open_intervals(moment(low), moment(high))):
            until = max(until, high)
    return until


def _link(kind: LinkKind, start: int, end: int, item: Hashable, details: dict[str, Hashable]) -> Link:
    return Link(kind, moment(start), moment(end), item, details)
