"""Quotations in words: their states, and what their entries on a timeline say."""

from __future__ import annotations

from backoffice.desk.phrases import gettext as _


def states() -> dict[str, str]:
    """Return what each state of a quotation is called."""
    return {
        "waiting": _("waits for approval"),
        "sent": _("sent"),
        "accepted": _("accepted"),
        "expired": _("ended"),
        "replaced": _("replaced"),
        "withdrawn": _("taken back"),
        "declined": _("declined"),
    }


def entries() -> dict[str, str]:
    """Return what each kind of entry says."""
    return {
        "quoted": _("sent a quotation"),
        "quotation_waits": _("drew a quotation up that must be approved"),
        "quotation_declined": _("declined the quotation"),
        "quotation_withdrawn": _("took the quotation back"),
        "quotation_expired": _("quotation has ended"),
        "quotation_reminded": _("quotation ends soon: call them"),
        "quotation_moved": _("the day of the quotation has moved: call them"),
        "quotation_accepted": _("accepted the quotation"),
    }
