"""What people may do for their company, and how an order on account stands, in words."""

from __future__ import annotations

from collections.abc import Mapping

from backoffice.desk.phrases import gettext as _


def roles() -> Mapping[str, str]:
    """Return the words of each role of `crm.company_roles`."""
    return {
        "": _("nothing: nobody has confirmed them"),
        "buyer": _("buys, on account too"),
        "approver": _("approves and buys"),
        "accounting": _("gets reminders of invoices"),
        "other": _("sees the prices"),
    }


def owed() -> Mapping[str, str]:
    """Return the words of each state of a payment on account."""
    return {
        "authorised": _("not invoiced yet"),
        "voided": _("not owed any more"),
        "succeeded": _("invoiced"),
        "partly_refunded": _("invoiced, a part taken back"),
        "refunded": _("invoiced, all taken back"),
    }


def sentences() -> Mapping[str, str]:
    """Return the words of each error."""
    return {
        "more_than_open": _("That is more than is open of this invoice. Nothing was written down."),
        "not_on_account": _("They cannot order on account. Nothing was ordered."),
        "account_paused": _("An invoice of this company is overdue: nothing more goes on account. Nothing was ordered."),
        "over_limit": _("That is more than is left on this company's account. Nothing was ordered."),
    }
