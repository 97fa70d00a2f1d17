"""The hardened Flask app that wsgi.py hangs the pages into. It knows no shop, no desk and no table but health's."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

import structlog
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from backoffice.config import Settings
from backoffice.db import Database
from backoffice.web import guard, headers, health, requests

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates"
SHORTEST_KEY = 32
log = structlog.get_logger("shopfloor.web")

Problem = tuple[type, BaseException, TracebackType] | tuple[None, None, None]


class Site(Flask):
    """Flask, with errors logged by route: an address may be a secret."""

    def log_exception(self, exc_info: Problem | BaseException | None) -> None:
        """Log an unhandled error with its traceback."""
        log.error("unhandled error", method=request.method, route=requests.route(), exc_info=exc_info)


def make_site(settings: Settings, db: Database, clock: Callable[[], datetime]) -> Site:
    """Return an app with guards, headers, logs and health pages, and without any other page.

    Raises RuntimeError when no secret key of at least 32 characters is set (a demo makes its own below var_dir).
    """
    site = Site("shopfloor", template_folder=str(TEMPLATES), static_folder=None)
    site.secret_key = _secret_key(settings)
    site.config["TRUSTED_HOSTS"] = [host.strip() for host in settings.trusted_hosts.split(",") if host.strip()] or None
    site.config["MAX_FORM_PARTS"] = 200
    if settings.proxy_hops:
        hops = settings.proxy_hops
        site.wsgi_app = ProxyFix(site.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign] # Flask's documented way
    requests.install(site)  # first, so that refusals have an id and a line in the log too
    headers.install(site)
    guard.install(site)
    site.register_blueprint(health.blueprint(db, clock))
    return site


def _secret_key(settings: Settings) -> str:
    key = settings.secret_key
    if not key and settings.demo:
        key = _own_key(settings.var_dir / "secret_key")
    if len(key) < SHORTEST_KEY:
        raise RuntimeError(f"set SHOPFLOOR_SECRET_KEY to at least {SHORTEST_KEY} random characters")
    return key


def _own_key(path: Path) -> str:
    """Return the demo's key, made once: of several processes that start together, one puts its key in place."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        proposed = path.with_name(f".{path.name}.{os.getpid()}")
        with os.fdopen(os.open(proposed, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        with suppress(FileExistsError):
            os.link(proposed, path)
        proposed.unlink()
    return path.read_text()
