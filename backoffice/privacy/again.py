"""After a backup was restored: whoever was erased since it was made is there again, and is erased again.

The list holds keyed hashes, no address. Kept with the backups, it says of each person whom the database has again whether they
were erased. Whom the database knows only since after their erasure came back as a customer, or with an order that was written
again: somebody looks (newer).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm.models import Account, Party
from backoffice.db import Database
from backoffice.privacy import erasing
from backoffice.privacy.erasing import Asked, House
from backoffice.privacy.models import ErasedMark, ErasedParty, Erasure
from backoffice.public.errors import BadInput, Refused


@dataclass(frozen=True, slots=True)
class Again:
    """What became of one line. outcome: known (the backup has it) | erased | nobody | still_open | newer. erasure: as listed."""

    erasure: int
    outcome: str
    party_id: int | None = None


def list_erasures(session: Session) -> Iterator[str]:
    """Yield a line of JSON for each erasure, the oldest first."""
    without = sa.orm.defer(Erasure.export)
    for one in session.scalars(sa.select(Erasure).options(without).order_by(Erasure.id)):
        parties = sa.select(ErasedParty.party_id).where(ErasedParty.erasure_id == one.id).order_by(ErasedParty.party_id)
        marks = sa.select(ErasedMark.mark).where(ErasedMark.erasure_id == one.id).order_by(ErasedMark.mark)
        told: dict[str, Any] = {
            "erasure": one.id,
            "at": one.at.isoformat(),
            "asked_how": one.asked_how,
            "asked_on": one.asked_on.isoformat(),
            "parties": session.scalars(parties).all(),
            "marks": session.scalars(marks).all(),
        }
        yield json.dumps(told)


def erase_again(db: Database, lines: Iterable[str], house: House, *, now: datetime) -> Iterator[Again]:
    """Erase whoever of a list the database has again; yield what became of each line. Raises BadInput(invalid_form, line)."""
    listed = [_read(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    with db.read() as session:
        known = set(session.scalars(sa.select(Erasure.at)))
        people = _marked(session, house.secret_key)
    for one in listed:
        if one["at"] in known:
            yield Again(one["erasure"], "known")
            continue
        found = {who: since for mark in one["marks"] for who, since in people.get(mark, ())}
        if not found:
            yield Again(one["erasure"], "nobody")
        for party_id, since in sorted(found.items()):
            outcome = "newer" if since >= one["at"] else _erase(db, party_id, one, house, now)
            yield Again(one["erasure"], outcome, party_id)


def _erase(db: Database, party_id: int, one: Mapping[str, Any], house: House, now: datetime) -> str:
    asked = Asked(one["asked_how"], one["asked_on"], "command")
    try:
        erasure_id = erasing.erase(db, party_id, asked, house, now=now)
    except Refused as error:
        return error.code
    # they have had their file
    db.run(lambda session: erasing.drop_export(session, erasure_id, actor="command", role="", now=now))
    return "erased"


def _marked(session: Session, secret_key: str) -> Mapping[str, list[tuple[int, datetime]]]:
    """Return mark → who has that e-mail, and since when we know them. A telephone is a household's: it tells nobody apart."""
    own = sa.select(Party.email, Party.id, Party.created_at).where(Party.kind == "person", Party.email.is_not(None))
    of_account = sa.select(Account.email, Party.id, Party.created_at).join(Party, Party.id == Account.party_id)
    people: dict[str, list[tuple[int, datetime]]] = {}
    for email, party_id, since in [*session.execute(own), *session.execute(of_account)]:
        people.setdefault(erasing.mark(secret_key, "email", (email or "").lower()), []).append((party_id, since))
    return people


def _read(number: int, line: str) -> Mapping[str, Any]:
    try:
        told = json.loads(line)
        days = {"at": datetime.fromisoformat(told["at"]), "asked_on": date.fromisoformat(told["asked_on"])}
        return {**told, **days, "erasure": int(told["erasure"]), "marks": [str(one) for one in told["marks"]]}
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput("invalid_form", {"line": str(number)}) from error
