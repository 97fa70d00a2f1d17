"""A lead's form, checked: what a message must have, how long it may be. Pure."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass
from datetime import date

from backoffice.crm.parties import normalise_email
from backoffice.public.errors import BadInput
from backoffice.public.leads import MAY_BE_SENT, LeadForm

KINDS = (*MAY_BE_SENT, "phone")
ALL_KINDS = (*KINDS, "abandoned_cart", "late_order", "dispute", "authorisation")
"""With what nobody sends: see reminding, slip_calls and payment_tasks."""
LIMITS = {"name": 200, "email": 254, "phone": 50, "message": 5_000, "sku": 100, "postcode": 20, "company": 200}
LONGEST_ORIGIN = 200
MAX_QUANTITY = 999_999_999


@dataclass(frozen=True, slots=True)
class CheckedLead:
    """A lead's values, ready to be written."""

    kind: str
    name: str
    email: str
    phone: str
    message: str
    sku: str
    quantity: int | None
    needed_by_on: date | None
    postcode: str
    language: str
    page: str
    doubtful: bool
    company: str
    country: str
    source: str
    medium: str
    campaign: str
    landing: str
    newsletter: str


def check(form: LeadForm, *, today: date | None = None, by_phone: bool = False) -> CheckedLead:
    """Return the form's values. Raises BadInput(invalid_form, fields) naming every wrong field at once.

    today: no need may lie before it; None: any day will do. by_phone: one of us typed it while they spoke, so there may be
    no e-mail, but then a name or a number.
    Field codes: missing | too_long | bad_email | bad_date | past_date | bad_quantity | bad_character | unknown_kind.
    """
    wrong: dict[str, str] = {}
    for name, value in asdict(form).items():
        if not _is_writable(value):
            wrong[name] = "bad_character"
        elif len(_lines(value)) > LIMITS.get(name, len(value)):
            wrong[name] = "too_long"
    if form.kind not in (("phone",) if by_phone else MAY_BE_SENT):
        wrong["kind"] = "unknown_kind"
    for name in _needed(form, by_phone=by_phone):
        if not getattr(form, name).strip():
            wrong[name] = "missing"
    email = "" if "email" in wrong or not form.email.strip() else _email(form.email, wrong)
    quantity, needed_by_on = _quantity(form.quantity, wrong), _day(form.needed_by_on, wrong)
    if today is not None and needed_by_on is not None and needed_by_on < today:
        wrong["needed_by_on"] = "past_date"
    if wrong:
        raise BadInput("invalid_form", wrong)
    return CheckedLead(
        kind=form.kind,
        name=" ".join(form.name.split()),  # no line break of a form may reach a mail's header
        email=email,
        phone=form.phone.strip(),
        message=_lines(form.message),
        sku=form.sku.strip(),
        quantity=quantity,
        needed_by_on=needed_by_on,
        postcode=form.postcode.strip(),
        language=form.language[:35],
        page=form.page[:500],
        doubtful=bool(form.trap.strip()),
        company=" ".join(form.company.split()),
        country=form.country.strip().upper()[:2],
        source=form.source.strip()[:LONGEST_ORIGIN],
        medium=form.medium.strip()[:LONGEST_ORIGIN],
        campaign=form.campaign.strip()[:LONGEST_ORIGIN],
        landing=form.landing.strip()[:LONGEST_ORIGIN],
        newsletter=form.newsletter,
    )


def _needed(form: LeadForm, *, by_phone: bool) -> tuple[str, ...]:
    """Return the fields that may not be empty."""
    if by_phone:
        return ("message",) if form.name.strip() or form.phone.strip() else ("name", "message")
    return {"tell_me": ("email", "sku"), "refused_day": ("email", "needed_by_on")}.get(form.kind, ("email", "message"))


def fingerprint(form: LeadForm) -> str:
    """Return a hash of everything that was sent, the key included."""
    text = json.dumps(asdict(form), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def clean_text(text: str, *, field: str = "text") -> str:
    """Return what staff typed, trimmed. Raises BadInput(invalid_form, field): missing | too_long | bad_character."""
    if not _is_writable(text):
        raise BadInput("invalid_form", {field: "bad_character"})
    trimmed = _lines(text).strip()
    if not trimmed:
        raise BadInput("invalid_form", {field: "missing"})
    if len(trimmed) > LIMITS["message"]:
        raise BadInput("invalid_form", {field: "too_long"})
    return trimmed


def _lines(text: str) -> str:
    """Return the text with the line ends that its writer saw: a browser sends each as two characters."""
    return text.replace("\r\n", "\n")


def _is_writable(text: str) -> bool:
    """Tell whether both databases and a mail can carry the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any(unicodedata.category(letter) == "Cs" for letter in text)


def _email(typed: str, wrong: dict[str, str]) -> str:
    try:
        return normalise_email(typed)
    except BadInput as error:
        wrong.update(error.fields)
        return ""


def _quantity(typed: str, wrong: dict[str, str]) -> int | None:
    text = typed.strip()
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= MAX_QUANTITY:
        wrong["quantity"] = "bad_quantity"
        return None
    return int(text)


def _day(typed: str, wrong: dict[str, str]) -> date | None:
    if not typed.strip():
        return None
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        wrong["needed_by_on"] = "bad_date"
        return None
