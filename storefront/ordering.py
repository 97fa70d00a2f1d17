"""An order in words: now in one sentence, and the timeline of what is done and what is to come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from backoffice.public.orders import Cause, OrderEvent, OrderView
from storefront.formats import Formats
from storefront.moving import choice_words
from storefront.phrases import N_, _

MADE = frozenset({"make", "mixed"})


def why(cause: Cause | None, english: str | None, formats: Formats) -> str:
    """Return why a day moved, in words; orders from before there were codes have them in English alone."""
    if cause is None:
        return english or ""
    days = {name: formats.day(date.fromisoformat(str(one))) for name, one in cause.values.items() if name.endswith("_on")}
    words: Mapping[str, str] = {
        "receipt_later": N_("%(item)s reaches us only on %(due_on)s."),
        "receipt_earlier": N_("%(item)s reaches us already on %(due_on)s."),
        "receipt_short": N_("Fewer of %(item)s come to us than we had ordered."),
        "counted_fewer": N_("We counted again and found fewer of %(item)s than we thought."),
        "not_on_the_shelf": N_("There were fewer on our shelf than we had counted."),
        "station_stopped": N_("The station “%(station)s” in our workshop stands still until %(until_on)s."),
        "shift_missing": N_("At the station “%(station)s” in our workshop a shift is missing on %(missing_on)s."),
        "fewer_hours": N_("There is less working time on %(changed_on)s than we had planned."),
        "more_hours": N_("There is more working time on %(changed_on)s than we had planned."),
        "production_later": N_("We can make %(item)s only from %(from_on)s on."),
        "recipe_changed": N_("We make %(item)s in another way now."),
        "freed": N_("What was kept for another order has become free."),
        "planned_again": N_("There is time for it in our workshop earlier now."),
        "maker_cancelled": N_("What yours was to be taken from is not made any more, so we make yours on its own."),
        "paid_after_last_parcel": N_("Your payment came after the last parcel of the day had left."),
        "paid_too_late_to_begin": N_("Your payment came after our workshop was to begin."),
        "found_again": N_("We have found a way to make it or to get it."),
    }
    phrase = words.get(cause.code)
    return _(phrase, **{**cause.values, **days}) if phrase else english or ""


def now_sentence(order: OrderView, formats: Formats) -> str:
    """Return where the order is now, in one sentence."""
    if not order.day_known and order.state not in {"cancelled", "delivered"}:
        return _("We do not have a new day for your order yet. We write to you as soon as we do.")
    day = formats.day(order.expected_on)
    sentences: Mapping[str, Callable[[], str]] = {
        "picking": lambda: _("We are packing your parcel. It arrives on %(day)s.", day=day),
        "shipped": lambda: _("Your parcel is on the road. It arrives on %(day)s.", day=day),
        "delivered": lambda: _("Your parcel has arrived. We hope you like what is in it."),
        "cancelled": lambda: _("This order is cancelled."),
    }
    if order.state == "picking" and any(event.kind == "packed" for event in order.events):
        return _("Your parcel is packed and waits for the carrier. It arrives on %(day)s.", day=day)
    gone = sum(1 for parcel in order.parcels if parcel.state in ("shipped", "delivered"))
    if order.state == "picking" and gone:
        return _(
            "%(gone)s of %(all)s parcels are on the road. The rest arrives on %(day)s.",
            gone=gone,
            all=len(order.parcels),
            day=day,
        )
    sentence = sentences.get(order.state)
    if sentence:
        return sentence()
    bases = {line.basis for line in order.lines}
    if bases & MADE:
        return _("We make it for you now. It arrives on %(day)s.", day=day)
    if "buy" in bases:
        return _("We have ordered it for you. It arrives on %(day)s.", day=day)
    if "receipt" in bases:
        return _("It is on its way to us, and then to you. It arrives on %(day)s.", day=day)
    return _("We have your order, and what you bought lies ready. It arrives on %(day)s.", day=day)


@dataclass(frozen=True, slots=True)
class Stage:
    """One entry of the timeline. state: done | now | next. when: a day or an instant in words."""

    state: str
    icon: str
    title: str
    when: str
    text: str = ""


def _event_title(kind: str, *, paid: bool) -> tuple[str, str]:
    ordered = ("here", lambda: _("Ordered and paid") if paid else _("Ordered"))
    titles: Mapping[str, tuple[str, Callable[[], str]]] = {
        "order": ordered,
        "placed": ordered,
        "confirmed": ("here", lambda: _("Confirmed: all of it is kept for you")),
        "making": ("made", lambda: _("In our workshop")),
        "picking": ("parcel", lambda: _("Being packed")),
        "packed": ("parcel", lambda: _("Packed")),
        "shipped": ("truck", lambda: _("Handed to the carrier")),
        "delivered": ("door", lambda: _("Arrived")),
        "day_moved": ("wait", lambda: _("The day has moved")),
        "day_unknown": ("wait", lambda: _("The day is open")),
        "chosen": ("check", lambda: _("You chose")),
        "message": ("mail", lambda: _("You wrote to us")),
        "answer": ("mail", lambda: _("We answered")),
        "cancelled": ("cross", lambda: _("Cancelled")),
        "refunded": ("check", lambda: _("Money given back")),
        "withdrawn": ("cross", lambda: _("You withdrew from the contract")),
        "came_back": ("parcel", lambda: _("Came back to us")),
    }
    icon, title = titles.get(kind, ("here", lambda: _("News about your order")))
    return icon, title()


def stages_of(order: OrderView, formats: Formats) -> list[Stage]:
    """Return what happened, oldest first, then what is still to come."""
    stages = [_done(event, formats, order.charge) for event in sorted(order.events, key=lambda event: event.at)]
    if order.state in {"delivered", "cancelled"}:
        return stages
    happened = {event.kind for event in order.events}
    if not happened & {"making", "picking", "packed", "shipped"} and {line.basis for line in order.lines} & MADE:
        stages.append(Stage("now", "made", _("In our workshop"), ""))
    if not happened & {"packed", "shipped"}:
        stages.append(Stage("next", "parcel", _("Packed"), ""))
    if "shipped" not in happened:
        stages.append(Stage("next", "truck", _("Handed to the carrier"), ""))
    stages.append(Stage("next", "door", _("At your door"), formats.day(order.expected_on) if order.day_known else ""))
    return stages


def _done(event: OrderEvent, formats: Formats, charge: str) -> Stage:
    icon, title = _event_title(event.kind, paid=not charge)
    text = "" if event.kind in {"order", "placed"} else event.text  # the number stands on top
    if event.cause:
        text = f"{event.item}: {why(event.cause, event.text, formats)}" if event.item else why(event.cause, event.text, formats)
    elif event.choice:
        text = choice_words(event.choice, event.item, charge)
    elif event.amount:
        text = formats.money(event.amount)
    return Stage("done", icon, title, formats.instant(event.at), text)
