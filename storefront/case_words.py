"""Questions about orders in words: what they are about, how each stands, how content somebody is."""

from __future__ import annotations

from collections.abc import Mapping

from storefront.phrases import _


def kinds() -> Mapping[str, str]:
    """Return what a question is about → its words, in the order of the form."""
    return {
        "where": _("Where is it?"),
        "damaged": _("Something is broken"),
        "wrong": _("Something is wrong or missing"),
        "return": _("I want to send something back"),
        "invoice": _("The invoice"),
        "other": _("Something else"),
    }


def states() -> Mapping[str, str]:
    """Return how a question stands → its words."""
    return {
        "open": _("We are looking into it"),
        "waiting": _("We have answered"),
        "solved": _("Settled"),
        "closed": _("Closed"),
    }


def scores() -> Mapping[str, str]:
    """Return each score → its words."""
    return {
        "1": _("not at all"),
        "2": _("hardly"),
        "3": _("so-so"),
        "4": _("well"),
        "5": _("very well"),
    }
