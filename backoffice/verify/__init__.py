"""Does everything still add up? Each rule is one question to the database that finds only what breaks it.

The rules are those that no single constraint can hold: figures that are kept twice, and rows of two tables that must know of
each other. What a constraint forbids is not asked again. The numbers (I1 …) name the rule in logs, docs and tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from backoffice.audit import AuditChain
from backoffice.db import Database
from backoffice.verify import changes, clocks, goods, messages, money, people, promises
from backoffice.verify.models import Verification

RULES = (*goods.RULES, *money.RULES, *messages.RULES, *promises.RULES, *clocks.RULES, *people.RULES, *changes.RULES)
MOST_KEPT = 200  # lines
KEPT_FOR = timedelta(days=31)
log = structlog.get_logger("shopfloor.verify")


def breaches(session: Session, *, now: datetime) -> Sequence[str]:
    """Return one line for each breach of a rule; empty when everything adds up."""
    return [line for rule in RULES for line in rule.lines(session, now)]


def verify(db: Database, *, now: datetime) -> int:
    """Write each breach into the log, as an error, and what was found into the database; return how many."""
    with db.read() as session:
        end = session.get(AuditChain, 1)
        found = breaches(session, now=now)
    if end is not None:  # a copy outside of the database: who cuts the chain's end off cannot cut the log
        log.info("record_of_changes", number=end.number, hash=end.hash)
    for line in found:
        log.error("does_not_add_up", breach=line)
    db.run(lambda session: _keep(session, found, now))
    return len(found)


def find_last(session: Session) -> Verification | None:
    """Return the last check that was written down."""
    return session.scalar(sa.select(Verification).order_by(Verification.at.desc(), Verification.id.desc()).limit(1))


def _keep(session: Session, found: Sequence[str], now: datetime) -> None:
    session.add(Verification(at=now, found=len(found), breaches=list(found[:MOST_KEPT])))
    session.execute(sa.delete(Verification).where(Verification.at < now - KEPT_FOR))
