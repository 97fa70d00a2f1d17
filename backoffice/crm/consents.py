"""What somebody allowed us to do: given in the words they read, taken back at any time, never rewritten."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from backoffice import events
from backoffice.crm import links, parties, timeline
from backoffice.crm.models import Consent
from backoffice.erp.company import get_company
from backoffice.public.errors import BadInput, NotFound

PURPOSES = ("newsletter", "calls", "cart_reminder")
ASK_AGAIN = timedelta(hours=1)  # a link to confirm is not mailed more often, so that nobody is pestered in our name


def give(
    session: Session,
    party_id: int,
    purpose: str,
    *,
    wording: str,
    language: str,
    source: str,
    evidence: Mapping[str, Any],
    actor: str = "",
    tell: bool = True,
    by_link: bool = False,
    now: datetime,
) -> Consent:
    """Write down that somebody allows a purpose; one that stands in the same words already is returned as it is.

    wording: exactly what they read. evidence: how it can be proved (page, form key). actor: who of ours wrote it down.
    tell: write to them at once. by_link: it holds only from when they follow the link of that mail, see `confirm`.
    Raises NotFound(unknown_record), BadInput(invalid_form, purpose | wording).
    """
    party = parties.get_party(session, party_id)
    if purpose not in PURPOSES:
        raise BadInput("invalid_form", {"purpose": "bad_choice"})
    words = wording.strip()
    if not words or "\x00" in words:
        raise BadInput("invalid_form", {"wording": "bad_character" if words else "missing"})
    same = sa.select(Consent).where(
        Consent.party_id == party.id, Consent.purpose == purpose, Consent.wording == words, Consent.withdrawn_at.is_(None)
    )
    standing_one = session.scalars(same.order_by(Consent.id)).first()
    if standing_one is not None:
        if standing_one.confirmed_at is None:
            _ask_again(session, standing_one, by_link=by_link, now=now)
        return standing_one
    consent = Consent(
        party_id=party.id,
        purpose=purpose,
        wording=words,
        language=language,
        source=source,
        evidence=dict(evidence),
        given_at=now,
        confirmed_at=None if by_link else now,
    )
    session.add(consent)
    session.flush()
    timeline.record(session, party.id, "consent", text=words, values={"purpose": purpose}, actor=actor, now=now)
    if tell:
        events.publish(session, events.ConsentGiven(consent.id, now))
    return consent


def _ask_again(session: Session, consent: Consent, *, by_link: bool, now: datetime) -> None:
    """Let one that waits for its link hold where it is given in person, else mail the link once more, in an hour at most."""
    if not by_link:
        confirm(session, consent.id, now=now)
    elif now - datetime.fromisoformat(consent.evidence.get("asked_at", consent.given_at.isoformat())) >= ASK_AGAIN:
        consent.evidence = {**consent.evidence, "asked_at": now.isoformat()}
        session.flush()
        events.publish(session, events.ConsentGiven(consent.id, now))


def confirm(session: Session, consent_id: int, *, now: datetime) -> bool:
    """Let a consent hold: its link was followed, so the address is theirs. False: it held before, or was taken back."""
    held = session.execute(
        sa.update(Consent)
        .where(Consent.id == consent_id, Consent.confirmed_at.is_(None), Consent.withdrawn_at.is_(None))
        .values(confirmed_at=now)
        .returning(Consent.party_id, Consent.purpose, Consent.wording)
        .execution_options(synchronize_session="fetch")
    ).first()
    if held is None:
        return False
    values = {"purpose": held.purpose}
    timeline.record(session, held.party_id, "consent_confirmed", text=held.wording, values=values, now=now)
    return True


def withdraw(
    session: Session, consent_id: int, *, actor: str = "", proof: Mapping[str, Any] | None = None, now: datetime
) -> bool:
    """Take a consent back; every other one of the same person and purpose ends with it. False: it had ended before.

    proof: how they said so, kept with what ends. Raises NotFound(unknown_record).
    """
    consent = session.get(Consent, consent_id)
    if consent is None:
        raise NotFound("unknown_record")
    ended = session.execute(
        sa.update(Consent)
        .where(Consent.party_id == consent.party_id, Consent.purpose == consent.purpose, Consent.withdrawn_at.is_(None))
        .values(
            withdrawn_at=sa.case((Consent.given_at > now, Consent.given_at), else_=now),
            withdrawal=dict(proof or {}),
        )
        .execution_options(synchronize_session="fetch")
    )
    if not cast("CursorResult[Any]", ended).rowcount:
        return False
    values = {"purpose": consent.purpose}
    timeline.record(session, consent.party_id, "consent_withdrawn", text=consent.wording, values=values, actor=actor, now=now)
    return True


def standing(session: Session, party_id: int) -> Sequence[Consent]:
    """Return what somebody allows today, the oldest first."""
    holds = (Consent.withdrawn_at.is_(None), Consent.confirmed_at.is_not(None))
    found = sa.select(Consent).where(Consent.party_id == party_id, *holds)
    return session.scalars(found.order_by(Consent.given_at, Consent.id)).all()


def find_all(session: Session, party_id: int) -> Sequence[Consent]:
    """Return everything that somebody ever allowed, the newest first."""
    return session.scalars(
        sa.select(Consent).where(Consent.party_id == party_id).order_by(Consent.given_at.desc(), Consent.id.desc())
    ).all()


def get_by_token(session: Session, secret_key: str, typed: str) -> Consent:
    """Return the consent of such a link. Raises NotFound(unknown_record), also for one that we did not sign."""
    number = typed.partition("-")[0]
    known = number.isascii() and number.isdecimal() and len(number) < 16
    ours = links.consent_token(secret_key, str(int(number))) if known else ""
    if not ours or not hmac.compare_digest(ours.encode(), typed.encode("utf-8", "replace")):
        raise NotFound("unknown_record")
    consent = session.get(Consent, int(number))
    if consent is None:
        raise NotFound("unknown_record")
    return consent


def make_on_given(base_url: str) -> Any:
    """Return the listener that writes to whoever allowed something: what it was, and how to take it back."""

    def on_given(session: Session, happened: events.ConsentGiven) -> None:
        consent = session.get_one(Consent, happened.consent_id)
        party = parties.get_party(session, consent.party_id)
        if not party.email or not base_url:  # without an address of ours a mail could not say how to take it back
            return
        payload = {
            "to": party.email,
            "name": party.name,
            "language": consent.language or party.language,
            "shop": get_company(session).name,
            "wording": consent.wording,
            "secrets": {"link": links.unwritten("consent", f"{base_url.rstrip('/')}/consent/", str(consent.id))},
        }
        events.publish(
            session,
            events.MailWanted(
                "consent_given" if consent.confirmed_at else "consent_wanted", f"party:{party.id}", payload, happened.at
            ),
        )

    return on_given
