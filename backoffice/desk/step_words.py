"""The steps of a promise in words for colleagues: what is done when, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backoffice.desk.formats import day_of, moment, period
from backoffice.desk.phrases import gettext as _
from backoffice.public.promise import Step


@dataclass(frozen=True, slots=True)
class Said:
    """One step in words."""

    when: str
    text: str


def say(step: Step) -> Said:
    """Say one step; a kind that nobody has worded is named by its code."""
    if step.kind == "deliver":  # a day was promised, no hour
        when = day_of(step.ends_at)
    else:
        when = moment(step.ends_at) if step.starts_at == step.ends_at else period(step.starts_at, step.ends_at)
    return Said(when, _text(step.kind, step.details))


def _text(kind: str, details: Mapping[str, str | int]) -> str:
    item = str(details.get("item") or details.get("name") or _("the goods"))
    centre = str(details.get("work_centre") or details.get("centre") or "")
    if kind == "operation":
        return _("%(item)s at %(centre)s", item=item, centre=centre or "–")
    if kind == "wait":
        return _("waits for %(centre)s", centre=centre) if centre else _("waits")
    words = {
        "stock": _("%(item)s: on the shelf", item=item),
        "receipt": _("%(item)s: on its way to us", item=item),
        "buy": _("%(item)s: ordered from the supplier", item=item),
        "make": _("%(item)s: made here", item=item),
        "margin": _("kept in reserve"),
        "pick_pack": _("picked and packed"),
        "cutoff": _("waits for the carrier"),
        "ship": _("handed to the carrier"),
        "transit": _("on the road"),
        "carrier_margin": _("kept in reserve for the carrier"),
        "deliver": _("at their door"),
    }
    return words.get(kind, kind)
