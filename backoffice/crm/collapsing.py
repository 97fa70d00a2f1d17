"""Whose message it is, and whether it is about what waits already: duplicates become one, unless they contradict.

In words: an e-mail is one person. A telephone is one only while the names agree and there are not two e-mails; else
both stay, linked as "perhaps the same", and a colleague decides. An open lead of the same person about the same thing takes the
new message; what they typed is in the timeline, whatever became of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import parties, telephones, timeline
from backoffice.crm.answer_time import answer_due
from backoffice.crm.lead_forms import CheckedLead
from backoffice.crm.models import Activity, Lead, Party, PerhapsSame
from backoffice.public.errors import BadInput, NotFound

MOST_TWINS = 5  # a switchboard is everybody's telephone
WAITING = ("new", "working", "answered")
KEPT = ("quantity", "needed_by_on", "postcode", "company")
CAME_BY = ("source", "medium", "campaign", "landing")


def names_agree(one: Party, name: str) -> bool:
    """Tell whether a name may be this party's: letter by letter but for case and spaces, or one of the two is not known."""
    known = "" if one.name in (one.email, one.phone) else one.name
    return not known.strip() or not name.strip() or _plain(known) == _plain(name)


def whose(session: Session, checked: CheckedLead, *, now: datetime) -> Party:
    """Return who wrote: of the e-mail; else somebody of the same telephone and name without one; else new."""
    key = telephones.key_here(session, checked.phone, checked.country)
    known = session.scalar(sa.select(Party.id).where(Party.email == checked.email))
    if known is None and key and checked.name.strip() and not checked.doubtful:
        same = [one for one in _of_telephone(session, key) if one.email is None and _plain(one.name) == _plain(checked.name)]
        if len(same) == 1:
            _claim(session, same[0], checked.email, now)
    party = parties.find_or_create(
        session,
        email=checked.email,
        name=checked.name,
        phone=checked.phone,
        language=checked.language,
        source=checked.source,
        campaign=checked.campaign,
        now=now,
    )
    session.flush()
    if key and party.phone == checked.phone and party.phone_key != key:
        party.phone_key = key
    if key and not checked.doubtful:
        link_twins(session, party, key, now=now)
    return party


def who_calls(session: Session, *, name: str, phone: str, language: str, country: str, now: datetime) -> Party:
    """Return who calls without an e-mail: the one of this telephone whose name agrees; of several, or nobody, a new one."""
    key = telephones.key_here(session, phone, country)
    of_telephone = _of_telephone(session, key) if key else _as_typed(session, phone, name)
    same = [one for one in of_telephone if names_agree(one, name)]
    if len(same) == 1:
        # locked, so that nobody forgets them (see introducing) before this enquiry is theirs
        return session.scalars(sa.select(Party).where(Party.id == same[0].id).with_for_update(read=True, key_share=True)).one()
    party = Party(name=name or phone, phone=phone, phone_key=key, language=language, source="phone", facts={}, created_at=now)
    session.add(party)
    session.flush()
    if key:
        link_twins(session, party, key, now=now)
    return party


def link_twins(session: Session, party: Party, key: str, *, now: datetime) -> None:
    """Link a party with others of the same telephone, once each, for a colleague to decide; nobody is merged."""
    others = [one for one in _of_telephone(session, key) if one.id != party.id][:MOST_TWINS]
    if not others:
        return
    pairs = {(min(party.id, one.id), max(party.id, one.id)) for one in others}
    found = sa.select(PerhapsSame.low_id, PerhapsSame.high_id).where(
        sa.or_(PerhapsSame.low_id == party.id, PerhapsSame.high_id == party.id)
    )
    known = {(row.low_id, row.high_id) for row in session.execute(found)}
    for low_id, high_id in sorted(pairs - known):
        session.add(PerhapsSame(low_id=low_id, high_id=high_id, found_at=now))
        other = high_id if low_id == party.id else low_id
        timeline.record(session, party.id, "perhaps_same", values={"party": other}, now=now)
    session.flush()


def find_twins(session: Session, party_id: int) -> Sequence[tuple[PerhapsSame, Party]]:
    """Return who is perhaps the same as a party and was not found to be somebody else."""
    other = sa.case((PerhapsSame.low_id == party_id, PerhapsSame.high_id), else_=PerhapsSame.low_id)
    found = (
        sa.select(PerhapsSame, Party)
        .join(Party, Party.id == other)
        .where(sa.or_(PerhapsSame.low_id == party_id, PerhapsSame.high_id == party_id), PerhapsSame.verdict != "different")
        .order_by(PerhapsSame.id)
    )
    return [(row[0], row[1]) for row in session.execute(found)]


def decide(session: Session, pair_id: int, verdict: str, *, by: str, now: datetime) -> None:
    """Write down whether two are one person. Raises NotFound(unknown_record), BadInput(invalid_form, verdict)."""
    pair = session.get(PerhapsSame, pair_id)
    if pair is None:
        raise NotFound("unknown_record")
    if verdict not in ("same", "different"):
        raise BadInput("invalid_form", {"verdict": "bad_choice"})
    if pair.verdict == verdict:
        return
    pair.verdict, pair.decided_by, pair.decided_at = verdict, by, now
    for one, other in ((pair.low_id, pair.high_id), (pair.high_id, pair.low_id)):
        timeline.record(session, one, f"twin_{verdict}", values={"party": other}, actor=by, now=now)
    session.flush()


def find_open(session: Session, party: Party, checked: CheckedLead, order_ref: str | None) -> Lead | None:
    """Return what waits already of the same person about the same thing, to change it; None where name or telephone
    contradict it. A colleague who is saving it at this moment is waited for.
    """
    key = telephones.key_here(session, checked.phone, checked.country)
    if not names_agree(party, checked.name) or (key and party.phone_key and key != party.phone_key):
        return None
    states = ("quarantined",) if checked.doubtful else WAITING
    about = (
        Lead.party_id == party.id,
        Lead.kind == checked.kind,
        Lead.sku == checked.sku,
        Lead.order_ref.is_(None) if order_ref is None else Lead.order_ref == order_ref,
    )
    same_words = sa.and_(Lead.message == checked.message, Lead.state.in_(("new", "working", "quarantined")))
    found = sa.select(Lead).where(*about, sa.or_(Lead.state.in_(states), same_words))
    locked = found.order_by(Lead.id.desc()).limit(1).with_for_update().execution_options(populate_existing=True)
    return session.scalars(locked).first()


def take_in(session: Session, lead: Lead, checked: CheckedLead, *, now: datetime) -> None:
    """Let an open lead take a new message: nothing new is counted, anything else makes it due again."""
    new = {name: getattr(checked, name) for name in KEPT if getattr(checked, name) not in (None, "")}
    before = {name: getattr(lead, name) for name in new if getattr(lead, name) != new[name]}
    if lead.message == checked.message and not before and lead.state != "answered":
        _count_again(session, lead, now)
        return
    for name, value in new.items():
        setattr(lead, name, value)
    lead.message = checked.message or lead.message
    if lead.state == "answered":
        lead.state, lead.due_at = ("working" if lead.owner_id else "new"), answer_due(session, now)
        lead.follow_up_at = None
    lead.version += 1
    values = {"was": {name: _text(value) for name, value in before.items()}, "came_by": _came_by(checked)}
    timeline.record(
        session,
        lead.party_id,
        "message",
        text=checked.message,
        lead_id=lead.id,
        order_ref=lead.order_ref,
        values={name: value for name, value in values.items() if value},
        now=now,
    )
    session.flush()


def as_typed(party: Party, checked: CheckedLead) -> dict[str, Any]:
    """Return what was typed of a person and is not what is known of them: it is kept with the message."""
    typed = {"name": checked.name, "phone": checked.phone}
    return {name: text for name, text in typed.items() if text and text != getattr(party, name)}


def _count_again(session: Session, lead: Lead, now: datetime) -> None:
    """Count the same words once more in one entry, so that ten thousand of them are one line."""
    newest = sa.select(Activity).where(Activity.lead_id == lead.id).order_by(Activity.id.desc()).limit(1)
    entry = session.scalars(newest).first()
    if entry is not None and entry.kind == "repeated":
        entry.values, entry.at = {"times": int(entry.values["times"]) + 1}, now
        session.flush()
        return
    timeline.record(session, lead.party_id, "repeated", lead_id=lead.id, values={"times": 1}, now=now)


def _of_telephone(session: Session, key: str) -> Sequence[Party]:
    same = sa.select(Party).where(Party.kind == "person", Party.phone_key == key, Party.phone_key != "")
    return session.scalars(same.order_by(Party.id).limit(MOST_TWINS + 1)).all()


def _as_typed(session: Session, phone: str, name: str) -> Sequence[Party]:
    """Return those of what is no number to us, if both it and the name are just as they were typed before."""
    same = sa.select(Party).where(Party.kind == "person", Party.phone == phone, Party.phone != "", Party.name == name)
    return session.scalars(same.order_by(Party.id).limit(1)).all()


def _claim(session: Session, party: Party, email: str, now: datetime) -> None:
    """Write the e-mail of somebody down who called before; where a colleague was faster, it is left."""
    try:
        with session.begin_nested():
            mine = sa.update(Party).where(Party.id == party.id, Party.email.is_(None))
            session.execute(mine.values(email=email, version=Party.version + 1).execution_options(synchronize_session=False))
    except sa.exc.IntegrityError:
        return
    session.refresh(party)
    timeline.record(session, party.id, "introduced", text=email, now=now)


def _came_by(checked: CheckedLead) -> dict[str, str]:
    return {name: getattr(checked, name) for name in CAME_BY if getattr(checked, name)}


def _text(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value or "")


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
