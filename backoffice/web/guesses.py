"""Guessing secret links (orders, quotations, carts, …): after 20 in an hour from one network that open nothing, they wait.

A link that opens something always opens it. It holds 160 random bits, so refusing it protects nobody, and behind one address of
an office or of a mobile carrier there are people who have an order.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask, Response, request
from werkzeug.exceptions import TooManyRequests

from backoffice import throttle
from backoffice.db import Database

MOST_MISSES = 20
SECRETS = frozenset({"token", "link"})  # the parts of a route that are a secret: whoever knows it is let in


def install(app: Flask, db: Database, clock: Callable[[], datetime]) -> None:
    """Count what secret links did not open; after `headers.install`, which also guards what is answered here."""

    def slow_down(response: Response) -> Response:
        if response.status_code != 404 or not is_guess():
            return response
        network, now = throttle.network_of(request.remote_addr or ""), clock()
        wait = db.run(
            lambda session: throttle.find_wait(session, network, "link", tries=MOST_MISSES, window=throttle.HOUR, now=now)
        )
        if wait is None:
            return response
        return app.make_response(app.handle_http_exception(TooManyRequests(retry_after=round(wait.total_seconds()))))

    app.after_request(slow_down)


def is_guess() -> bool:
    """Tell whether a link was tried. A partner's key names who asks, and one that is none is refused before: at the API alone."""
    if request.url_rule is None or not SECRETS & request.url_rule.arguments:
        return False
    return not (request.path.startswith("/api/") and "Authorization" in request.headers)
