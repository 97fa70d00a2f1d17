"""Export and erase a person in one action, and keep the proof (GDPR, articles 15, 17 and 20).

In words: everything that is known is packed into a file, then goes or is emptied, and a row says that it was done: by whom, on
what request, how many rows of each table, which papers the law keeps until when, and the hash of the file. All of it is one
transaction. Whose it was stands nowhere: an e-mail that is typed is hashed with the secret key and compared. The file waits for
a week at most to be handed over; it is deleted as soon as somebody says that it was.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import audit
from backoffice.config import Settings
from backoffice.crm import parties
from backoffice.crm.models import Party
from backoffice.db import Database
from backoffice.erp.models import Invoice
from backoffice.privacy import forgetting, handing_out, telling
from backoffice.privacy.models import HOW, ErasedMark, ErasedParty, Erasure
from backoffice.privacy.person import Person, find_telephone, get_person
from backoffice.public.errors import BadInput, NotFound

WAITS = timedelta(days=7)  # for the export to be handed over


@dataclass(frozen=True, slots=True)
class Asked:
    """On what request, and who does it. how: one of models.HOW; on: the day that it reached us."""

    how: str
    on: date
    actor: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class House:
    """What an erasure needs of the settings. mails: the folder that mails are written to; invoice_years: how long the law
    wants an invoice kept, counted from the end of its year.
    """

    secret_key: str
    mails: Path
    invoice_years: int

    @classmethod
    def of(cls, settings: Settings) -> House:
        """Return it as these settings have it."""
        return cls(settings.secret_key, settings.mail_path, settings.invoice_years)


def erase(db: Database, party_id: int, asked: Asked, house: House, *, now: datetime) -> int:
    """Export and erase whoever a party is; return the number of the erasure, of two at once the same.

    Raises NotFound(unknown_record), Refused(not_a_person | still_open), BadInput(invalid_form, how | on): then nothing changed.
    """
    _require_request(asked, now)
    with db.read() as session:
        if (known := find_erasure_of(session, party_id)) is not None:
            return known
        person = get_person(session, party_id)
        forgetting.require_done(session, person)
    # before the rows go, for afterwards nobody knows whose they were; and after, for one may just have been on its way
    forgetting.delete_mails(house.mails, person.emails)
    erasure_id = db.run(lambda session: erase_rows(session, party_id, asked, house, now=now))
    forgetting.delete_mails(house.mails, person.emails)
    _clear_pages(db)
    return erasure_id


def erase_rows(session: Session, party_id: int, asked: Asked, house: House, *, now: datetime) -> int:
    """Do it to the rows, in one transaction. Raises as `erase`."""
    person = get_person(session, party_id)
    if (known := find_erasure_of(session, party_id)) is not None:  # asked again now that their row is locked
        return known
    forgetting.require_done(session, person)
    if session.get_bind().dialect.name == "sqlite":
        session.execute(
            sa.text("PRAGMA secure_delete=ON")
        )  # what goes is written over, also where the library does not by itself
    known_of_them = telling.tell(session, party_id)
    file = handing_out.pack(known_of_them, language=session.get_one(Party, person.party_id).language, now=now)
    kept = find_kept(session, person, house.invoice_years)
    erasure = Erasure(
        at=now,
        actor=asked.actor,
        role=asked.role,
        asked_how=asked.how,
        asked_on=asked.on,
        counts={},
        kept=kept,
        export_hash=handing_out.hash_of(file),
        export=file,
        export_until=now + WAITS,
    )
    session.add(erasure)
    session.flush()
    erasure_id = erasure.id
    session.add_all(ErasedParty(party_id=one, erasure_id=erasure_id) for one in person.party_ids)
    session.add_all(ErasedMark(mark=one, erasure_id=erasure_id) for one in marks_of(person, house.secret_key))
    session.flush()
    told = {"erasure": erasure_id, "export": erasure.export_hash, "papers": len(kept)}
    counts = forgetting.forget_rows(session, person, actor=asked.actor, role=asked.role, told=told, now=now)
    session.execute(sa.update(Erasure).where(Erasure.id == erasure_id).values(counts=dict(counts)))
    return erasure_id


def _clear_pages(db: Database) -> None:
    """Let SQLite write its log into its file at once: the log still holds the pages of before. Who reads meanwhile is not
    waited for long. (PostgreSQL does the same by itself, when it vacuums.)
    """
    if not db.is_sqlite:
        return
    with db.engine.connect() as connection:
        for statement in ("COMMIT", "PRAGMA busy_timeout=500", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA busy_timeout=10000"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("BEGIN")


def find_kept(session: Session, person: Person, years: int) -> list[dict[str, str]]:
    """Return the papers that the law keeps, each with its last day: `years` from the end of its own."""
    papers = sa.select(Invoice.number, Invoice.issued_on).where(Invoice.order_ref.in_(person.order_numbers)).order_by(Invoice.id)
    return [{"number": number, "until": date(on.year + years, 12, 31).isoformat()} for number, on in session.execute(papers)]


def find_erasure_of(session: Session, party_id: int) -> int | None:
    """Return the erasure that emptied a party; None: it was not."""
    return session.scalar(sa.select(ErasedParty.erasure_id).where(ErasedParty.party_id == party_id))


def get_erasure(session: Session, erasure_id: int) -> Erasure:
    """Return the proof. Raises NotFound(unknown_record)."""
    erasure = session.get(Erasure, erasure_id)
    if erasure is None:
        raise NotFound("unknown_record")
    return erasure


def find_erased(session: Session, typed: str, secret_key: str) -> Sequence[Erasure]:
    """Return the erasures of whoever had this e-mail or telephone, the newest first."""
    marks = [mark(secret_key, "phone", key) for key in [find_telephone(session, typed)] if key]
    try:
        marks.append(mark(secret_key, "email", parties.normalise_email(typed)))
    except BadInput:
        if not marks:
            return []
    theirs = sa.select(ErasedMark.erasure_id).where(ErasedMark.mark.in_(marks))
    return session.scalars(sa.select(Erasure).where(Erasure.id.in_(theirs)).order_by(Erasure.id.desc())).all()


def find_last(session: Session, *, limit: int = 50) -> Sequence[Erasure]:
    """Return the last erasures, the newest first."""
    without = sa.orm.defer(Erasure.export)
    return session.scalars(sa.select(Erasure).options(without).order_by(Erasure.id.desc()).limit(limit)).all()


def drop_export(session: Session, erasure_id: int, *, actor: str, role: str, now: datetime) -> bool:
    """Delete the file that was handed over; False: it had gone before. Raises NotFound(unknown_record)."""
    get_erasure(session, erasure_id)
    waits = sa.update(Erasure).where(Erasure.id == erasure_id, Erasure.export.is_not(None))
    gone = session.scalars(waits.values(export=None, export_until=None).returning(Erasure.id)).all()
    if gone:
        audit.record(session, "person.handed_over", f"erasure:{erasure_id}", actor=actor, role=role, now=now)
    return bool(gone)


def drop_exports(session: Session, *, now: datetime) -> int:
    """Delete the files that waited too long; return how many."""
    old = sa.update(Erasure).where(Erasure.export_until <= now).values(export=None, export_until=None)
    return len(session.scalars(old.returning(Erasure.id)).all())


def marks_of(person: Person, secret_key: str) -> Sequence[str]:
    """Return the keyed hashes of all by which somebody can be asked for."""
    return sorted(
        [mark(secret_key, "email", one) for one in person.emails] + [mark(secret_key, "phone", one) for one in person.telephones]
    )


def mark(secret_key: str, kind: str, value: str) -> str:
    """Return a keyed hash of an e-mail or of a telephone as it is looked for. kind: email | phone."""
    return hmac.new(secret_key.encode(), f"erased:{kind}:{value}".encode(), hashlib.sha256).hexdigest()


def _require_request(asked: Asked, now: datetime) -> None:
    wrong = {}
    if asked.how not in HOW:
        wrong["how"] = "bad_choice"
    if asked.on > now.date() + timedelta(days=1):  # tomorrow's date is today's in some places
        wrong["on"] = "bad_date"
    if wrong:
        raise BadInput("invalid_form", wrong)
