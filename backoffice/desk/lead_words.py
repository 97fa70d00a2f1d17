"""Leads in words: their kinds, and why one is called before another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from backoffice.desk.formats import day
from backoffice.desk.phrases import gettext as _


def lead_kinds() -> Mapping[str, str]:
    """Return kind → its words, with "any" for all of them."""
    return {
        "contact": _("Message"),
        "question": _("Product question"),
        "tell_me": _("Tell me when"),
        "order_question": _("Order question"),
        "quote_request": _("Price wanted"),
        "phone": _("Called us"),
        "late_order": _("Call: a day has moved"),
        "dispute": _("Payment disputed: send proof"),
        "authorisation": _("Take the money: the bank soon lets it go"),
        "abandoned_cart": _("Left their cart"),
        "refused_day": _("Needs an earlier day"),
        "case": _("Service case"),
        "any": _("All kinds"),
    }


def score_groups() -> Mapping[str, str]:
    """Return group of a score's parts → its words."""
    return {"fit": _("fits us"), "behaviour": _("what they did"), "feasibility": _("can we deliver")}


def score_words(part: Mapping[str, Any]) -> str:
    """Say one part of a score, with the day that could be promised."""
    on = day(date.fromisoformat(part["day"])) if part.get("day") else ""
    words = {
        "bought_before": _("bought from us before"),
        "company": _("asks for a company"),
        "many_pieces": _("wants many pieces"),
        "names_an_item": _("names what it is about"),
        "asks_for_a_price": _("asks for a price"),
        "left_a_cart": _("left a full cart"),
        "called": _("called us"),
        "telephone": _("can be called"),
        "came_back": _("wrote more than once"),
        "in_time": _("possible %(day)s, in time for them", day=on),
        "can_be_had": _("possible %(day)s", day=on),
        "few_days_late": _("possible %(day)s, a few days after the day they need", day=on),
        "late": _("possible %(day)s, after the day they need", day=on),
        "cannot_be_had": _("no day can be promised now"),
    }
    return str(words.get(part["reason"], part["reason"]))
