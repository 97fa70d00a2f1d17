"""The timeline: the one history of what happened between a party and us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Activity
from backoffice.db import write_rows


def record(
    session: Session,
    party_id: int,
    kind: str,
    *,
    text: str = "",
    lead_id: int | None = None,
    case_id: int | None = None,
    order_ref: str | None = None,
    actor: str = "",
    values: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Add one entry. kind: see crm.models.Activity; actor: who of ours did it, empty for the customer or the system.

    values: what the words of its kind need (an amount, a day), so that each reader gets them in their language.
    """
    of = {"lead_id": lead_id, "case_id": case_id, "order_ref": order_ref}
    record_all(session, [entry(party_id, kind, text=text, **of, actor=actor, values=values, now=now)])  # type: ignore[arg-type] # a mixed dict


def entry(
    party_id: int,
    kind: str,
    *,
    text: str = "",
    lead_id: int | None = None,
    case_id: int | None = None,
    order_ref: str | None = None,
    actor: str = "",
    values: Mapping[str, Any] | None = None,
    now: datetime,
) -> Activity:
    """Return an entry for `record_all`; what it is given means the same as in `record`."""
    return Activity(
        party_id=party_id,
        kind=kind,
        text=text,
        lead_id=lead_id,
        case_id=case_id,
        order_ref=order_ref,
        actor=actor,
        values=dict(values or {}),
        at=now,
    )


def record_all(session: Session, entries: Sequence[Activity]) -> None:
    """Add entries, in their order, in one statement."""
    write_rows(session, entries)


def find_entries(session: Session, party_id: int, *, limit: int = 200) -> Sequence[Activity]:
    """Return a party's entries, newest first, at most `limit`."""
    query = sa.select(Activity).where(Activity.party_id == party_id).order_by(Activity.at.desc(), Activity.id.desc()).limit(limit)
    return session.execute(query).scalars().all()
