"""Answers without kits and phantoms: what they are made of is needed by who needs them; and a kit's answer, part by part."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import cast

from backoffice.planning.outcome import Basis, Outcome, Peg


def blown_through(outcome: Outcome, is_through: Callable[[Hashable], bool]) -> Outcome:
    """Return an answer in which no lot of a kit or phantom stands between a need and its components."""
    makes = outcome.makes
    gone = {number for number, make in enumerate(makes) if is_through(make.item)}
    if not gone:
        return outcome

    def needed_by(demand: int | None) -> int | None:
        while demand in gone:
            demand = makes[demand].demand
        return demand

    kept = [number for number in range(len(makes)) if number not in gone]
    pegs = [replace(peg, demand=needed_by(peg.demand)) for peg in outcome.pegs if not (peg.kind == "make" and peg.supply in gone)]
    lots = [replace(make, demand=needed_by(make.demand)) for make in makes]
    return _only(replace(outcome, makes=lots), pegs, kept)


def parts_of(outcome: Outcome) -> Sequence[Outcome]:
    """Return what each item that an answer gives directly stands on, as an answer of its own; in the order of the items.

    Of an answer for a kit, blown through: one for each of its components. The chain of each is that of the whole.
    """
    makes = outcome.makes

    def given(item: Hashable, demand: int | None) -> Hashable:
        """Return the item that a peg, or the lot that needs it, ends in."""
        while demand is not None:
            item, demand = makes[demand].item, makes[demand].demand
        return item

    parts: dict[Hashable, list[Peg]] = {}
    for peg in outcome.pegs:
        parts.setdefault(given(peg.item, peg.demand), []).append(peg)
    answers = []
    for item, pegs in sorted(parts.items(), key=lambda part: cast(int, part[0])):
        direct = [peg for peg in pegs if peg.demand is None]
        kinds = {cast(Basis, peg.kind) for peg in direct}
        whole = replace(
            outcome,
            item=item,
            quantity=sum((peg.quantity for peg in direct), start=0),
            ready_at=max(peg.available_at for peg in direct),
            basis=kinds.pop() if len(kinds) == 1 else "mixed",
            moved=(),
        )
        kept = [number for number, make in enumerate(makes) if given(make.item, make.demand) == item]
        answers.append(_only(whole, pegs, kept))
    return answers


def _only(outcome: Outcome, pegs: Sequence[Peg], kept: Sequence[int]) -> Outcome:
    """Return an answer with just these pegs and lots, the lots numbered anew."""
    numbers = {old: new for new, old in enumerate(kept)}

    def moved(number: int | None) -> int | None:
        return None if number is None else numbers[number]

    return replace(
        outcome,
        pegs=tuple(
            replace(peg, demand=moved(peg.demand), supply=moved(cast(int, peg.supply)) if peg.kind == "make" else peg.supply)
            for peg in pegs
        ),
        makes=tuple(replace(outcome.makes[old], demand=moved(outcome.makes[old].demand)) for old in kept),
    )
