"""Is the process alive, and is everything it needs there?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from backoffice import migrate
from backoffice.bridge.models import Heartbeat, OutboxMessage
from backoffice.bridge.outbox import STUCK_AFTER
from backoffice.db import Database
from backoffice.erp.models import Offer

OLDEST_HEARTBEAT = timedelta(seconds=60)
OLDEST_FIGURES = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Part:
    """Something the site needs. age: whole seconds, where the part has one."""

    ready: bool
    age: int | None = None
    problem: str = ""

    def as_json(self) -> dict[str, object]:
        """Return what /readyz says about it."""
        age = {} if self.age is None else {"age_seconds": self.age}
        return {"ready": self.ready} | age | ({"problem": self.problem} if self.problem else {})


def check(db: Database, now: datetime) -> Mapping[str, Part]:
    """Return each part of readiness by name: database, migrations, worker, stock, outbox."""
    try:
        with db.read() as session:
            return {
                "database": Part(True),
                "migrations": _migrations(session),
                "worker": _worker(session, now),
                "stock": _stock(session, now),
                "outbox": _outbox(session, now),
            }
    except SQLAlchemyError:
        return {"database": Part(False, problem="the database does not answer, or its tables are not there")}


def blueprint(db: Database, clock: Callable[[], datetime]) -> Blueprint:
    """Make /healthz (the process lives) and /readyz (503 and which part is missing, unless all are there)."""
    pages = Blueprint("health", __name__)

    @pages.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @pages.get("/readyz")
    def readyz() -> Response:
        parts = check(db, clock())
        ready = all(part.ready for part in parts.values())
        answer = jsonify(ready=ready, parts={name: part.as_json() for name, part in parts.items()})
        answer.status_code = 200 if ready else 503
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return pages


def _migrations(session: Session) -> Part:
    at, head = migrate.find_revision(session.connection()), migrate.head()
    return Part(at == head, problem="" if at == head else f"the database is at {at or 'nothing'}, the program at {head}")


def _worker(session: Session, now: datetime) -> Part:
    last = session.scalar(sa.select(sa.func.max(Heartbeat.at)))
    if last is None:
        return Part(False, problem="no worker has run yet: start `shopfloor worker`")
    ready = now - last <= OLDEST_HEARTBEAT
    return Part(ready, _seconds(now - last), "" if ready else "no worker is running: start `shopfloor worker`")


def _stock(session: Session, now: datetime) -> Part:
    """The figures that pages show are as old as the oldest offer that is past its time and not yet refreshed."""
    oldest = session.scalar(sa.select(sa.func.min(Offer.valid_until)).where(Offer.valid_until < now))
    age = timedelta() if oldest is None else now - oldest
    ready = age <= OLDEST_FIGURES
    return Part(ready, _seconds(age), "" if ready else "offers are overdue for a refresh")


def _outbox(session: Session, now: datetime) -> Part:
    """Messages that wait too long, or were given back, need a person; the shop is ready without them."""
    waiting = sa.select(sa.func.min(OutboxMessage.created_at), sa.func.count()).where(
        sa.or_(
            OutboxMessage.state == "dead",
            sa.and_(OutboxMessage.state == "pending", OutboxMessage.created_at < now - STUCK_AFTER),
        )
    )
    oldest, count = session.execute(waiting).one()
    if not count:
        return Part(True)
    return Part(True, _seconds(now - oldest), f"{count} messages are stuck or undeliverable: see Outgoing at the desk")


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())
