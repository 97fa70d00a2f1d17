"""The plan's version: one row that every change of supply, capacity or commitments raises.

A commit that needs the plan raises it first: the row lock makes planners queue, so that two of them never see the same
free minute. Orders from stock never touch it: the stock row's own condition guards them.
"""

from __future__ import annotations

import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from backoffice.db import VERSIONS, table_of
from backoffice.erp.models import PlanDomain

DOMAIN = 1
MASTER = "master"  # where a session keeps the master data that it has read
OFFERS = 2  # a row of its own: whoever computes offers must not queue with planners
LOG = 3  # its version is the number of the last decision: see erp.decisions


_OF = table_of(PlanDomain).c
_READ = sa.select(_OF.id, _OF.version, _OF.master_version)


def version(session: Session) -> int:
    """Return the plan's version as of the session's first look at it, and again after it was raised here."""
    return _versions(session)[0]


def master_version(session: Session) -> int:
    """Return the token of the master data (items, BOMs, routings, calendars, work centres, stops, warehouses, zones, the
    company): another after each change."""
    return _versions(session)[1]


def offers_version(session: Session) -> int:
    """Return the version of what pages show of offers, as of the session's first look."""
    return _versions(session)[2]


def _versions(session: Session) -> tuple[int, int, int]:
    """Return the versions of plan, master data and offers."""
    known: tuple[int, int, int] | None = session.info.get(VERSIONS)
    if known is None:
        rows = session.execute(_READ)
        found = {row.id: (row.version, row.master_version) for row in rows}
        known = (*found.get(DOMAIN, (0, 0)), found.get(OFFERS, (0, 0))[0])
        session.info[VERSIONS] = known
    return known


_ALL = table_of(PlanDomain)
SEEN = (
    sa.select(_ALL.c.version).where(_ALL.c.id == DOMAIN).scalar_subquery().label("plan_version"),
    sa.select(_ALL.c.master_version).where(_ALL.c.id == DOMAIN).scalar_subquery().label("master_version"),
    sa.select(_ALL.c.version).where(_ALL.c.id == OFFERS).scalar_subquery().label("offers_version"),
)
"""Columns for the first statement of a hot page that only reads: give what they tell to `note`, and nothing asks again."""


def note(session: Session, seen: sa.Row[Any]) -> None:
    """Take the versions from a row that was read with `SEEN`, unless the session has looked before."""
    session.info.setdefault(VERSIONS, (seen.plan_version or 0, seen.master_version or 0, seen.offers_version or 0))


_RAISE = (
    sa.update(PlanDomain)
    .where(PlanDomain.id == DOMAIN)
    .values(version=PlanDomain.version + 1)
    .returning(PlanDomain.version, PlanDomain.master_version)
    .execution_options(synchronize_session=False)
)
_RAISE_MASTER = _RAISE.values(master_version=sa.bindparam("token", type_=sa.BigInteger))


def bump(session: Session, *, master: bool = False) -> int:
    """Raise the plan's version and keep its row locked until the transaction ends; return the new version."""
    # a fresh token, not the next number: one that was rolled back must never come again for other data
    token = secrets.randbits(62)
    raised = session.execute(_RAISE_MASTER, {"token": token}).first() if master else session.execute(_RAISE).first()
    session.info.pop(MASTER, None)  # whoever held the row before us may have changed it
    if raised is None:
        session.add(PlanDomain(id=DOMAIN, version=1, master_version=token))
        session.flush()
    session.info[VERSIONS] = (*(raised or (1, token)), offers_version(session))
    return version(session)


def raise_from(session: Session, known: int) -> bool:
    """Raise the version as `bump` does, if it still is the one `known`; tell whether it was."""
    raised = session.scalar(
        sa.update(PlanDomain)
        .where(PlanDomain.id == DOMAIN, PlanDomain.version == known)
        .values(version=PlanDomain.version + 1)
        .returning(PlanDomain.version)
        .execution_options(synchronize_session=False)
    )
    session.info.pop(MASTER, None)
    return raised is not None


def raise_offers(session: Session) -> None:
    """Say that what pages show of offers is no longer what it was. The row stays locked until the transaction ends."""
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    row = insert(PlanDomain).values(id=OFFERS, version=1, master_version=0)
    session.execute(row.on_conflict_do_update(index_elements=["id"], set_={"version": PlanDomain.version + 1}))
    session.info.pop(VERSIONS, None)
