"""The way out of a campaign's letter: a link that only its reader has, good for taking the newsletter's consent back.

Who has the link may do that one thing and see nothing: no name, no address. Method: RFC 8058, one click without asking again.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import consents
from backoffice.crm.audience import PURPOSE
from backoffice.crm.models import Campaign, CampaignRecipient, Consent
from backoffice.public.errors import NotFound


def token(secret_key: str, recipient_id: int) -> str:
    """Return the secret part of the link in one letter, derived as those of `crm.links`: 160 bits."""
    digest = hmac.new(secret_key.encode(), f"unsubscribe-link:{recipient_id}".encode(), hashlib.sha256).digest()
    return f"{recipient_id}-{urlsafe_b64encode(digest[:20]).decode().rstrip('=')}"


def is_subscribed(session: Session, secret_key: str, typed: str) -> bool:
    """Tell whether the address of this letter may be written to again. Raises NotFound(unknown_record)."""
    return _find_standing(session, _get_recipient(session, secret_key, typed)) is not None


def unsubscribe(session: Session, secret_key: str, typed: str, *, how: str, wording: str, now: datetime) -> bool:
    """Take the consent to letters back, with what proves it. False: there was none any more, and nothing is changed.

    how: page (a button was pressed) | one_click (a mail program asked). wording: what they read. Raises
    NotFound(unknown_record), also for a link that we did not make.
    """
    row = _get_recipient(session, secret_key, typed)
    consent_id = _find_standing(session, row)
    if consent_id is None:
        return False
    code = session.get_one(Campaign, row.campaign_id).code
    proof = {"campaign": code, "recipient": row.id, "how": how, "wording": wording}
    if not consents.withdraw(session, consent_id, proof=proof, now=now):
        return False
    row.unsubscribed_at = row.unsubscribed_at or now
    session.flush()
    return True


def _get_recipient(session: Session, secret_key: str, typed: str) -> CampaignRecipient:
    number = typed.partition("-")[0]
    known = number.isascii() and number.isdecimal() and len(number) < 16
    if not known or not hmac.compare_digest(token(secret_key, int(number)).encode(), typed.encode("utf-8", "replace")):
        raise NotFound("unknown_record")
    row = session.get(CampaignRecipient, int(number))
    if row is None:
        raise NotFound("unknown_record")
    return row


def _find_standing(session: Session, row: CampaignRecipient) -> int | None:
    """Return a consent of the letter's address that stands, also one that was given after the letter; None: there is none."""
    party = sa.select(Consent.party_id).where(Consent.id == row.consent_id).scalar_subquery()
    stands = (Consent.party_id == party, Consent.purpose == PURPOSE, Consent.withdrawn_at.is_(None))
    return session.scalar(sa.select(sa.func.max(Consent.id)).where(*stands))
