"""Service cases in words: what they are about, how they stand, how urgent they are, what their entries say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backoffice.desk.phrases import gettext as _


def tables() -> Mapping[str, Mapping[str, str]]:
    """Return kind of word → code → its words."""
    return {
        "case": {
            "where": _("Where is it?"),
            "damaged": _("Damaged"),
            "wrong": _("Wrong or missing"),
            "return": _("Wants to return it"),
            "invoice": _("Invoice"),
            "other": _("Something else"),
        },
        "case_state": {
            "open": _("Open"),
            "overdue": _("Overdue"),
            "waiting": _("Waiting for the customer"),
            "solved": _("Solved"),
            "closed": _("Closed"),
            "any": _("All"),
        },
        "case_whose": {"all": _("Everybody's"), "mine": _("Mine"), "nobody": _("Nobody's")},
        "priority": {
            "any": _("Every priority"),
            "urgent": _("Urgent"),
            "high": _("High"),
            "normal": _("Normal"),
            "low": _("Low"),
        },
        "case_source": {"page": _("order page"), "mail": _("e-mail"), "phone": _("telephone")},
    }


def of_case(values: Mapping[str, Any], text: str) -> str:
    """Say what an entry of a case is about: its new priority, or how content its customer is; of other entries nothing."""
    if isinstance(priority := values.get("priority"), str):
        return tables()["priority"].get(priority, priority)
    if isinstance(score := values.get("score"), int):
        told = _("%(score)s of 5", score=score)
        return f"{told} · {text}" if text else told
    return ""
