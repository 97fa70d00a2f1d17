"""Why an expected day moved: a code with values, put into words where somebody reads them, in their language.

Values whose names end in `_on` are days (ISO). Rows written before causes had codes keep their English sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from babel import Locale

from backoffice import wording
from backoffice.public.orders import Cause, CauseLink

NOT_VALUES = frozenset({"code", "day_known", "chain"})


def N_(phrase: str) -> str:
    """Mark a phrase for the catalogue and return it as it is."""
    return phrase


PHRASES: Mapping[str, str] = {
    "receipt_later": N_("%(item)s: arrives only on %(due_on)s"),
    "receipt_earlier": N_("%(item)s: arrives already on %(due_on)s"),
    "receipt_short": N_("%(item)s: fewer come than we had ordered"),
    "lot_too_old": N_("%(item)s: what came does not keep long enough"),
    "lot_expired": N_("%(item)s: what lies here does not keep long enough any more"),
    "counted_fewer": N_("%(item)s: fewer on the shelf than counted before"),
    "not_on_the_shelf": N_("fewer on the shelf than we had counted"),
    "station_stopped": N_("%(station)s stands still until %(until_on)s"),
    "shift_missing": N_("%(station)s: a shift is missing on %(missing_on)s"),
    "fewer_hours": N_("%(place)s: fewer hours on %(changed_on)s"),
    "more_hours": N_("%(place)s: more hours on %(changed_on)s"),
    "production_later": N_("%(item)s: can be made only from %(from_on)s on"),
    "recipe_changed": N_("%(item)s is made in another way now"),
    "freed": N_("what was kept for another order has become free"),
    "maker_cancelled": N_("what it was to be taken from is not made any more"),
    "paid_after_last_parcel": N_("paid after the last parcel of the day"),
    "paid_too_late_to_begin": N_("paid after our workshop was to begin"),
    "planned_again": N_("there is time for it earlier now"),
    "found_again": N_("we have found a way to make it or to get it"),
}


ARROW = " → "


def of(code: str, **values: str | int | date) -> Cause:
    """Return a cause. Raises KeyError for a code without words."""
    assert PHRASES[code]
    return Cause(code, {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()})


def say(cause: Cause, translate: Callable[[str], str], day: Callable[[date], str]) -> str:
    """Return a cause in words: `translate` gives a phrase in the reader's language, `day` writes a day in it."""
    values = {
        name: day(date.fromisoformat(value)) if name.endswith("_on") and isinstance(value, str) else value
        for name, value in cause.values.items()
    }
    return translate(PHRASES[cause.code]) % values


def say_chain(chain: Sequence[CauseLink], plural: Callable[[str, str, int], str]) -> str:
    """Return a chain in words: `PO-00017 Oak leg +5 days → MO-00009 Table → Table +3 days`; "" for none.

    plural: gives the phrase for a number in the reader's language.
    """
    return ARROW.join(_say_link(link, plural) for link in chain)


def _say_link(link: CauseLink, plural: Callable[[str, str, int], str]) -> str:
    named = f"{link.ref} {link.name}".strip()
    if not link.days:
        return named
    days = abs(link.days)
    moved = plural("%(num)d day", "%(num)d days", days) % {"num": days}
    return f"{named} {'+' if link.days > 0 else '−'}{moved}"


def in_english(cause: Cause) -> str:
    """Return a cause as a sentence for readers that know no codes: logs, and programs of the last version."""
    return say(cause, lambda phrase: phrase, lambda on: wording.day(on, Locale("en")))


def stored(cause: Cause, *, day_known: bool = True) -> dict[str, Any]:
    """Return a cause as it is stored; `day_known`: False while nobody knows a day."""
    kept: dict[str, Any] = {"code": cause.code, **cause.values}
    if cause.chain:
        kept["chain"] = [asdict(link) for link in cause.chain]
    return kept if day_known else {**kept, "day_known": False}


def read(kept: Mapping[str, Any] | None) -> Cause | None:
    """Return a stored cause; None for none, and for one that this program has no words for."""
    if not kept or kept.get("code") not in PHRASES:
        return None
    values = {name: value for name, value in kept.items() if name not in NOT_VALUES}
    return Cause(str(kept["code"]), values, tuple(CauseLink(**link) for link in kept.get("chain", ())))


def is_day_known(kept: Mapping[str, Any] | None) -> bool:
    """Tell whether a line whose stored cause this is has a day that somebody expects it on."""
    return not kept or bool(kept.get("day_known", True))
