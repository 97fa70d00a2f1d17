"""A promise in words: the badge, the one-line reason, and the steps of "why this day"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backoffice.public.promise import Promise, Step
from storefront.formats import Formats
from storefront.phrases import _, plural

PAUSE = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Badge:
    """How a promise looks: a tone (colour), an icon and a word; never colour alone."""

    tone: str  # here | coming | made | ask
    icon: str
    word: str


def badge(basis: str | None) -> Badge:
    """Return the badge for a basis; None = nothing can be promised."""
    if basis == "stock":
        return Badge("here", "here", _("Here"))
    if basis == "receipt":
        return Badge("coming", "coming", _("On its way"))
    if basis == "buy":
        return Badge("made", "ordered", _("Ordered for you"))
    if basis in {"make", "mixed"}:
        return Badge("made", "made", _("Made for you"))
    return Badge("ask", "ask", _("Ask us"))


def reason(promise: Promise, formats: Formats) -> str:
    """Return the one line below the day: what it stands on, and when it leaves."""
    # what is kept in reserve is a step of its own: the plan's own day comes before it
    ready = formats.instant_day(next((step.starts_at for step in promise.steps if step.kind == "margin"), promise.ready_at))
    leaves = formats.day(promise.ship_on)
    if promise.basis == "stock":
        return _("It is here with us and leaves on %(leaves)s.", leaves=leaves)
    if promise.basis == "receipt":
        return _("A delivery brings it to us on %(ready)s; it leaves on %(leaves)s.", ready=ready, leaves=leaves)
    if promise.basis == "buy":
        return _("We order it for you: it is with us on %(ready)s and leaves on %(leaves)s.", ready=ready, leaves=leaves)
    if promise.basis == "mixed":
        return _(
            "Part of it is here, the rest we make or order for you: complete on %(ready)s, it leaves on %(leaves)s.",
            ready=ready,
            leaves=leaves,
        )
    return _("We make it for you: ready on %(ready)s, it leaves our workshop on %(leaves)s.", ready=ready, leaves=leaves)


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step in words. `when`: the day, or the days from and to."""

    icon: str
    when: str
    text: str
    note: str = ""


class _Words:
    """The details of a step, with what is missing told apart from what is there."""

    def __init__(self, step: Step, formats: Formats) -> None:
        self.step = step
        self.details = step.details
        self.formats = formats

    def text(self, *names: str) -> str:
        for name in names:
            value = self.details.get(name)
            if value not in (None, ""):
                return str(value)
        return ""

    def count(self, *names: str) -> int:
        for name in names:
            value = self.details.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
        return 0

    def end(self) -> str:
        """Return the day and the hour at which the step is over, where it happens."""
        return self.formats.instant(self.step.ends_at, self.text("zone") or None)

    def goods(self) -> str:
        item, quantity = self.text("item", "name", "item_name"), self.count("quantity")
        if item and quantity > 1:
            return f"{quantity} × {item}"
        return item or _("it")


def _stock(words: _Words) -> str:
    place = words.text("warehouse", "place")
    if place:
        return _("%(goods)s: in stock at %(place)s", goods=words.goods(), place=place)
    return _("%(goods)s: in stock, nothing to wait for", goods=words.goods())


def _receipt(words: _Words) -> str:
    supplier = words.text("supplier")
    if supplier:
        return _("%(goods)s: on its way to us from %(supplier)s", goods=words.goods(), supplier=supplier)
    return _("%(goods)s: on its way to us", goods=words.goods())


def _buy(words: _Words) -> str:
    days, supplier = words.count("lead_days", "days"), words.text("supplier")
    who = supplier or _("our supplier")
    if days:
        return plural(
            "%(goods)s: ordered from %(who)s, who needs %(num)d day",
            "%(goods)s: ordered from %(who)s, who needs %(num)d days",
            days,
            goods=words.goods(),
            who=who,
        )
    return _("%(goods)s: ordered from %(who)s", goods=words.goods(), who=who)


def _make(words: _Words) -> str:
    return _("%(goods)s: made in our workshop", goods=words.goods())


def _operation(words: _Words) -> str:
    centre = words.text("work_centre", "centre", "machine")
    name = words.text("operation")
    item = words.text("item", "name", "item_name")
    if centre and item:
        return _("%(item)s at the station “%(centre)s”", item=item, centre=centre)
    if centre:
        return _("Work at the station “%(centre)s”", centre=centre)
    return name or _("Work in our workshop")


def _wait(words: _Words) -> str:
    centre, cause = words.text("work_centre", "centre"), words.text("cause", "reason")
    holiday = words.text("holiday")
    if holiday:
        return _("Closed: %(holiday)s", holiday=holiday)
    if cause == "closed":
        return _("Our workshop is closed until %(until)s", until=words.end())
    if cause == "frozen":
        return _("The next days at the station “%(centre)s” are already fixed", centre=centre or _("workshop"))
    if cause == "stopped" and centre:
        return _("The station “%(centre)s” stands still until %(until)s", centre=centre, until=words.end())
    if centre:
        return _("The station “%(centre)s” is busy with earlier orders until %(until)s", centre=centre, until=words.end())
    return _("Waiting for its turn")


def _margin(words: _Words) -> str:
    days = words.count("days")
    return plural(
        "Kept in reserve, because something may run late: %(num)d working day",
        "Kept in reserve, because something may run late: %(num)d working days",
        days,
    )


def _pick_pack(_words: _Words) -> str:
    return _("We pick and pack your parcel")


def _cutoff(words: _Words) -> str:
    minute = words.count("minute")
    hour = f"{minute // 60:02d}:{minute % 60:02d}"
    if not words.details.get("missed"):
        return _("In time for the carrier, who comes at %(hour)s", hour=hour)
    return _("The carrier comes next on %(when)s", when=words.end())


def _ship(words: _Words) -> str:
    carrier = words.text("carrier")
    return _("Handed to %(carrier)s", carrier=carrier) if carrier else _("It leaves our house")


def _transit(words: _Words) -> str:
    days = words.count("transit_days", "days")
    if days:
        return plural("On the road: %(num)d working day", "On the road: %(num)d working days", days)
    return _("On the road")


def _carrier_margin(words: _Words) -> str:
    days = words.count("days")
    return plural(
        "Kept in reserve, because parcels may come late: %(num)d working day",
        "Kept in reserve, because parcels may come late: %(num)d working days",
        days,
    )


def _deliver(_words: _Words) -> str:
    return _("At your door")


STEPS: Mapping[str, tuple[str, Callable[[_Words], str]]] = {
    "stock": ("here", _stock),
    "receipt": ("coming", _receipt),
    "buy": ("ordered", _buy),
    "make": ("made", _make),
    "operation": ("made", _operation),
    "wait": ("wait", _wait),
    "margin": ("wait", _margin),
    "pick_pack": ("parcel", _pick_pack),
    "cutoff": ("wait", _cutoff),
    "ship": ("truck", _ship),
    "transit": ("truck", _transit),
    "carrier_margin": ("wait", _carrier_margin),
    "deliver": ("door", _deliver),
}


def step_lines(steps: Sequence[Step], formats: Formats) -> list[StepLine]:
    """Return the steps in words, in their order; a kind nobody has worded yet is still shown with its days.

    A wait of less than three hours within one day is left out, as part of every working day; a stop is not.
    """
    lines = []
    for step in steps:
        if _is_pause(step, formats):
            continue
        icon, phrase = STEPS.get(step.kind, ("wait", lambda _words: _("One more step")))
        words = _Words(step, formats)
        lines.append(StepLine(icon, _span(step, formats), _capital(phrase(words)), _note(words)))
    return lines


def _days(step: Step, formats: Formats) -> tuple[date, date]:
    zone = str(step.details.get("zone", "")) or None
    return formats.local_day(step.starts_at, zone), formats.local_day(step.ends_at, zone)


def _is_pause(step: Step, formats: Formats) -> bool:
    first, last = _days(step, formats)
    short = first == last and step.ends_at - step.starts_at < PAUSE
    return step.kind == "wait" and short and step.details.get("cause") != "stopped"


def _span(step: Step, formats: Formats) -> str:
    first, last = _days(step, formats)
    if first == last or step.kind in {"stock", "receipt", "ship", "deliver"}:
        return formats.day(last)
    # no break inside a day, only between the two
    return " – ".join(formats.day(day).replace(" ", "\u00a0") for day in (first, last))


def _note(words: _Words) -> str:
    """Say what lies inside a step and makes it longer: a stop of its station, closed days that the plan names."""
    stopped = words.text("stopped_until")
    if stopped:
        until = words.formats.instant(datetime.fromisoformat(stopped), words.text("zone") or None)
        return _("in between it stands still until %(until)s", until=until)
    holiday = words.text("holiday", "holidays")
    if words.step.kind == "wait" or not holiday:
        return ""
    return _("with a closed day in between: %(holiday)s", holiday=holiday)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def moved(was_on: date | None, promise: Promise | None, formats: Formats) -> str:
    """Return what changed in a line's day since it was last shown, or an empty text."""
    if was_on is None or promise is None or promise.deliver_on == was_on:
        return ""
    now_on, before = formats.day(promise.deliver_on), formats.day(was_on)
    if promise.deliver_on > was_on:
        return _("now arrives %(now_on)s instead of %(before)s", now_on=now_on, before=before)
    return _("now arrives earlier: %(now_on)s instead of %(before)s", now_on=now_on, before=before)
