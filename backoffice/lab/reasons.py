"""Say in plain words why a day is what it is. The steps follow each other from now to the date, without a gap.

The words are English whatever the language of the machine, as the keys of a model are: an answer is compared by its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from backoffice.lab.model import Ask, Model
from backoffice.planning import Link, Outcome, Shipped

if TYPE_CHECKING:
    from backoffice.lab.write import Names

NEVER = {
    "not_enough": "there is not enough of {where}, and no more can be made or bought",
    "unknown_item": "nobody knows the item {where}",
    "no_bom_or_routing": "{where} is made, but nothing says how",
    "lot_sizes": "no lot of {where} fits its minimum, multiple and maximum",
    "too_many": "{where} would take too many lots to plan",
    "cyclic_bom": "{where} is made of itself",
    "never_opens": "the calendar of {where} never opens again",
    "beyond_horizon": "{where} would not be done within three years",
}
WAITS = {
    "closed": "{item} waits: {centre} is closed",
    "busy": "{item} waits: {centre} is busy with other work, or has no gap that is long enough",
    "frozen": "{item} waits: {centre} is frozen",
    "stopped": "{item} waits: {centre} stands still",
    "due": "{item} waits: it is begun at {centre} as late as the asked time allows",
}


def tell(model: Model, names: Names, ask: Ask, outcome: Outcome | None, shipped: Shipped | None) -> list[str]:
    """Return the reasons of a line's answer, a sentence each."""
    if outcome is None:
        return ["nothing is asked for, so it is there now"]
    told = list(_verdict(model, ask, outcome))
    told += _stand_ins(model, outcome)
    links = (*outcome.chain, *(shipped.links if shipped else ()))
    for link in links:
        zone = ZoneInfo(str(link.details.get("zone", model.zone.key)))
        told.append(f"{_span(link.starts_at, link.ends_at, zone)}: {_words(names, ask, outcome, link)}")
    if outcome.ready_at and model.shipping and shipped is None:
        told.append("it is never shipped: a calendar of the way never opens again")
    return told


def _verdict(model: Model, ask: Ask, outcome: Outcome) -> Iterator[str]:
    """Say what becomes of the line as a whole, where that is not what was asked."""
    if outcome.reason:
        some = "the rest can" if outcome.parts else "it can"
        yield f"{some} never come: {NEVER[outcome.reason].format(where=outcome.blocked)}"
    elif ask.due and outcome.ready_at and outcome.ready_at > ask.due:
        yield f"asked for {_clock(ask.due, model.zone)}, which cannot be met: this is the earliest"
    if len(outcome.parts) > 1:
        parts = (f"{float(part.quantity):g} at {_clock(part.ready_at, model.zone)}" for part in outcome.parts)
        yield f"it comes in parts: {', '.join(parts)}"


def _stand_ins(model: Model, outcome: Outcome) -> list[str]:
    """Say where an alternate was taken, so that none is taken silently."""
    told: dict[str, None] = {}
    pegged = {(peg.demand, peg.item) for peg in outcome.pegs}
    for number, make in enumerate(outcome.makes):
        for line in model.factory.boms.get(make.item, ()):
            taken = [item for item in line.alternates if (number, item) in pegged]
            if taken and (number, line.item) not in pegged:
                told[f"{taken[0]} stands in for {line.item} in {make.item}"] = None
        for slot in make.slots:
            planned = model.factory.routings[make.item][slot.position].work_centre
            if slot.work_centre != planned:
                told[f"{make.item} is made at {slot.work_centre} instead of {planned}"] = None
    return list(told)


def _words(names: Names, ask: Ask, outcome: Outcome, link: Link) -> str:
    details = link.details
    match link.kind:
        case "stock":
            return f"{link.item} is in stock"
        case "receipt":
            return f"{link.item} is awaited from {_supply(names, ask, outcome, link)}"
        case "buy":
            return f"{link.item} is ordered and arrives, with a lead time of {details['lead_days']} days"
        case "wait":
            return WAITS[str(details["cause"])].format(item=link.item, centre=details["work_centre"])
        case "operation":
            return f"{link.item} is worked on at {details['work_centre']}"
        case "make":
            return f"{link.item} is put together at once"
        case _:
            return _way(link)


def _way(link: Link) -> str:
    """Say what happens between ready and delivered."""
    details = link.details
    match link.kind:
        case "pick_pack":
            return f"it is picked and packed, {details['days']} open days"
        case "cutoff":
            return "it waits for the next day that ships" if details["missed"] else "it waits for the cut-off"
        case "ship":
            return f"it ships on {details['day']}"
        case "transit":
            return f"it is on its way, {details['days']} open days"
        case _:
            return f"it is delivered on {details['day']}"


def _supply(names: Names, ask: Ask, outcome: Outcome, link: Link) -> str:
    key = link.details.get("supply")
    for peg in outcome.pegs:
        if peg.supply == key and peg.item == link.item:
            return names.of(ask.id, outcome, peg)
    return "a receipt"


def _span(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    return _clock(end, zone) if start == end else f"{_clock(start, zone)} to {_clock(end, zone)}"


def _clock(at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return local.isoformat(" ", "minutes" if not (local.second or local.microsecond) else "auto")
