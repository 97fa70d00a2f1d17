"""Figures for Prometheus at /metrics: how requests go, and what waits in the database. No person, no address, no secret.

Requests are counted in each process and added up over all processes of one machine (Prometheus' multi-process mode, which
`shopfloor serve` switches on); the rest is asked of the database when somebody looks, so every process says the same.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from ipaddress import ip_address

import sqlalchemy as sa
from flask import Blueprint, Flask, Response, abort, g, request
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy.orm import Session

from backoffice import verify
from backoffice.bridge.models import Heartbeat, OutboxMessage
from backoffice.bridge.outbox import STUCK_AFTER
from backoffice.crm.models import Lead, Order
from backoffice.db import Database
from backoffice.erp.models import Offer, Reservation
from backoffice.payments.models import Payment, Refund
from backoffice.verify.money import SETTLED_WITHIN
from backoffice.web import requests

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_answered = Histogram(
    "shopfloor_request_seconds", "Time to answer, by route and status.", ["method", "route", "status"], buckets=SECONDS
)


class Waiting(Collector):
    """What waits in the database at one instant."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session, self._now = session, now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return each figure with its name and its meaning."""
        now = self._now
        by_state = GaugeMetricFamily(
            "shopfloor_outbox_messages", "Messages not delivered yet, by target and state.", labels=["target", "state"]
        )
        messages = sa.select(OutboxMessage.target, OutboxMessage.state, sa.func.count()).where(
            OutboxMessage.state.in_(["pending", "dead"])
        )
        for target, state, count in self._session.execute(messages.group_by(OutboxMessage.target, OutboxMessage.state)):
            by_state.add_metric([target, state], count)
        yield by_state
        orders = GaugeMetricFamily("shopfloor_orders", "Orders by state.", labels=["state"])
        for state, count in self._session.execute(sa.select(Order.state, sa.func.count()).group_by(Order.state)):
            orders.add_metric([state], count)
        yield orders
        pending = OutboxMessage.state == "pending"
        yield self._age(
            "shopfloor_outbox_oldest_seconds", "Age of the oldest message not delivered yet.", OutboxMessage.created_at, pending
        )
        stuck = sa.and_(pending, OutboxMessage.created_at < now - STUCK_AFTER)
        yield self._count("shopfloor_outbox_stuck", "Messages that wait for more than a quarter of an hour.", stuck)
        yield self._age(
            "shopfloor_worker_silent_seconds", "Time since a worker last said that it lives.", Heartbeat.at, newest=True
        )
        live = sa.and_(Reservation.state == "held", Reservation.expires_at > now)
        yield self._count("shopfloor_holds", "Things held for carts now.", sa.or_(live, Reservation.state == "paying"))
        yield self._count("shopfloor_offers_overdue", "Days on pages that are to be worked out again.", Offer.valid_until < now)
        yield self._count("shopfloor_payments_with_problem", "Payments that a person must look at.", Payment.problem != "")
        overdue = sa.and_(Payment.state == "opened", Payment.expires_at < now - SETTLED_WITHIN)
        yield self._count("shopfloor_payments_overdue", "Payments without an end whose page is over for five minutes.", overdue)
        yield from self._figures()
        unsettled = Refund.state.in_(["requested", "pending"])
        yield self._count("shopfloor_refunds_open", "Refunds that have not ended yet.", unsettled)
        late = sa.and_(Lead.state.in_(["new", "working"]), Lead.due_at < now)
        yield self._count("shopfloor_leads_overdue", "People who should have had an answer by now.", late)

    def _figures(self) -> Iterator[GaugeMetricFamily]:
        """Return what the last check of all figures found, and since when; nothing before the first."""
        last = verify.find_last(self._session)
        if last is not None:
            yield GaugeMetricFamily("shopfloor_breaches", "Breaches that the last nightly check found.", value=last.found)
            age = (self._now - last.at).total_seconds()
            yield GaugeMetricFamily("shopfloor_verify_age_seconds", "Time since that check.", value=age)

    def _count(self, name: str, words: str, condition: sa.ColumnElement[bool]) -> GaugeMetricFamily:
        count = self._session.scalar(sa.select(sa.func.count()).where(condition)) or 0
        return GaugeMetricFamily(name, words, value=count)

    def _age(
        self,
        name: str,
        words: str,
        at: sa.orm.InstrumentedAttribute[datetime],
        *conditions: sa.ColumnElement[bool],
        newest: bool = False,
    ) -> GaugeMetricFamily:
        """Return the seconds since the oldest (or newest) of some instants; none: no figure."""
        family = GaugeMetricFamily(name, words)
        found = self._session.scalar(sa.select(sa.func.max(at) if newest else sa.func.min(at)).where(*conditions))
        if found is not None:
            family.add_metric([], (self._now - found).total_seconds())
        return family


def install(app: Flask, db: Database, clock: Callable[[], datetime], token: str) -> None:
    """Count every answer, and add /metrics: for whoever has the token; without one set, for this machine alone."""
    app.before_request(_begin)
    app.after_request(_count)
    pages = Blueprint("metrics", __name__)

    @pages.get("/metrics")
    def metrics() -> Response:
        if not _may_look(token):
            abort(404)
        with db.read() as session:
            waiting = CollectorRegistry()
            waiting.register(Waiting(session, clock()))
            text = generate_latest(_counted()) + generate_latest(waiting)
        return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    app.register_blueprint(pages)


def _counted() -> CollectorRegistry:
    """Return what was counted: by all processes of this machine, where they share a folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call] # the library ships no types for it
    return together


def _may_look(token: str) -> bool:
    if token:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


def _begin() -> None:
    g.metrics_started = time.perf_counter()


def _count(response: Response) -> Response:
    method = request.method if request.method in METHODS else "other"
    started = g.get("metrics_started")
    if started is not None:
        _answered.labels(method, requests.route(), str(response.status_code)).observe(time.perf_counter() - started)
    return response
