"""Words for what is known of a person: the tables that hold it, what has to end first, how they asked."""

from __future__ import annotations

from collections.abc import Mapping

from backoffice.desk.phrases import gettext as _


def hows() -> Mapping[str, str]:
    """Return each way in which somebody asked to be erased."""
    return {
        "letter": _("by letter"),
        "email": _("by e-mail"),
        "phone": _("by telephone"),
        "in_person": _("in person"),
        "ours": _("nobody asked: we have no more reason to know them"),
    }


def opens() -> Mapping[str, str]:
    """Return what has to end first, and what to do for it."""
    return {
        "order": _("Order %(ref)s: ship or cancel it; its invoice is then written by itself."),
        "quotation": _("Quotation %(ref)s: withdraw it, or wait until it ends."),
        "payment": _("Payment %(ref)s: the customer is paying at this moment. It ends by itself within a day."),
        "receivable": _("Order %(ref)s: its invoice is not paid, or money is to go back. Write the payment down under Accounts."),
        "refund": _("Order %(ref)s: money is on its way back. It ends when the payment provider says so."),
        "refund_request": _("Order %(ref)s: somebody asked for money back. Approve or decline it."),
        "return": _("Return %(ref)s: goods are on their way back. Book them in."),
    }


def tables() -> Mapping[str, str]:
    """Return what a table holds; others are called by their own name."""
    return {
        "party": _("Name, e-mail, telephone"),
        "account": _("Customer accounts"),
        "account_session": _("Log-ins"),
        "account_link": _("Links for accounts"),
        "address": _("Addresses"),
        "consent": _("Consents"),
        "lead": _("Enquiries"),
        "activity": _("Timeline"),
        "visit": _("Visits"),
        "visitor": _("Browsers"),
        "visit_event": _("Pages looked at"),
        "identity_link": _("Identity links"),
        "perhaps_same": _("Perhaps the same"),
        "profile": _("Figures"),
        "cart": _("Carts"),
        "cart_reminder": _("Reminders of carts"),
        "checkout": _("Checkouts"),
        "orders": _("Orders"),
        "order_line": _("Lines of orders"),
        "quotation": _("Quotations"),
        "shipment": _("Parcels"),
        "payment": _("Payments"),
        "payment_event": _("Messages of the payment provider"),
        "refund": _("Money back"),
        "refund_request": _("Money back asked for"),
        "goods_return": _("Returns"),
        "withdrawal": _("Withdrawals"),
        "receivable": _("Invoices on account"),
        "receipt": _("Payments that came for them"),
        "service_case": _("Service cases"),
        "task": _("Tasks"),
        "campaign_recipient": _("Letters"),
        "invoice": _("Invoices and credit notes"),
        "outbox_message": _("Mails and messages that we sent"),
        "mail_taken": _("Mails that we read"),
        "audit_entry": _("Record of changes"),
        "idempotency_key": _("Answers to partners"),
        "demand_mark": _("Searches that found nothing"),
        "saved_view": _("Saved lists that name them"),
        "coupon_redemption": _("Used codes"),
        "slip": _("Moved days"),
        "sandbox_session": _("Payment pages"),
    }
