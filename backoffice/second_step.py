"""The second step at log-in: six digits that somebody's phone computes (TOTP, RFC 6238), or a recovery code.

The phone's key is stored nowhere: it is derived from the server's secret and a nonce, as order links are, so whoever takes
the database alone computes no code. Each code counts once: its number in time must be later than the last one's, compared
in SQL, so that of two who send the same code at one moment one is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from backoffice import audit
from backoffice.db import Base, BigId
from backoffice.erp.models import Staff
from backoffice.public.errors import BadInput, Refused

DIGITS, STEP_SECONDS = 6, 30  # what every authenticator app takes for granted
DRIFT = 1  # steps that a phone's clock may be off, either way
RECOVERY_CODES = 10
RECOVERY_LETTERS = 16  # of base 32: 80 random bits, which need no slow hash


class SecondStep(Base):
    """Somebody's phone. last_counter: number in time (30 s each) of the last code that was used."""

    __tablename__ = "second_step"

    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    nonce: Mapped[str]
    last_counter: Mapped[int]
    set_up_at: Mapped[datetime]


class RecoveryCode(Base):
    """What lets somebody in whose phone is lost, once."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    staff_id: Mapped[int] = mapped_column(sa.ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    used_at: Mapped[datetime | None]


def new_nonce() -> str:
    """Return what a new phone's key is derived from."""
    return secrets.token_urlsafe(20)


def key_of(secret_key: str, staff_id: int, nonce: str) -> bytes:
    """Return the key (20 bytes) of somebody's phone."""
    text = f"second-step:{staff_id}:{nonce}".encode()
    return hmac.new(secret_key.encode(), text, hashlib.sha256).digest()[:20]


def in_letters(key: bytes) -> str:
    """Return a key as people type it into an app."""
    return b32encode(key).decode().rstrip("=")


def address(key: bytes, *, who: str, house: str) -> str:
    """Return the `otpauth:` address that an app reads from a square code."""
    named = urlencode({"secret": in_letters(key), "issuer": house}, quote_via=quote)
    return f"otpauth://totp/{quote(house)}:{quote(who)}?{named}"


def counter_at(now: datetime) -> int:
    """Return the number in time of the code of an instant."""
    return int(now.timestamp()) // STEP_SECONDS


def code_of(key: bytes, counter: int) -> str:
    """Return the code of a number in time (RFC 4226, section 5.3)."""
    digest = hmac.new(key, counter.to_bytes(8, "big"), "sha1").digest()
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def normalise(typed: str) -> str:
    """Return what was typed as it is compared: the one place that spaces, dashes, case and other scripts' digits go through."""
    plain = unicodedata.normalize("NFKC", typed[:100]).upper()
    return "".join(one for one in plain if one.isalnum() and one.isascii())


def is_set_up(session: Session, staff_id: int) -> bool:
    """Tell whether somebody logs in in two steps."""
    return session.scalar(sa.select(SecondStep.staff_id).where(SecondStep.staff_id == staff_id)) is not None


def find_all(session: Session) -> set[int]:
    """Return the numbers of those who log in in two steps."""
    return set(session.scalars(sa.select(SecondStep.staff_id)))


def set_up(session: Session, staff: Staff, nonce: str, typed: str, *, secret_key: str, now: datetime) -> list[str]:
    """Begin to ask for codes once the phone shows the right one; return the recovery codes, which are shown this once.

    Raises Refused(code_set_up) where there is a phone already, BadInput(invalid_form, code).
    """
    if session.get(Staff, staff.id, with_for_update=True) is None or is_set_up(session, staff.id):
        raise Refused("code_set_up")
    counter = _find_counter(key_of(secret_key, staff.id, nonce), normalise(typed), now)
    if counter is None:
        raise BadInput("invalid_form", {"code": "wrong_code"})
    session.add(SecondStep(staff_id=staff.id, nonce=nonce, last_counter=counter, set_up_at=now))
    _note(session, "second_step.set_up", staff.id, staff.email, staff.role, now)
    return _write_recovery_codes(session, staff.id)


def renew_recovery_codes(session: Session, staff: Staff, *, now: datetime) -> list[str]:
    """Take the recovery codes back and return new ones, shown this once. Raises Refused(code_not_set_up)."""
    if not is_set_up(session, staff.id):
        raise Refused("code_not_set_up")
    _note(session, "second_step.new_codes", staff.id, staff.email, staff.role, now)
    return _write_recovery_codes(session, staff.id)


def count_recovery_codes(session: Session, staff_id: int) -> int:
    """Return how many recovery codes are left."""
    left = sa.select(sa.func.count()).where(RecoveryCode.staff_id == staff_id, RecoveryCode.used_at.is_(None))
    return session.scalar(left) or 0


def use(session: Session, staff: Staff, typed: str, *, secret_key: str, now: datetime) -> bool:
    """Take a code of the phone or a recovery code, each once; False: it is neither, or was used before."""
    code = normalise(typed)
    if len(code) == DIGITS:
        return _use_phone(session, staff.id, code, secret_key, now)
    if len(code) != RECOVERY_LETTERS or not _use_recovery_code(session, staff.id, code, now):
        return False
    _note(session, "second_step.recovery_code", staff.id, staff.email, staff.role, now)
    return True


def reset(session: Session, staff_id: int, *, by: str, role: str, now: datetime) -> Staff:
    """Forget somebody's phone and recovery codes, and end their sessions: at the next log-in they set up another.

    Raises Refused(own_second_step | code_not_set_up).
    """
    staff = session.get(Staff, staff_id, populate_existing=True, with_for_update=True)
    if staff is None or not is_set_up(session, staff_id):
        raise Refused("code_not_set_up")
    if staff.email == by:
        raise Refused("own_second_step")  # whoever finds a desk open must not take the lock off it
    for table in (RecoveryCode, SecondStep):
        session.execute(sa.delete(table).where(table.staff_id == staff_id))
    staff.session_nonce = secrets.token_urlsafe(16)
    session.flush()
    _note(session, "second_step.reset", staff_id, by, role, now)
    return staff


def _use_phone(session: Session, staff_id: int, code: str, secret_key: str, now: datetime) -> bool:
    row = session.get(SecondStep, staff_id, populate_existing=True)
    counter = _find_counter(key_of(secret_key, staff_id, row.nonce), code, now) if row else None
    used = (
        sa.update(SecondStep)
        .where(SecondStep.staff_id == staff_id, SecondStep.last_counter < (counter or 0))
        .values(last_counter=counter or 0)
        .returning(SecondStep.staff_id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(used).scalar_one_or_none() is not None


def _use_recovery_code(session: Session, staff_id: int, code: str, now: datetime) -> bool:
    row = RecoveryCode
    used = (
        sa.update(row)
        .where(row.staff_id == staff_id, row.code_hash == _hash(code), row.used_at.is_(None))
        .values(used_at=now)
        .returning(row.id)
        .execution_options(synchronize_session=False)
    )
    return session.execute(used).scalar_one_or_none() is not None


def _find_counter(key: bytes, code: str, now: datetime) -> int | None:
    here, found = counter_at(now), None
    for counter in range(here - DRIFT, here + DRIFT + 1):  # all of them, so that the time tells nothing
        if hmac.compare_digest(code_of(key, counter), code):
            found = counter
    return found


def _write_recovery_codes(session: Session, staff_id: int) -> list[str]:
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    codes = [b32encode(secrets.token_bytes(RECOVERY_LETTERS * 5 // 8)).decode() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(staff_id=staff_id, code_hash=_hash(code)) for code in codes)
    session.flush()
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _note(session: Session, action: str, staff_id: int, by: str, role: str, now: datetime) -> None:
    audit.record(session, action, f"staff:{staff_id}", actor=by, role=role, now=now)
