"""Each request has an id and leaves one line in the log: what was asked by route, how it ended, how long it took.

Never in the log: the path (an order's link is a secret), query values, form values, who asked.
"""

from __future__ import annotations

import re
import time
from uuid import uuid4

import structlog
from flask import Flask, Response, g, request

WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{8,64}")
QUIET = frozenset({"health.healthz", "health.readyz"})
log = structlog.get_logger("shopfloor.web")


def install(app: Flask) -> None:
    """Give each request an id (the caller's, if well-formed) and log it when it is answered."""
    app.before_request(_begin)
    app.after_request(_end)


def route() -> str:
    """Return the pattern of the route asked for, never the address itself."""
    return request.url_rule.rule if request.url_rule else "-"


def id_of(given: str) -> str:
    """Return the id of a request: the one that it was given, if well-formed, else a new one."""
    return given if WELL_FORMED.fullmatch(given) else uuid4().hex


def _begin() -> None:
    g.request_id = id_of(request.headers.get("X-Request-Id", ""))
    g.request_started = time.perf_counter()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.request_id
    milliseconds = (time.perf_counter() - g.request_started) * 1000
    write = log.debug if request.endpoint in QUIET and response.status_code == 200 else log.info
    write("request", method=request.method, route=route(), status=response.status_code, ms=round(milliseconds, 1))
    return response
