"""What may be changed about a running company: its names and numbers, not its country, currency or clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.erp import learning, plan
from backoffice.erp import models as t
from backoffice.erp.shipping import find_zone
from backoffice.public.addresses import is_postcode, normalise_postcode
from backoffice.public.errors import BadInput

FEWEST_RETURN_DAYS, MOST_RETURN_DAYS = 14, 365  # fourteen is what the law of the Union grants
VAT_NUMBER = re.compile(r"[A-Z]{2}[A-Z0-9]{2,13}")
MOST_SHIPPING_MINOR = 1_000_000
MOST_CHOOSE_DAYS = 30
MOST_CAMPAIGN_DAYS = 365
LEVELS = (0, *range(50, 100))  # promises to keep, of 100; 0: as the plan has it
MOST_PERCENT, MOST_QUOTATION_DAYS = 90, 60
MOST_IMPORTANT_MINOR = 10**12


def change(session: Session, values: Mapping[str, Any], *, by: str, role: str = "", now: datetime) -> dict[str, Any]:
    """Change the company; return what has changed: field → (before, after).

    values: name, email, phone, vat_number, register_entry, default_postcode (text), address (lines), languages (tags),
    returns_days, shipping_minor, choose_days, important_minor, service_level, quotation_percent, quotation_days,
    campaign_days (whole numbers, None for what was no number),
    capture_on_shipment (yes or no).
    Raises BadInput(invalid_form, fields).
    """
    company = session.get_one(t.Company, 1)
    clean = _clean(session, company, values)
    changed = {name: (getattr(company, name), value) for name, value in clean.items() if getattr(company, name) != value}
    for name, (_before, after) in changed.items():
        setattr(company, name, after)
    session.flush()
    if changed:
        plan.bump(session, master=True)  # pages that are kept show the company too
    if "service_level" in changed:
        learning.learn_now(session, now=now)
    if changed:
        details = {
            "before": {name: before for name, (before, _after) in changed.items()},
            "after": {name: after for name, (_before, after) in changed.items()},
        }
        audit.record(session, "company.change", "company:1", actor=by, role=role, details=details, now=now)
    return changed


def _clean(session: Session, company: t.Company, values: Mapping[str, Any]) -> dict[str, Any]:
    clean: dict[str, Any] = {name: " ".join(str(values[name]).split()) for name in ("name", "register_entry")}
    clean["vat_number"] = re.sub(r"[\s.-]", "", str(values["vat_number"])).upper()
    clean["default_postcode"] = normalise_postcode(company.country, str(values["default_postcode"]))
    clean["address"] = [line for line in (" ".join(str(one).split()) for one in values["address"]) if line]
    clean["languages"] = list(values["languages"])
    for name in (
        "returns_days",
        "shipping_minor",
        "choose_days",
        "important_minor",
        "service_level",
        "quotation_percent",
        "quotation_days",
        "campaign_days",
    ):
        clean[name] = values[name]
    clean["capture_on_shipment"] = bool(values["capture_on_shipment"])
    wrong = _wrong(clean)
    clean["email"] = _email(str(values["email"]), wrong)
    clean["phone"] = _phone(str(values["phone"]), company.country, wrong)
    code = clean["default_postcode"]
    if not is_postcode(company.country, code) or find_zone(session, company.country, code) is None:
        wrong["default_postcode"] = "unknown_postcode"
    if wrong:
        raise BadInput("invalid_form", wrong)
    return clean


def _wrong(clean: Mapping[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not clean["name"]:
        wrong["name"] = "required"
    for name in ("name", "register_entry"):
        if len(clean[name]) > 200:
            wrong[name] = "too_long"
    if not clean["address"]:
        wrong["address"] = "required"
    elif len(clean["address"]) > 6 or any(len(line) > 100 for line in clean["address"]):
        wrong["address"] = "too_long"
    if clean["vat_number"] and not VAT_NUMBER.fullmatch(clean["vat_number"]):
        wrong["vat_number"] = "bad_vat_number"
    days, amount = clean["returns_days"], clean["shipping_minor"]
    if days is None or not FEWEST_RETURN_DAYS <= days <= MOST_RETURN_DAYS:
        wrong["returns_days"] = "bad_number"
    if amount is None or not 0 <= amount <= MOST_SHIPPING_MINOR:
        wrong["shipping_minor"] = "bad_amount"
    if clean["choose_days"] is None or not 1 <= clean["choose_days"] <= MOST_CHOOSE_DAYS:
        wrong["choose_days"] = "bad_number"
    if clean["quotation_percent"] is None or not 0 <= clean["quotation_percent"] <= MOST_PERCENT:
        wrong["quotation_percent"] = "bad_number"
    if clean["quotation_days"] is None or not 1 <= clean["quotation_days"] <= MOST_QUOTATION_DAYS:
        wrong["quotation_days"] = "bad_number"
    if clean["campaign_days"] is None or not 0 <= clean["campaign_days"] <= MOST_CAMPAIGN_DAYS:
        wrong["campaign_days"] = "bad_number"
    if clean["service_level"] not in LEVELS:
        wrong["service_level"] = "bad_number"
    if clean["important_minor"] is None or not 0 <= clean["important_minor"] <= MOST_IMPORTANT_MINOR:
        wrong["important_minor"] = "bad_amount"
    return wrong


def _email(typed: str, wrong: dict[str, str]) -> str:
    try:
        return validate_email(typed.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        wrong["email"] = "invalid_email"
        return ""


def _phone(typed: str, country: str, wrong: dict[str, str]) -> str:
    """Return the number as it is written from abroad; empty stays empty."""
    if not typed.strip():
        return ""
    try:
        number = phonenumbers.parse(typed, country)
    except phonenumbers.NumberParseException:
        wrong["phone"] = "bad_phone"
        return ""
    if not phonenumbers.is_possible_number(number):
        wrong["phone"] = "bad_phone"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
