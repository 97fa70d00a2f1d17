"""Write answers as plain data: numbers, instants in the model's zone, names of what stands behind a peg."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from backoffice.lab import reasons
from backoffice.lab.model import Ask, Model
from backoffice.planning import Outcome, Peg, Surplus
from backoffice.planning.model import Number
from backoffice.planning.shipping import ship


class Names:
    """What supplies are called: stock and receipts as in the model, lots and proposed purchases by the line they are for."""

    def __init__(self) -> None:
        """Begin without any commitment."""
        self._committed: list[tuple[str, Outcome]] = []

    def commit(self, line: str, outcome: Outcome) -> None:
        """Remember a commitment: what it yields beyond its need may be pegged later."""
        if outcome.parts:
            self._committed.append((line, outcome))

    def of(self, line: str, outcome: Outcome, peg: Peg) -> str:
        """Return what a peg's supply is called."""
        key = peg.supply
        if isinstance(key, Surplus):
            line, outcome = self._committed[key.commit]
            return _proposal(key.item, line) if key.make is None else _lot(line, outcome, key.make)
        if peg.kind == "buy" or key is None:
            return _proposal(peg.item, line)
        if isinstance(key, int):
            return _lot(line, outcome, key)
        assert isinstance(key, tuple)
        return str(key[1])


def _proposal(item: object, line: str) -> str:
    return f"proposal {item} for {line}"


def _lot(line: str, outcome: Outcome, index: int) -> str:
    item = outcome.makes[index].item
    alike = [number for number, make in enumerate(outcome.makes) if make.item == item]
    return f"lot {item} for {line}" + (f" ({alike.index(index) + 1} of {len(alike)})" if len(alike) > 1 else "")


def number(value: Number) -> int | float:
    """Return a whole number as such, any other as the nearest that JSON has."""
    return int(value) if value.denominator == 1 else float(value)


def instant(at: datetime, zone: ZoneInfo) -> str:
    """Return an instant as clocks in `zone` show it, with their offset."""
    return at.astimezone(zone).isoformat()


def written(model: Model, names: Names, ask: Ask, outcome: Outcome | None) -> dict[str, Any]:
    """Return a line with its answer; None: nothing was asked for, so it is there now."""
    ready_at = model.now if outcome is None else outcome.ready_at
    shipped = ship(ready_at, model.shipping) if ready_at and model.shipping else None
    ready_on = ready_at.astimezone(model.zone).date() if ready_at and not model.shipping else None
    ship_on, deliver_on = (shipped.ship_on, shipped.deliver_on) if shipped else (ready_on, ready_on)
    return {
        "id": ask.id,
        "ready_at": ready_at and instant(ready_at, model.zone),
        "ship_on": ship_on and ship_on.isoformat(),
        "deliver_on": deliver_on and deliver_on.isoformat(),
        "late": ask.due is not None and (ready_at is None or ready_at > ask.due),
        "basis": "stock" if outcome is None else outcome.basis if outcome.parts else None,
        "parts": [
            {"quantity": number(part.quantity), "ready_at": instant(part.ready_at, model.zone)}
            for part in (outcome.parts if outcome else ())
        ],
        "pegs": _pegs(model, names, ask, outcome) if outcome else [],
        "operations": _operations(model, outcome) if outcome else [],
        "reasons": reasons.tell(model, names, ask, outcome, shipped),
    }


def _pegs(model: Model, names: Names, ask: Ask, outcome: Outcome) -> list[dict[str, Any]]:
    """Return the pegs; what is pegged twice to one supply is one, and kits and phantoms stand in none."""
    sums: defaultdict[tuple[str, Any, str], Number] = defaultdict(int)
    for peg in outcome.pegs:
        if not (peg.kind == "make" and model.factory.item_by[peg.item].through):
            sums[names.of(ask.id, outcome, peg), peg.item, instant(peg.available_at, model.zone)] += peg.quantity
    return [
        {"supply": supply, "item": item, "quantity": number(quantity), "available_at": at}
        for (supply, item, at), quantity in sums.items()
    ]


def _operations(model: Model, outcome: Outcome) -> list[dict[str, Any]]:
    """Return the operations in order of time."""
    found = [
        (slot.starts_at, slot.ends_at, -index, slot, make) for index, make in enumerate(outcome.makes) for slot in make.slots
    ]
    found.sort(key=lambda row: row[:3])
    return [
        {
            "item": make.item,
            "quantity": number(make.quantity),
            "work_centre": slot.work_centre,
            "lane": slot.lane,
            "start": instant(slot.starts_at, model.zone),
            "end": instant(slot.ends_at, model.zone),
        }
        for *_, slot, make in found
    ]
