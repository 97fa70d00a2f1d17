"""Telephone numbers made one, so that the same telephone is found however it was typed."""

from __future__ import annotations

import phonenumbers
from sqlalchemy.orm import Session

from backoffice.erp.models import Company

SHORTEST = 8  # with the plus and the country: below that it is a service number, or a slip of the finger


def key_of(typed: str, country: str) -> str:
    """Return a number as it is dialled from abroad (E.164), with its extension; empty for what is no number.

    country: ISO 3166-1 alpha-2, where the number is one without its country; empty: only numbers with it are known.
    """
    try:
        number = phonenumbers.parse(typed, country or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    key = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if len(key) < SHORTEST:
        return ""
    return f"{key};ext={number.extension}" if number.extension else key


def key_here(session: Session, typed: str, country: str = "") -> str:
    """Return the key of a number typed in a country; empty: the company's own."""
    if not typed.strip():
        return ""
    company = None if country else session.get(Company, 1)
    return key_of(typed, country or (company.country if company else ""))
