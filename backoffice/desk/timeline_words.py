"""What happened, in words: each kind of entry of a timeline, and what the pipeline's entries say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from backoffice.desk.formats import day, money
from backoffice.desk.phrases import gettext as _


def entries() -> dict[str, str]:
    """Return each kind of entry with its words."""
    return {
        "message": _("wrote"),
        "answer": _("answered by mail"),
        "note": _("noted"),
        "took": _("took it"),
        "order": _("ordered"),
        "confirmed": _("order confirmed"),
        "picking": _("picking started"),
        "picking_taken_over": _("went on picking in the place of"),
        "packed": _("parcel packed"),
        "shipped": _("parcel shipped"),
        "delivered": _("parcel arrived"),
        "day_moved": _("day moved"),
        "day_unknown": _("day not known"),
        "chosen": _("chose"),
        "done": _("closed it"),
        "consent": _("allowed"),
        "consent_confirmed": _("confirmed by the link in our mail"),
        "consent_withdrawn": _("took back"),
        "cart_left": _("left their cart"),
        "repeated": _("wrote the same again"),
        "perhaps_same": _("is perhaps the same as"),
        "twin_same": _("found them to be the same as"),
        "twin_different": _("found them not to be the same as"),
        "cancelled": _("order cancelled"),
        "refunded": _("money back"),
        "disputed": _("bank disputes the payment"),
        "authorisation_ends": _("bank soon lets the money go"),
        "withdrawn": _("withdrew from the contract"),
        "came_back": _("goods came back"),
        "call": _("spoke by phone"),
        "follow_up": _("will come back to it"),
        "handed": _("handed it over"),
        "offered": _("sent an order to pay"),
        "offer_withdrawn": _("took the order to pay back"),
        "offer_ended": _("order was not paid in time"),
        "introduced": _("wrote down their e-mail"),
        "converted": _("became an order"),
        "lost": _("closed it without an order"),
        "linked": _("belongs to"),
        "unlinked": _("no longer belongs to"),
        "company_joined": _("noted their company"),
        "company_left": _("took their company off"),
        "owner": _("gave them to"),
        "redirected": _("changed the address to"),
        "refund_asked": _("asked for money back"),
        "refund_approved": _("approved money back"),
        "refund_declined": _("declined money back"),
        "company_role": _("gave them a role at their company"),
        "credit_limit": _("set what may be on account"),
        "received": _("wrote down a payment received"),
        "invoice_reminded": _("reminded of an overdue invoice"),
        "moved": _("moved it to"),
        "valued": _("expects of it"),
        "reminded": _("reminded its owner: it is overdue"),
        "escalated": _("it is overdue, so it went to"),
        "reply": _("answered by mail"),
        "automatic": _("sent an automatic mail"),
        "day_asked": _("asked planning for an earlier day"),
        "day_freed": _("planning has made room: their day can be had"),
        "day_refused": _("planning cannot make their day"),
        "solved": _("solved it"),
        "closed": _("closed it"),
        "reopened": _("opened it again"),
        "prioritised": _("set its priority to"),
        "rated": _("said how well we settled it"),
        "visited": _("visited the shop"),
    }


def looks() -> dict[str, str]:
    """Return what somebody did at a visit, before what it was about."""
    return {"page": _("looked at"), "search": _("searched for"), "cart": _("put into the cart"), "order": _("ordered")}


def stages() -> dict[str, str]:
    """Return each stage on the way to an order, and its ends."""
    return {
        "lead": _("Lead"),
        "qualified": _("Qualified"),
        "opportunity": _("Opportunity"),
        "won": _("Won"),
        "lost": _("Lost"),
    }


def task_ends() -> dict[str, str]:
    """Return how a task ended."""
    return {
        "done": _("Done"),
        "dropped": _("No longer needed"),
        "possible": _("Possible by their day"),
        "impossible": _("Not possible by their day"),
    }


def of_pipeline(values: Mapping[str, Any]) -> str:
    """Say to which stage something moved, or what is expected of it and when; of other entries nothing."""
    if isinstance(stage := values.get("stage"), str):
        return stages().get(stage, stage)
    if "expected_on" not in values:
        return ""
    amount = money(values["amount_minor"], values["currency"]) if values.get("amount_minor") is not None else ""
    on = day(date.fromisoformat(values["expected_on"])) if values["expected_on"] else ""
    return " · ".join(one for one in (amount, on) if one) or "–"
