"""What leaves the house, in words."""

from __future__ import annotations

from collections.abc import Mapping

from backoffice.desk.phrases import gettext as _


def message_words() -> Mapping[str, str]:
    """Return each kind of message with its words."""
    return {
        "order_confirmed": _("Mail: order confirmed"),
        "invoice_overdue": _("Mail: invoice overdue"),
        "order_shipped": _("Mail: parcel on its way"),
        "order_cancelled": _("Mail: order cancelled"),
        "order_link": _("Mail: new link to an order"),
        "order_code": _("Mail: code to read an order's address"),
        "withdrawal_noted": _("Mail: withdrawal confirmed"),
        "order_refunded": _("Mail: money back"),
        "day_moved": _("Mail: another day"),
        "day_unknown": _("Mail: no day known"),
        "choice_noted": _("Mail: choice confirmed"),
        "can_be_had": _("Mail: can be had again"),
        "lead_overdue": _("Mail: reminder to a colleague"),
        "lead_answer": _("Mail: answer to a message"),
        "consent_given": _("Mail: permission to write"),
        "campaign": _("Mail: letter of a campaign"),
        "consent_wanted": _("Mail: may we write?"),
        "account_confirm": _("Mail: confirm an account"),
        "account_known": _("Mail: account exists already"),
        "account_reset": _("Mail: new password"),
        "refund": _("Money back, to the payment provider"),
        "capture": _("Take the money, to the payment provider"),
        "void": _("Let go of the money, to the payment provider"),
        "provider_event": _("News of the payment provider, to act on"),
        "placed": _("To the ERP: a new order"),
        "redirected": _("To the ERP: another address"),
        "cancelled": _("To the ERP: order cancelled"),
        "shipped": _("To the ERP: parcel left"),
        "delivered": _("To the ERP: all arrived"),
    }
