"""A limit on guessing that holds across processes: how often somebody tried, counted in the database."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from backoffice.db import Base

TRIES = 10
WINDOW = timedelta(minutes=5)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LONGEST = DAY  # of any window


class LoginThrottle(Base):
    """Tries of one caller (an address, of IPv6 its /64) with one name (as a hash) since `since_at`.

    A log-in that works removes the row.
    """

    __tablename__ = "login_throttle"

    who: Mapped[str] = mapped_column(primary_key=True)
    tries: Mapped[int]
    since_at: Mapped[datetime]


def may_try(session: Session, address: str, name: str, *, tries: int = TRIES, now: datetime, window: timedelta = WINDOW) -> bool:
    """Count one try of this network address with this name; False after `tries` within 5 minutes, or another window.

    The count is one conditional update, so many processes share one limit.
    """
    return find_wait(session, address, name, tries=tries, now=now, window=window) is None


def find_wait(
    session: Session, address: str, name: str, *, tries: int = TRIES, now: datetime, window: timedelta = WINDOW
) -> timedelta | None:
    """Count one try as `may_try` does; return how long to wait where it was one too many, else None."""
    who = _who(address, name)
    if _count(session, who, now, window) is None:
        try:
            with session.begin_nested():
                session.add(LoginThrottle(who=who, tries=1, since_at=now))
        except IntegrityError:
            _count(session, who, now, window)  # somebody else began the window between our look and our insert
    row = LoginThrottle
    count, since_at = session.execute(sa.select(row.tries, row.since_at).where(row.who == who)).one()
    return None if count <= tries else max(since_at + window - now, timedelta(seconds=1))


def take_back(session: Session, address: str, name: str) -> None:
    """Take one try back that was none: it was right."""
    row = LoginThrottle
    back = sa.update(row).where(row.who == _who(address, name), row.tries > 0).values(tries=row.tries - 1)
    session.execute(back.execution_options(synchronize_session=False))


def network_of(address: str) -> str:
    """Return the network that an address shares with its neighbours (/24, of IPv6 /64): who has one of it has all."""
    found = _read(address)
    if isinstance(found, IPv4Address):
        return str(IPv4Network((int(found), 24), strict=False))
    return _caller_of(address)


def forget_tries(session: Session, address: str, name: str, *, now: datetime) -> None:
    """Start counting anew after a log-in that worked, and drop what no longer counts for anybody."""
    row = LoginThrottle
    old = sa.or_(row.who == _who(address, name), row.since_at <= now - LONGEST)
    session.execute(sa.delete(row).where(old))


def _count(session: Session, who: str, now: datetime, window: timedelta) -> int | None:
    row = LoginThrottle
    over = row.since_at <= now - window
    counted = (
        sa.update(row)
        .where(row.who == who)
        .values(tries=sa.case((over, 1), else_=row.tries + 1), since_at=sa.case((over, now), else_=row.since_at))
        .returning(row.tries)
        .execution_options(synchronize_session=False)
    )
    return session.execute(counted).scalar_one_or_none()


def _read(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _caller_of(address: str) -> str:
    """Return who calls from an address: of IPv6 its /64, as the whole of it is one line's; what is no address, as it is."""
    found = _read(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), 64), strict=False))
    return address if found is None else str(found)


def _who(address: str, name: str) -> str:
    return hashlib.sha256(f"{_caller_of(address)}\n{name.strip().lower()}".encode(errors="replace")).hexdigest()
