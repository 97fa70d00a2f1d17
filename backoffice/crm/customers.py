"""What colleagues write down about a customer: who they are, who looks after them, what they allowed on the telephone.

Every change is conditional on the version that was seen, and stands in the record of changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice import audit, events
from backoffice.crm import assigning, company_names, consents, parties, telephones, timeline
from backoffice.crm.lead_forms import clean_text
from backoffice.crm.models import Checkout, Consent, Lead, Party
from backoffice.erp.classes import CUSTOMER_CLASSES
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, NotFound, Refused

FIELDS = ("name", "phone", "language", "job", "vat_number")
LONGEST = {"name": 200, "phone": 40, "job": 100}
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,2}")
LONGEST_WORDING = 2_000


class Editor(Protocol):
    """Who makes a change: for the timeline by name, for the record of changes by e-mail and role."""

    @property
    def id(self) -> int:
        """Return the id of the staff row."""
        ...

    @property
    def name(self) -> str:
        """Return the name that the timeline shows."""
        ...

    @property
    def email(self) -> str:
        """Return the address that the record of changes names."""
        ...

    @property
    def role(self) -> str:
        """Return the role that they have today."""
        ...


def change(
    session: Session, party_id: int, typed: Mapping[str, str], *, owner_id: int | None, version: int, by: Editor, now: datetime
) -> dict[str, Any]:
    """Change what is known of a person or a company, and who looks after them; return what has changed: name → (before, after).

    typed: every one of FIELDS, and customer_class where that is to change.

    Raises NotFound(unknown_record), BadInput(invalid_form, fields), Refused(stale | name_taken).
    """
    party = parties.get_party(session, party_id)
    clean = _clean(session, party, typed, owner_id)
    before = {name: getattr(party, name) for name in clean}
    changed = {name: (before[name], after) for name, after in clean.items() if before[name] != after}
    if not changed:
        return {}
    values = dict(clean)
    if "phone" in changed:
        values["phone_key"] = telephones.key_here(session, clean["phone"])
    if party.kind == "company":
        values["company_key"] = company_names.fold(clean["name"])
    seen = sa.update(Party).where(Party.id == party_id, Party.version == version).values(**values, version=version + 1)
    try:
        with session.begin_nested():
            won = session.execute(seen.returning(Party.id).execution_options(synchronize_session=False)).scalar_one_or_none()
    except IntegrityError:
        raise Refused("name_taken") from None
    if won is None:
        raise Refused("stale")
    session.refresh(party)
    if "owner_id" in changed:
        owner = session.get(Staff, owner_id) if owner_id else None
        timeline.record(session, party_id, "owner", text=owner.name if owner else "–", actor=by.name, now=now)
    note(session, "party.change", party_id, by, now, before={n: b for n, (b, _) in changed.items()}, after=_after(changed))
    return changed


def note_consent(
    session: Session, party_id: int, purpose: str, wording: str, *, language: str, by: Editor, now: datetime
) -> Consent:
    """Write down what somebody allowed on the telephone, in the words that were read out to them.

    Raises NotFound(unknown_record), BadInput(invalid_form, purpose | wording).
    """
    words = clean_text(wording, field="wording")
    if len(words) > LONGEST_WORDING:
        raise BadInput("invalid_form", {"wording": "shorten"})
    evidence = {"how": "telephone", "by": by.name}
    consent = consents.give(
        session,
        party_id,
        purpose,
        wording=words,
        language=language if LANGUAGE.fullmatch(language) else "",
        source="phone",
        evidence=evidence,
        actor=by.name,
        now=now,
    )
    if consent.given_at == now:  # else it stood in these words already
        note(session, "consent.note", party_id, by, now, purpose=purpose, wording=words)
    return consent


def withdraw_consent(session: Session, party_id: int, consent_id: int, *, by: Editor, now: datetime) -> bool:
    """Write down that somebody took a consent back; False: it had ended before. Raises NotFound(unknown_record)."""
    consent = session.get(Consent, consent_id)
    if consent is None or consent.party_id != party_id:
        raise NotFound("unknown_record")
    if not consents.withdraw(session, consent_id, actor=by.name, now=now):
        return False
    note(session, "consent.withdraw", party_id, by, now, purpose=consent.purpose)
    return True


def on_order_placed(session: Session, happened: events.OrderPlaced) -> None:
    """Give a customer whom nobody looks after yet to whoever had their enquiry, else to whom the rules name."""
    party = session.get_one(Party, happened.party_id)
    if party.owner_id is not None:
        return
    lead = session.get(Lead, happened.lead_id) if happened.lead_id else None
    owner_id = lead.owner_id if lead else None
    if owner_id is None:
        checkout = session.get_one(Checkout, happened.checkout_id)
        owner_id = assigning.find_owner(
            session,
            kind="order",
            language=checkout.language,
            country=checkout.country,
            postcode=checkout.postcode,
            sku=str(checkout.lines[0]["sku"]) if checkout.lines else "",
            now=happened.at,
        )
    if owner_id is not None:
        given = sa.update(Party).where(Party.id == party.id, Party.owner_id.is_(None))
        session.execute(given.values(owner_id=owner_id, version=Party.version + 1).execution_options(synchronize_session=False))
        session.refresh(party)


def note(session: Session, action: str, party_id: int, by: Editor, now: datetime, **details: Any) -> None:
    """Write a change to a customer into the record of changes."""
    audit.record(session, action, f"party:{party_id}", actor=by.email, role=by.role, details=details, now=now)


def _after(changed: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: after for name, (_before, after) in changed.items()}


def _clean(session: Session, party: Party, typed: Mapping[str, str], owner_id: int | None) -> dict[str, Any]:
    clean: dict[str, Any] = {name: " ".join(typed[name].split()) for name in FIELDS}
    wrong: dict[str, str] = {}
    for name, longest in LONGEST.items():
        if not company_names.is_storable(clean[name]):
            wrong[name] = "bad_character"
        elif len(clean[name]) > longest:
            wrong[name] = "shorten"
    clean["customer_class"] = typed.get("customer_class") or party.customer_class
    if clean["customer_class"] not in CUSTOMER_CLASSES:
        wrong["customer_class"] = "bad_choice"
    if not clean["name"]:
        wrong["name"] = "required"
    if clean["language"] and not LANGUAGE.fullmatch(clean["language"]):
        wrong["language"] = "bad_choice"
    clean["vat_number"] = company_names.clean_vat_number(clean["vat_number"])
    if clean["vat_number"] is None:
        wrong["vat_number"] = "bad_vat_number"
    if owner_id is not None and owner_id != party.owner_id:
        owner = session.get(Staff, owner_id)
        if owner is None or not owner.active or owner.role not in assigning.SELLERS:
            wrong["owner"] = "bad_choice"
    if wrong:
        raise BadInput("invalid_form", wrong)
    return clean | {"owner_id": owner_id}
