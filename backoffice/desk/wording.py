"""Errors, states and kinds in words, in one place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from backoffice import causes
from backoffice.desk import case_words, door_words, quotation_words, role_words, timeline_words
from backoffice.desk.change_words import change_words
from backoffice.desk.formats import day, moment, money
from backoffice.desk.lead_words import lead_kinds, score_groups
from backoffice.desk.message_words import message_words
from backoffice.desk.phrases import gettext as _
from backoffice.desk.phrases import ngettext, once_for_each_language
from backoffice.public.errors import BadInput, ShopError
from backoffice.public.money import Money
from backoffice.public.orders import Cause


def explain(error: ShopError) -> str:
    """Say what happened, what is safe and what to do next."""
    owner = error.details.get("owner") or error.details.get("who")
    if error.code in {"stale", "wrong_state", "taken"} and owner:
        return _("%(name)s has this now. Nothing was changed; what you typed is still here.", name=owner)
    if error.code == "still_at_it" and owner:
        return _("%(name)s is still at it. Ask first, then say below that you did. Nothing was changed.", name=owner)
    if error.code == "too_many" and "open" in error.details:
        return _("No more than %(most)s is still to come. Nothing was booked.", most=error.details["open"])
    if error.code == "too_many" and "left" in error.details:
        return _("That is more than this wave needs. Put it back.")
    if error.code == "components_missing":
        return _("Not possible yet: %(items)s is still missing. Nothing was booked.", items=error.details["items"])
    if error.code == "not_available" and error.details.get("most"):
        return _("No day can be promised for that many, only for %(most)s.", most=error.details["most"])
    if error.code == "refund_too_much" and "most" in error.details:
        left = money(int(str(error.details["most"])), str(error.details["currency"]))
        return _("No more than %(amount)s is left of this payment. Nothing was given back.", amount=left)
    if error.code == "more_than_open" and isinstance(most := error.details.get("left"), Money):
        amount = money(most.amount_minor, most.currency)
        return _("No more than %(amount)s of this invoice is open. Nothing was written down.", amount=amount)
    if error.code == "later_there":
        on = error.details["on"]
        there_on = day(on if isinstance(on, date) else None)
        return _("That would arrive on %(day)s, later than they were told. Nothing was changed.", day=there_on)
    if error.code == "has_company":
        return _("They belong to %(name)s already. Take them off there first. Nothing was changed.", name=error.details["name"])
    if error.code in _sentences():
        return _sentences()[error.code]
    if isinstance(error, BadInput):
        return _("Something is missing or wrong. Nothing was saved; what you typed is still here.")
    return _("That did not work. Nothing was changed.")


def _sentences() -> dict[str, str]:
    return {
        "stale": _("Somebody changed this in the meantime. Look at it as it is now; what you typed is still here."),
        "wrong_state": _("That is not possible any more: the page was out of date. Nothing was changed."),
        "busy": _("The plan is being changed this very moment. Nothing was changed: try once more."),
        "unknown_lead": _("There is no such message."),
        "unknown_case": _("There is no such service case."),
        "unknown_record": _("There is no such record."),
        "unknown_order": _("There is no such order."),
        "unknown_shipment": _("There is no such parcel."),
        "unknown_wave": _("There is no such wave."),
        "unknown_warehouse": _("There is no such warehouse."),
        "not_in_wave": _("Not in this wave. Put it back."),
        "last_admin": _("Somebody must stay who administers. Give the role to a colleague first. Nothing was changed."),
        "exists": _("There is somebody with that e-mail already. Nothing was saved."),
        "name_taken": _("There is one with that name already. Nothing was saved; what you typed is still here."),
        "reason_missing": _("Write down why. Nothing was changed."),
        "nothing_chosen": _("Choose at least one of the list. Nothing was changed."),
        "no_earlier": _("There is no earlier time for it. Nothing was changed."),
        "made_for_stock": _("This is made for stock: nobody waits for it. Nothing was changed."),
        "nothing_to_release": _("These parcels are in a wave already, or wait for goods again. Nothing was changed."),
        "unknown_receipt": _("There is no such delivery."),
        "unknown_purchase_order": _("There is no such purchase order."),
        "unknown_production_order": _("There is no such production order."),
        "unknown_work_centre": _("There is no such work centre."),
        "unknown_stop": _("That stop is over or was taken back."),
        "unknown_product": _("We have no item with that number."),
        "not_ordered_yet": _("This is not ordered yet: order it first, then its day can be moved. Nothing was changed."),
        "not_enough_stock": _("There are not that many on the shelf that are free. Count the shelf first. Nothing was booked."),
        "not_in_parcel": _("Not in this parcel. Put it back."),
        "too_many": _("That is more than this parcel needs. Put it back."),
        "not_available": _("Nothing can be promised today."),
        "bad_quantity": _("Write the quantity as a whole number, 1 or more."),
        "lot_missing": _("This is kept in lots: say which one. Nothing was booked."),
        "unknown_lot": _("There is no such lot in this parcel."),
        "other_best_before": _("This lot is here with another last day. Look at the label once more. Nothing was booked."),
        "lot_too_old": _("This lot is too old by now. Take another one: scan its number."),
        "lot_promised": _("This lot is promised to others. Take the one that is named."),
        "lot_still_good": _("This lot can still be sent. Nothing was booked."),
        "still_on_hand": _("Some of it lies on a shelf: nobody knows of which lot it is. Nothing was changed."),
        "made_here": _("What is made here is not kept in lots. Nothing was changed."),
        "still_promised": _("Somebody was promised it as it is. Nothing was changed."),
        "not_made_here": _("It is not made here. Nothing was changed."),
        "kept_in_lots": _("What expires is not kept for a class of customers. Nothing was changed."),
        "not_all_picked": _("Not everything is picked yet. Pick what is missing first."),
        "already_moved": _("This was booked before. Nothing was booked twice."),
        "in_the_past": _("That day is in the past. Choose today or later."),
        "on_hold": _("Nothing of this order leaves for now: its payment is disputed, or the bank has let go of it."),
        "too_late_to_cancel": _("A parcel of this order is closed already. Take it apart first, or wait for it to come back."),
        "too_late_to_redirect": _("A parcel of this order is closed already: its address stays. Nothing was changed."),
        "refund_too_much": _("That is more than is left of this payment. Nothing was given back."),
        "bad_amount": _("Write an amount above zero."),
        "second_person": _("You asked for this yourself: a colleague must approve it. Nothing was given back."),
        "not_a_person": _("Only a person can belong to a company. Nothing was changed."),
        "not_a_company": _("That is not a company. Nothing was changed."),
        "no_email": _("No e-mail address is known of them. Call them, or write the address down first. Nothing was sent."),
        "nothing_here": _("Nothing of this parcel is here yet. Nothing was changed."),
        "all_here": _("All of this parcel is here: pick it as a whole."),
        "payment_open": _("A link to pay is out already. Take it back first, then make the order anew."),
        "payment_away": _("The payment provider does not answer. The goods are held; send it again in a minute."),
        "price_changed": _("A price has changed. Look at the new total, then send it again."),
        "day_moved": _("A day has moved. Look at the new day, say it to them, then send it again."),
        "cart_empty": _("There is nothing in this order yet."),
        "currency_mismatch": _("This is sold in another currency than the rest of the order."),
        "already_chosen": _("The customer has chosen already. Nothing was changed."),
        "newer_day": _("The day has moved again. Nothing was changed."),
        "too_late_to_choose": _("There is nothing left to choose. Nothing was changed."),
        "segment_gone": _("The segment is not there any more. Choose another one and save, then send. Nothing was sent."),
        "nobody_to_write_to": _("Nobody of this segment may be written to now. Nothing was sent."),
        "bad_period": _("A stop must end after it starts and after now."),
        **door_words.sentences(),
        **role_words.sentences(),
    }


def explain_field(code: str) -> str:
    """Say what is wrong with one field."""
    words = {
        "missing": _("Fill this in."),
        "too_long": _("This is too long. At most 5,000 characters."),
        "bad_character": _("This holds a character that cannot be stored."),
        "bad_date": _("Choose a day, for example 2026-12-08."),
        "placeholder_left": _("A word in {braces} is still to be filled in."),
        "past_date": _("Choose today or later."),
        "cycle": _("It would be a part of itself."),
        "not_earlier": _("Choose a day before the one it is due."),
        "required": _("Fill this in."),
        "bad_email": _("Write an e-mail address, for example ada@example.com."),
        "unknown_item": _("We have no item with that number: search for it, or leave this empty."),
        "unknown_part": _("We have no item with that number."),
        "in_it_already": _("This stands in the list already: change it there."),
        "itself": _("That is the item itself."),
        "not_sold": _("That is not sold in the shop."),
        "other_currency": _("That is sold in another currency."),
        "too_many": _("The list is full: take one out first."),
        "bad_minutes": _("Write minutes from 0 on, for example 12.5."),
        "has_another": _("We know them by another e-mail already. Change it on their customer page."),
        "invalid_email": _("Write an e-mail address, for example ada@example.com."),
        "bad_country": _("Choose a country."),
        "bad_timezone": _("Choose a time zone, for example Europe/Berlin."),
        "bad_percent": _("Write the discount as a whole number from 0 to 90."),
        "bad_number": _("Write a whole number within the limits."),
        "bad_amount": _("Write an amount, for example 4.90."),
        "bad_vat_number": _("Write it as the tax office does, for example DE123456789."),
        "bad_phone": _("Write the number with its country, for example +49 30 1234567."),
        "unknown_postcode": _("We do not deliver to that postcode."),
        "bad_postcode": _("That country has no such postcode."),
        "unknown_country": _("We do not deliver to that country."),
        "ends_before": _("Choose the same day or a later one."),
        "future_date": _("Choose today or earlier."),
        "before_it_left": _("One of them had not left by that day."),
        "bad_quantity": _("Write a whole number, 1 or more."),
        "bad_count": _("Write a whole number, 0 or more."),
        "bad_days": _("Write a number of days between 1 and 366."),
        "unknown_order": _("There is no order with that number."),
        "bad_hours": _("Write a number of hours between 1 and 720."),
        "bad_time": _("Choose a day and a time."),
        "bad_clock": _("Write a time like 14:00."),
        "bad_coupon_code": _("Letters, digits and hyphens, 3 to 40."),
        "code_known": _("What this code takes off cannot be changed. Write down another code."),
        "bad_code": _("Small letters, digits and hyphens, a letter first."),
        "closed_then": _("It is closed then anyway. Choose a day on which it works."),
        "open_then": _("It is open then anyway."),
        "not_after": _("Choose a time after the first one."),
        "not_later": _("Choose a time after the one it begins at now."),
        "bad_choice": _("Choose one of the list."),
        "bad_tiers": _("Write a line for each: from how many, then the price of a piece, each below the one before: 5 44.00."),
        "bad_contents": _("Write how many of which number, for example 2 STOOL, 1 LAMP."),
        "shorten": _("This is too long. Shorten it."),
        "unknown_person": _("Nobody with that address is known yet. They are once they buy or write to us."),
        **door_words.fields(),
    }
    return str(words.get(code, _("This is not right.")))


def name_of(kind: str, code: str) -> str:
    """Return the word for a code.

    kind: state | reason | lead | entry | desk | role | order | shipment | payment | refund | message | change | basis …
    """
    return str(_words()[kind].get(code, code))


@once_for_each_language
def _words() -> Mapping[str, Mapping[str, str]]:
    """Return kind → code → word: a list of fifty rows asks for two hundred of these five hundred words."""
    return {
        "state": {
            "new": _("New"),
            "working": _("Being answered"),
            "answered": _("Answered"),
            "done": _("Done"),
            "quarantined": _("Doubtful"),
            "open": _("To do"),
            "call_first": _("Whom to call first"),
            "due": _("Follow-ups due"),
            "paying": _("Waiting for payment"),
            "won": _("Became an order"),
            "lost": _("Without an order"),
            "any": _("All states"),
        },
        "lead": lead_kinds(),
        "score": score_groups(),
        "entry": timeline_words.entries() | quotation_words.entries(),
        "look": timeline_words.looks(),
        "stage": timeline_words.stages(),
        "task": timeline_words.task_ends(),
        "quotation": quotation_words.states(),
        "consent": {
            "phone": _("by telephone"),
            "form": _("in a form"),
            "checkout": _("at checkout"),
            "account": _("in their account"),
        },
        "evidence": {
            "how": _("how"),
            "by": _("written down by"),
            "page": _("page"),
            "lead": _("enquiry"),
        },
        "purpose": {"newsletter": _("News by mail"), "calls": _("Calls")},
        "customers": {
            "all": _("Everybody"),
            "people": _("People"),
            "companies": _("Companies"),
            "open": _("With an open order"),
            "active": _("Last contact first"),
            "new": _("Newest first"),
            "name": _("By name"),
        },
        "orders": {
            "open": _("Under way here"),
            "late": _("Later than promised"),
            "refund": _("Money to give back"),
            "shipped": _("Shipped"),
            "delivered": _("Delivered"),
            "cancelled": _("Cancelled"),
            "any": _("All orders"),
            "new": _("Newest first"),
            "old": _("Oldest first"),
            "day": _("By day of arrival"),
        },
        "payment": {
            "opened": _("not paid yet"),
            "processing": _("being paid"),
            "authorised": _("set aside, not taken yet"),
            "voided": _("let go, never taken"),
            "succeeded": _("paid"),
            "failed": _("not paid"),
            "expired": _("not paid"),
            "partly_refunded": _("paid, a part given back"),
            "refunded": _("paid, all given back"),
            "disputed": _("disputed by the buyer's bank"),
        },
        "owed": role_words.owed(),
        "company_role": role_words.roles(),
        "refund": {
            "requested": _("being sent back"),
            "pending": _("on its way back"),
            "succeeded": _("given back"),
            "failed": _("did not go through"),
        },
        "refund_request": {
            "within_limit": _("within the limit"),
            "waiting": _("waits for a second person"),
            "approved": _("approved"),
            "declined": _("declined"),
        },
        "reason": {"answer": _("answer"), "call_again": _("call again"), "paying": _("waits for payment")},
        "desk": {
            "sales": _("Sales"),
            "warehouse": _("Warehouse"),
            "planning": _("Planning"),
            "reports": _("Reports"),
            "accounts": _("Accounts"),
            "admin": _("Administration"),
        },
        "role": {"sales": _("Sales"), "warehouse": _("Warehouse"), "planner": _("Planning"), "admin": _("Administration")},
        "order": {
            "placed": _("Placed"),
            "confirmed": _("Confirmed"),
            "picking": _("Picking"),
            "shipped": _("Shipped"),
            "delivered": _("Delivered"),
            "cancelled": _("Cancelled"),
        },
        "shipment": {
            "waiting": _("Waiting"),
            "to_pick": _("To pick"),
            "picking": _("Picking"),
            "packed": _("Packed"),
            "shipped": _("Shipped"),
            "delivered": _("Delivered"),
            "cancelled": _("Cancelled"),
        },
        "message": message_words(),
        **case_words.tables(),
        "change": change_words(),
        "promised_from": {
            "stock": _("stock"),
            "incoming": _("what is on its way"),
            "production": _("production"),
        },
        "choice": {
            "accepted": _("the new day is fine"),
            "parted": _("parcels on different days"),
            "substituted": _("something else instead"),
            "cancelled": _("cancel, money back"),
        },
        "basis": {
            "stock": _("from stock"),
            "receipt": _("from what is on its way"),
            "make": _("made for them"),
            "buy": _("made or ordered for them"),
            "mixed": _("partly made for them"),
        },
    }


def cause_in_words(cause: Cause) -> str:
    """Say why a day moves."""
    return causes.say(cause, _, day)


def cause_of(kept: Mapping[str, Any] | None, english: str | None) -> str:
    """Say why a day moved; what was stored before there were codes is in English."""
    cause = causes.read(kept)
    words = causes.say(cause, _, day) if cause else english or ""
    return words if causes.is_day_known(kept) else _("No new day yet: %(cause)s", cause=words)


def chain_of(kept: Mapping[str, Any] | None) -> str:
    """Say how a change came to a line, from where it began."""
    cause = causes.read(kept)
    return causes.say_chain(cause.chain, ngettext) if cause else ""


def said(text: str, values: Mapping[str, Any]) -> str:
    """Say what an entry of a timeline is about: its cause or its amount in this language, else its text as it is."""
    if told := timeline_words.of_pipeline(values) or case_words.of_case(values, text):
        return told
    if causes.read(values.get("cause")):
        chain = chain_of(values["cause"])
        return f"{values['item']}: {cause_of(values['cause'], None)}" + (f" ({chain})" if chain else "")
    if isinstance(values.get("role"), str):
        return name_of("company_role", values["role"])
    if isinstance(values.get("choice"), str):
        chosen = name_of("choice", values["choice"])
        chosen += f": {values['instead_of']} → {values['item']}" if values.get("item") else ""
        return f"{chosen} · {text}" if text else chosen
    if isinstance(values.get("times"), int):
        return ngettext("%(num)d time", "%(num)d times", values["times"])
    if isinstance(values.get("until"), str):
        amount = money(values["amount_minor"], str(values["currency"]))
        until = moment(datetime.fromisoformat(values["until"]))
        return _("%(amount)s, held until %(until)s", amount=amount, until=until)
    if isinstance(values.get("on"), str):
        return day(date.fromisoformat(values["on"]))
    if isinstance(values.get("amount_minor"), int):
        amount = money(values["amount_minor"], str(values["currency"]))
        return f"{amount} · {text}" if text else amount
    return text
