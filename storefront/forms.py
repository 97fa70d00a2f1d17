"""What each form of the shop may name. A field that is not ours is refused, as by the API: nobody shall think it did anything."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, request

from backoffice.public.addresses import PARTS
from backoffice.public.errors import BadInput
from storefront import attribution

ADDRESS = " ".join(PARTS)
ASKED = "key kind page slug sku quantity postcode message needed_by_on name company email phone newsletter website"
KEPT = "keep_address remind"
LEAD = " ".join((ASKED, *attribution.NAMES))
DIGITS = "0123456789"


def _named(**fields: str) -> Mapping[str, frozenset[str]]:
    return {f"shop.{endpoint}": frozenset(names.split()) for endpoint, names in fields.items()}


# route → names; of names that end in a row's number, without it
FIELDS: Mapping[str, frozenset[str]] = _named(
    cart_add="sku slug quantity postcode",
    cart_line="sku quantity action",
    cart_postcode="postcode country",
    cart_parcels="parcels",
    cart_day="requested_on action",
    cart_service="service",
    cart_coupon="coupon action",
    cart_instead="sku instead",
    checkout_start=f"key cart_version shown_postcode shown_country total_minor action address {KEPT} email note {ADDRESS}",
    order_ask="key kind message parcel line",
    question_write="key message",
    question_rate="score comment",
    order_cancel_submit="key",
    order_show_submit="action code",
    order_moved_submit="choice option",
    quotation_accept="version total_minor told_on",
    quotation_again="message",
    order_withdraw_submit="key chosen take-",
    contact_submit=LEAD,
    lead_submit=LEAD,
    consent_confirm="",
    consent_withdraw="",
    unsubscribe_submit="List-Unsubscribe",
    visits_choose="choice",
    account_login_submit="email password",
    account_register_submit="email name password",
    account_confirm_submit="password",
    account_forgot_submit="email",
    account_reset_submit="password",
    account_logout="form_token",
    account_everywhere="form_token",
    account_change="form_token name language",
    account_password="form_token old password",  # noqa: S106 - names of fields
    account_close="form_token closing",
    account_again_submit="form_token",
    account_address_add=f"form_token action {ADDRESS}",
    account_address_save=f"form_token action {ADDRESS}",
    account_address_remove="form_token",
    account_address_prefer="form_token",
)


def install(routes: Blueprint) -> None:
    """Refuse what names a field that its form has not. Raises BadInput(unknown_field), shown with the rest to be sent again."""
    routes.before_request(_refuse_unknown)


def known(name: str) -> bool:
    """Tell whether the form that was sent has a field of this name."""
    own, without_number = FIELDS.get(request.endpoint or "", ()), name.rstrip(DIGITS)
    return name in own or (without_number.endswith("-") and without_number in own)


def _refuse_unknown() -> None:
    if request.method == "POST" and not all(known(name) for name in request.form):
        raise BadInput("unknown_field")
