"""Leads in words: their kinds."""

from __future__ import annotations

from collections.abc import Mapping

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
        "any": _("All kinds"),
    }
