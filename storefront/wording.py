"""The one dictionary from error codes to words: what happened, what is safe, what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from backoffice.public.errors import ShopError
from storefront.phrases import N_, _, plural

NO_SUCH_PAGE = N_("There is no such page here. Perhaps the address has a slip in it, or what was here has gone.")
NO_PLACE = N_("We do not deliver to this postcode, or it does not exist. Please look at it again.")
DIGITS = N_("Write the number of pieces in digits, from 1 to 9999.")
EMPTY = N_("Please fill this in.")
EMAIL = N_("Write an e-mail address like name@example.com.")
OVER = N_("This day is over. Choose one to come.")
NO_COUNTRY = N_("We do not deliver to this country yet.")

NO_LONGER = N_("That can no longer be done. Load the page again to see how things stand now.")

NO_FIELD = N_("This form named something that our pages do not ask for, so nothing was done.")
NO_CODE = N_("This code cannot be used: it is not one of ours, its time is over, or it was used up. Your cart is as it was.")

DID_NOT_WORK = N_("That did not work. Nothing was lost: go back, look at what you typed, and try again.")
ERRORS: Mapping[str, str] = {
    "bad_job_shop": DID_NOT_WORK,  # these three are said by commands, in words of their own, and never on a page
    "bad_proposal": DID_NOT_WORK,
    "solver_failed": DID_NOT_WORK,
    "code_set_up": DID_NOT_WORK,  # and these at the desks alone
    "code_not_set_up": DID_NOT_WORK,
    "own_second_step": DID_NOT_WORK,
    "still_open": DID_NOT_WORK,
    "segment_gone": DID_NOT_WORK,
    "nobody_to_write_to": DID_NOT_WORK,
    "unknown_product": N_("We have no product under this address. It may have a new name: try the search."),
    "unknown_category": N_("We have no such category. All categories are on the first page."),
    "unknown_order": N_("We find no order under this link. Please open the link in our e-mail once more."),
    "unknown_slip": N_("We find nothing to choose under this link. Please open the link in our newest e-mail once more."),
    "on_hold": NO_LONGER,
    "coupon_invalid": NO_CODE,
    "unknown_field": NO_FIELD,
    "too_many_codes": N_("That was tried too often. Wait an hour, then try again. Your cart is as it was."),
    "withdrawal_over": N_("There is nothing left here that can be taken back, or the time for it is over. Nothing was changed."),
    "form_reused": N_(
        "This form was sent before with something else in it, and that stands. What you chose now was not done: look at your"
        " order, then send it again if it is still needed."
    ),
    "already_chosen": N_("You have chosen already, perhaps in another window. What you chose first stands."),
    "newer_day": N_(
        "The day has moved again since this page was shown. Nothing was changed: look at the newest day and choose there."
    ),
    "too_late_to_choose": N_("There is nothing left to choose here. Nothing was changed: see below how your order stands now."),
    "nothing_to_part": N_(
        "It can no longer be sent in parts: all of it arrives on one day, or it is being packed. Nothing was changed: see below "
        "what you may choose now."
    ),
    "offer_changed": N_(
        "Its price or its day has changed since this page was shown, or it is gone. Nothing was changed: see below what you may "
        "choose now."
    ),
    "too_late_to_swap": N_("Your parcel is being packed, so nothing else can go into it. Nothing was changed."),
    "quotation_replaced": N_("There is a newer version of this quotation. Nothing was ordered: look at the new one below."),
    "quotation_expired": N_(
        "The time of this quotation is over. Nothing was ordered, and you owe nothing: ask for it again below."
    ),
    "quotation_over": N_("This quotation can no longer be accepted. Nothing was ordered: ask for it again below."),
    "not_on_account": N_("You cannot order on account here. Nothing was ordered: you can pay now."),
    "account_paused": N_(
        "An invoice of your company is overdue, so nothing more goes on account until it is paid. Nothing was ordered: you can "
        "pay now."
    ),
    "over_limit": N_("This is more than is left on your company's account. Nothing was ordered: you can pay now."),
    "more_than_open": NO_LONGER,
    "still_at_it": NO_LONGER,
    "unknown_page": N_("This list has no such page. Start again at its first page."),
    "unknown_cart": N_("This cart is no longer here. Put what you would like into a new one."),
    "unknown_lead": NO_SUCH_PAGE,
    "unknown_case": NO_SUCH_PAGE,
    "unknown_record": NO_SUCH_PAGE,
    "not_available": N_("We cannot promise a day for this at the moment. Ask us, or let us tell you when it can be had."),
    "hold_expired": N_("We kept this for you, and the time has run out. Your cart is as you left it: hold it again to go on."),
    "stale": N_(
        "Something in your cart has changed since this page was shown. What you typed is kept: look at the new "
        "days and amounts, and send it again."
    ),
    "cart_empty": N_("There is nothing in your cart. If you have just paid, your order is in our e-mail to you."),
    "currency_mismatch": N_("This has a price in another currency only, so it cannot be bought here. Your cart is as it was."),
    "price_changed": N_(
        "A price has changed since this page was shown. What you typed is kept: look at the new amount, and send it again."
    ),
    "code_ended": N_(
        "Your code cannot be used any more: its time is over, or it was used up. It is off your cart. What you typed is kept:"
        " look at the new amount, and send it again."
    ),
    "day_moved": N_(
        "The day has moved since this page was shown. What you typed is kept: look at the new day, and send it again."
    ),
    "other_day_there": N_(
        "To this postcode it arrives on another day than the page said. What you typed is kept: look at the day, and send "
        "it again."
    ),
    "busy": N_("Others are buying the same thing this very moment. Nothing was changed: please try once more."),
    "payment_away": N_(
        "The payment provider does not answer at the moment. Nothing was paid. Your cart is held and what you typed is "
        "kept: please try again in a minute."
    ),
    "email_refused": N_(
        "The payment provider does not take this e-mail address. Nothing was ordered and nothing was paid; your cart is held. "
        "Write another address and send it again."
    ),
    "amount_refused": N_(
        "The payment provider does not take this amount: it is too small or too large for it. Nothing was ordered and nothing "
        "was paid. Change what is in your cart, or write to us."
    ),
    "wrong_state": NO_LONGER,
    "too_late_to_cancel": N_(
        "A parcel of this order is closed or on its way already, so it can no longer be cancelled. Write to us below the "
        "order: you may send it back."
    ),
    "refund_too_much": N_("That is more than is left of this payment. Nothing was given back."),
    "no_email": N_("No e-mail address is known here. Nothing was sent."),
    "bad_amount": N_("Write an amount above zero."),
    "unknown_address": N_("This address is no longer in your address book. Your others are below."),
    "too_many_checkouts": N_(
        "Paying was begun too often. Wait ten minutes, then try again. Your cart and what you typed are as they were."
    ),
    "too_many_addresses": N_("There is room for 20 addresses. Remove one that you no longer need, then add this one."),
    "unknown_link": N_("This link was used already, or its time is over. Ask for a new one."),
    "not_logged_in": N_("You are logged out here. Log in again to go on."),
    "wrong_login": N_(
        "E-mail or password is wrong, or the address was never confirmed. If you registered, follow the link in our e-mail first."
    ),
    "wrong_password": N_("This is not the password you chose. Type it again."),
    "too_many_order_codes": N_("That was tried too often with this order. Wait an hour, then ask for a new code."),
    "too_many_tries": N_("That was tried too often. Wait five minutes, then try again."),
    "nothing_here": NO_LONGER,
    "all_here": NO_LONGER,
    "not_enough_stock": NO_LONGER,  # what only the desks meet still has words here: nobody is shown a code
    "not_ordered_yet": NO_LONGER,
    "payment_open": NO_LONGER,
    # what only the API answers
    "idempotency_key_missing": N_("Send an Idempotency-Key: your own name for this request, so that it is done once."),
    "bad_idempotency_key": N_("An Idempotency-Key has 1 to 255 visible ASCII characters."),
    "idempotency_key_reused": N_("This Idempotency-Key was used for another request. Use a new one."),
    "in_progress": N_("The first request with this Idempotency-Key is still being worked on. Ask again in a second."),
    "malformed_json": N_("The body is not JSON as it should be: cut off, a name twice, not UTF-8, or too deep."),
    "bad_cursor": N_("This cursor is not one of ours. Begin again without one."),
    "unknown_key": N_("We do not know this key, or it has been revoked."),
    "missing_scope": N_("This key is not allowed that. The scope it lacks is named in `scope`."),
    "bad_quantity": DIGITS,
    "unknown_postcode": NO_PLACE,
    "unknown_country": NO_COUNTRY,
    "long_query": N_("Please search with fewer words: 200 characters at most."),
    "invalid_form": N_("Please look at the marked fields again. What you typed is kept."),
}

FIELDS: Mapping[str, str] = {
    "required": EMPTY,
    "missing": EMPTY,
    "empty": EMPTY,
    "too_long": N_("This is longer than we can take. Please shorten it."),
    "bad_email": EMAIL,
    "invalid_email": EMAIL,
    "bad_length": N_("Choose a password of 8 to 128 letters."),
    "common_password": N_("Many people use this password, so it is tried first. Choose another."),
    "wrong_password": N_("This is not your password. Type it again."),
    "wrong_code": N_("This is not the code of our newest e-mail, or its time is over. Look again, or ask for a new one."),
    "bad_phone": N_("Write a phone number with its area code, or leave it empty."),
    "bad_date": N_("Write the day as year, month, day: 2026-12-08."),
    "past_date": OVER,
    "in_the_past": OVER,
    "far_date": N_("Choose a day within the next two years."),
    "bad_character": N_("There is a character in this that cannot be written down. Please take it out."),
    "bad_country": NO_COUNTRY,
    "unknown_country": NO_COUNTRY,
    "unknown_postcode": NO_PLACE,
    "bad_postcode": N_("Postcodes look different in this country. Please look at it again."),
    "bad_quantity": DIGITS,
    "unknown_field": N_("We know no field or parameter of this name."),
    "out_of_range": N_("This is more or less than can be taken."),
    "bad_value": N_("This is not of the kind that is expected."),
    "bad_amount": N_("Write an amount above zero."),
    "bad_price": N_("Write prices in digits, like 120 or 49.90."),
    "bad_choice": N_("Choose one of those that are offered."),
    "coupon_invalid": NO_CODE,
    "long_query": N_("200 characters at most."),
}


TITLES: Mapping[int, str] = {
    400: N_("We could not read that"),
    401: N_("We do not know who asks"),
    403: N_("This is not open to you"),
    404: N_("There is nothing here"),
    405: N_("That does not work this way"),
    409: N_("That is not possible right now"),
    412: N_("It has changed meanwhile"),
    413: N_("That is too much at once"),
    415: N_("That is of a kind that we do not read"),
    422: N_("Please look at that again"),
    429: N_("That was too often"),
    503: N_("We are away for a moment"),
}

TEXTS: Mapping[int, str] = {
    400: N_("The request has something in it that cannot be text. Your cart is kept. Go back and try again."),
    403: N_("This request came from another site, so we did not act on it. Your cart is kept."),
    404: N_("Perhaps the address has a slip in it, or what was here has gone. Your cart is kept."),
    405: N_("This address answers another kind of request. Your cart is kept. Start from the first page."),
    413: N_("What was sent is larger than we can take. Your cart is kept. Go back and shorten it."),
    429: N_("Please wait a minute and try again. Your cart is kept."),
    503: N_("Please try again in a minute. Your cart is kept."),
}


API_TEXTS: Mapping[int, str] = {
    404: N_("There is nothing under this address."),
    405: N_("This address does not take that method. The header Allow names those that it takes."),
    412: N_("What you have seen has changed meanwhile. Nothing was done: read it again."),
    413: N_("The body is larger than 1 MB."),
    415: N_("Send the body as application/json."),
    500: N_("Something broke on our side. We have written it down. Send the request again with the same Idempotency-Key."),
}


def say(error: ShopError) -> str:
    """Return the words for an error. A code nobody has worded yet gets an honest general sentence, never the code."""
    most = error.details.get("most")
    if error.code == "not_available" and isinstance(most, int) and most > 0:
        return plural(
            "We cannot promise that many. One piece can be had.",
            "We cannot promise that many. %(num)d pieces can be had.",
            most,
        )
    phrase = ERRORS.get(error.code)
    return _(phrase or DID_NOT_WORK)


NO_WITHDRAWAL: Mapping[str, str] = {
    "made_for_you": N_("Made to your own wishes: the law knows no withdrawal for it."),
    "perishable": N_("It does not keep: the law knows no withdrawal for it."),
    "sealed": N_("Once unsealed it cannot be given to others, for health or hygiene: the law knows no withdrawal for it then."),
}


def why_kept(code: str) -> str:
    """Return why the law lets nobody take something back."""
    return _(NO_WITHDRAWAL[code])


def say_field(code: str) -> str:
    """Return the words for one field's error code."""
    return _(FIELDS.get(code) or N_("Please look at this again."))


def say_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """Return field name → words, in the order the fields were named."""
    return {name: say_field(code) for name, code in fields.items()}


def status_title(status: int) -> str:
    """Return the heading of an error page."""
    return _(TITLES.get(status) or N_("Something broke on our side"))


def status_text(status: int) -> str:
    """Return what an error page says: what happened, what is safe, what to do next."""
    broken = N_("We have written it down and look at it. Your cart is kept. Please try again in a minute.")
    return _(TEXTS.get(status) or broken)


def api_text(status: int) -> str:
    """Return what the API says to an HTTP error."""
    return _(API_TEXTS.get(status) or TEXTS.get(status) or API_TEXTS[500])
