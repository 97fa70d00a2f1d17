"""What an order and a quotation that are put together at a desk have in common: whom for, where to, in which language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from babel import negotiate_locale
from flask import request

from backoffice.desk import context, phrases
from backoffice.desk.lead_sheet import Sheet, find_last_address, get_sheet

TYPED = ("name", "company", "email", "phone", "street", "postcode", "city", "region", "country", "note")


def sheet_of(lead_id: int) -> Sheet:
    """Return an enquiry with all that its page shows. Raises NotFound(unknown_lead)."""
    secret_key = context.services().settings.secret_key
    return context.read(lambda db: get_sheet(db, lead_id, secret_key=secret_key))


def first_address(sheet: Sheet) -> dict[str, Any]:
    """Return what the form begins with: what we know of whoever asked, and where their last order went."""
    lead, party = sheet.lead, sheet.customer.party
    last = context.read(lambda db: find_last_address(db, lead.party_id))
    before: dict[str, Any] = {name: getattr(last, name) for name in TYPED if name != "note"} if last else {}
    address = {"country": context.house().country} | before
    address |= {"name": before.get("name") or party.name, "email": party.email or ""}
    address |= {"phone": party.phone or before.get("phone", ""), "company": lead.company or before.get("company", "")}
    return address | {"postcode": before.get("postcode") or lead.postcode}


def language_of(sheet: Sheet) -> str:
    """Return the language to write to them in: the enquiry's, else theirs, else the shop's."""
    return sheet.lead.language or sheet.customer.party.language or context.services().shop.profile.get().language


def shop_address(language: str) -> str:
    """Return the shop's address in the customer's language, where the shop speaks it: https://shop.example/de."""
    profile, there_are = context.services().shop.profile.get(), [one.code for one in phrases.languages()]
    wanted, own = _nearest(language, there_are), _nearest(profile.language, there_are)
    spoken = {_nearest(one, there_are) for one in profile.languages or there_are}
    prefix = f"/{wanted}" if wanted in spoken - {own} else ""
    return request.url_root.rstrip("/") + prefix


def _nearest(language: str, there_are: Sequence[str]) -> str:
    tags = {tag.replace("-", "_"): tag for tag in there_are}
    return tags.get(negotiate_locale([language.replace("-", "_")], list(tags)) or "", phrases.SOURCE)
