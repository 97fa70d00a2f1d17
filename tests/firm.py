"""A company that buys: its people with log-ins and roles, its limit, its price list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.crm import companies, links, parties, terms
from backoffice.crm.models import Account, AccountSession
from backoffice.db import Database
from backoffice.erp.models import Staff
from backoffice.passwords import make_hash
from tests.conftest import NOW

PASSWORD = "a long pass phrase"


@dataclass(frozen=True, slots=True)
class Firm:
    """A company. people: name → (party, the secret of a log-in)."""

    id: int
    people: dict[str, tuple[int, str]]
    by: Any

    def token(self, name: str) -> str:
        """Return the secret of somebody's log-in."""
        return self.people[name][1]


def clerk(session: Session, *, email: str = "bea@werk.test") -> Any:
    """Return a colleague who changes things, written down once."""
    row = session.scalars(sa.select(Staff).where(Staff.email == email)).one_or_none()
    if row is None:
        row = Staff(email=email, name="Bea", password_hash="x", role="admin", session_nonce="n", created_at=NOW)
        session.add(row)
        session.flush()
    return SimpleNamespace(id=row.id, name=row.name, email=row.email, role=row.role)


def found(
    db: Database,
    *,
    now: datetime,
    limit: int = 20_000,
    days: int = 14,
    name: str = "Nordlicht GmbH",
    domain: str = "nordlicht.test",
    roles: dict[str, str] | None = None,
    password: str = "",
) -> Firm:
    """Write a company down with its people. roles: name → role; password: with which they can log in by hand."""

    def work(session: Session) -> Firm:
        by = clerk(session)
        company = companies.found(session, name, country="DE", by=by, now=now)
        people = {}
        for who, role in (roles or {"Ann": "buyer", "Ben": "buyer"}).items():
            email = f"{who.lower()}@{domain}"
            party = parties.find_or_create(session, email=email, name=who, phone="", language="en", now=now)
            companies.join(session, party.id, company.id, by=by, now=now)
            terms.set_role(session, party.id, company.id, role, by=by, now=now)
            people[who] = (party.id, log_in(session, party.id, email, who, now=now, password=password))
        terms.set_terms(session, company.id, limit, due_days=days, pause_overdue=True, by=by, now=now)
        return Firm(company.id, people, by)

    return db.run(work)


def log_in(session: Session, party_id: int, email: str, name: str, *, now: datetime, password: str = "") -> str:
    """Give somebody an account and log them in; return the secret."""
    account = Account(
        party_id=party_id,
        email=email,
        name=name,
        password_hash=make_hash(password) if password else "x",
        language="en",
        active=True,
        created_at=now,
        confirmed_at=now,
    )
    session.add(account)
    session.flush()
    token = links.new_token()
    times = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(days=90)}
    session.add(AccountSession(account_id=account.id, token_hash=links.hash_token(token), device="", **times))
    session.flush()
    return token
