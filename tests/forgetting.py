"""Forget somebody in one transaction, as the proof of an erasure does, without its file."""

from __future__ import annotations

from datetime import datetime

from backoffice.db import Database
from backoffice.privacy import forgetting
from backoffice.privacy.person import get_person


def forget(db: Database, party_id: int, *, now: datetime) -> None:
    """Forget a party and all who are the same person. Raises Refused(still_open)."""
    db.run(
        lambda session: forgetting.forget_rows(
            session, get_person(session, party_id), actor="Ada", role="admin", told={}, now=now
        )
    )
