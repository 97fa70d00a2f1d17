"""The hardened Flask app that wsgi.py hangs the pages into. It knows no shop, no desk and no table but health's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection
from werkzeug.exceptions import SecurityError, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.web import guard, guesses, headers, health, metrics, requests, shedding

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
SHORTEST_KEY = 32
THIS_MACHINE = ["localhost", "127.0.0.1"]
MOST_ROWS = 2**63 - 1  # of the databases' whole numbers
AWAY = (OperationalError, NoConnection)
log = structlog.get_logger("shopfloor.web")

Problem = tuple[type, BaseException, TracebackType] | tuple[None, None, None]


class RowNumber(IntegerConverter):
    """A whole number in an address that a row may have: a larger one is no page, and not an error of the database."""

    def __init__(self, map: Map, *args: Any, **named: Any) -> None:
        super().__init__(map, *args, **{"max": MOST_ROWS} | named)


class Site(Flask):
    """Flask, with errors logged by route: an address may be a secret."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return what it is given: no view is a coroutine here, and Flask looks twenty times in each request."""
        return func

    def handle_exception(self, e: Exception) -> Response:
        """Answer what broke while an error page was drawn too: a database that is away is no fault of ours there either."""
        if isinstance(e, AWAY):
            return self.finalize_request(_away(self, e), from_error_handler=True)
        return super().handle_exception(e)

    def log_exception(self, exc_info: Problem | BaseException | None) -> None:
        """Log an unhandled error with its traceback."""
        log.error("unhandled error", method=request.method, route=requests.route(), exc_info=exc_info)


def make_site(settings: Settings, db: Database, clock: Callable[[], datetime]) -> Site:
    """Return an app with guards, headers, logs and health pages, and without any other page.

    Raises RuntimeError when the secret key has fewer than 32 characters.
    """
    if len(settings.secret_key) < SHORTEST_KEY:
        raise RuntimeError(f"set SHOPFLOOR_SECRET_KEY to at least {SHORTEST_KEY} random characters")
    site = Site("shopfloor", template_folder=str(TEMPLATES), static_folder=None)
    site.secret_key = settings.secret_key
    site.config["TRUSTED_HOSTS"] = _trusted_hosts(settings) or None
    site.config["MAX_FORM_PARTS"] = 200
    shedding.install(site)
    if settings.proxy_hops:
        hops = settings.proxy_hops
        site.wsgi_app = ProxyFix(site.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign] # Flask's documented way
    site.url_map.converters["int"] = RowNumber
    site.before_request(db.begin_request)
    site.teardown_request(db.end_request)
    requests.install(site)  # first, so that refusals have an id and a line in the log too
    headers.install(site, settings.payment_page)
    guesses.install(site, db, clock)
    guard.install(site)
    site.register_blueprint(health.blueprint(db, clock))
    metrics.install(site, db, clock, settings.metrics_token)
    for kind in AWAY:
        site.register_error_handler(kind, lambda error: _away(site, error))
    site.register_error_handler(SecurityError, _unknown_host)
    return site


def _trusted_hosts(settings: Settings) -> list[str]:
    """Return the hosts we answer to: those listed, else the one of our public address, else this machine; a demo: any.

    Links in mails are made of the host where there is no public address: nobody else may choose it.
    """
    listed = [host.strip() for host in settings.trusted_hosts.split(",") if host.strip()]
    own = urlsplit(settings.base_url).hostname
    return listed or ([own] if own else [] if settings.demo else THIS_MACHINE)


def _unknown_host(_error: SecurityError) -> ResponseReturnValue:
    """Refuse a host that is not ours, in bare words: no page can be drawn, since none knows its own address then."""
    return "This is not the shop's address.\n", 400, {"Content-Type": "text/plain; charset=utf-8"}


def _away(site: Site, error: OperationalError | NoConnection) -> ResponseReturnValue:
    """Answer 503 while the database does not: nothing was done, and the same request may be sent again."""
    log.error("the database does not answer", route=requests.route(), error=type(getattr(error, "orig", error)).__name__)
    return site.handle_http_exception(ServiceUnavailable(retry_after=5))
