"""What a web process does once it has made the site, before its first request."""

from __future__ import annotations

import gc
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from backoffice.db import Database
from backoffice.erp import snapshot
from backoffice.public.errors import ShopError
from backoffice.web import shedding

NEW_OBJECTS = 20_000  # between two looks for garbage; Python's own 700 means several in each request
log = structlog.get_logger("shopfloor.web")


def post_worker_init(worker: Any) -> None:
    """Read what is kept in memory, and let garbage be looked for seldom, and never among what lives as long as the process.

    docs/benchmarks.md says what it is worth. The name is gunicorn's: given as `--config python:backoffice.web.tuning` it calls
    this in each process.
    """
    services = worker.wsgi.extensions.get("shopfloor") if worker is not None else None
    if services is not None:
        read_ahead(services.db, now=services.clock())
        turn_away_what_is_too_much(worker)
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 50, 100)


def turn_away_what_is_too_much(worker: Any) -> None:
    """Let the site know how many requests wait for one of the process's threads."""
    standing = shedding.of(worker.wsgi)
    worker.standing, standing.threads = standing, worker.cfg.threads
    standing.waiting = worker.tpool._work_queue.qsize  # private, and the only word on it that the standard library has


def read_ahead(db: Database, *, now: datetime) -> None:
    """Fold the plan before somebody asks: with 10,000 open orders the first one would wait for seconds.

    A database that is away, or without a company yet, is no reason not to start: then whoever asks first reads it.
    """
    try:
        with db.read() as session:
            snapshot.prepare(session, None, now=now)
    except (SQLAlchemyError, ShopError) as error:
        log.warning("the plan could not be read ahead", error=type(error).__name__)
