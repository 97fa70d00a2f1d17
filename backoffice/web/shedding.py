"""Turn away what there is no room for, before any of it is worked on: who looks around first, who is buying last.

A web process has so many threads; gunicorn puts whatever comes beyond them into a queue without an end, and under a flood
everybody would wait until nobody does any more. So who is taken from that queue while it is long is told at once to come back
(503 with Retry-After), which costs next to nothing: no database, no page to be drawn. The length is per thread, see `ROOM`.
(Source: load shedding by class of request, Google's Site Reliability Engineering, chapter 21.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, cast

from flask import Flask
from prometheus_client import Counter

from backoffice.web import headers, requests

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Kind = Literal["look", "begin", "go on"]
# how many may wait for each thread of the process when one of these is taken on
ROOM: dict[Kind, int] = {"look": 8, "begin": 32, "go on": 64}
ALWAYS = frozenset({"healthz", "readyz", "metrics", "payments"})  # who watches us, and who brings money
GO_ON = frozenset({"checkout", "o", "sandbox", "account", "desk", "static"})  # what was begun, and what its pages need
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
RETRY_AFTER = 5  # seconds
NAME = "shopfloor-shedding"  # among the app's extensions
no_room: ContextVar[bool] = ContextVar("no_room", default=False)  # set by who has decided it at the door
_turned_away = Counter("shopfloor_turned_away_total", "Requests told to come back, because too many waited.", ["kind"])


class Shedding:
    """Stand before the site. waiting: how many requests wait for a thread; words: what to say to whom, and its type."""

    def __init__(self, wrapped: WSGIApplication) -> None:
        """Pass requests on to `wrapped`."""
        self._wrapped = wrapped
        self.waiting: Callable[[], int] = lambda: 0
        self.threads = 1
        self.languages: Collection[str] = ()  # that stand before a path
        self.words: Callable[[WSGIEnvironment], tuple[bytes, str]] = lambda _environ: (b"Please come back soon.\n", "text/plain")

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, or turn it away."""
        if no_room.get() or self.is_crowded():
            kind = kind_of(environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"))
            if no_room.get() or self._has_no_room(kind):
                return self._turn_away(kind, environ, start_response)
        return self._wrapped(environ, start_response)

    def is_crowded(self) -> bool:
        """Tell whether anybody at all is turned away now."""
        return self.waiting() > ROOM["look"] * self.threads

    def is_full(self, method: str, target: str) -> bool:
        """Tell whether this is turned away now. target: as it was sent, with its language and its query."""
        path = target.partition("?")[0]
        first, _, rest = path.removeprefix("/").partition("/")
        return self._has_no_room(kind_of(method, f"/{rest}" if first in self.languages else path))

    def _has_no_room(self, kind: Kind | None) -> bool:
        return kind is not None and self.waiting() > ROOM[kind] * self.threads

    def _turn_away(self, kind: Kind | None, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _turned_away.labels(kind or "look").inc()
        request_id = environ["HTTP_X_REQUEST_ID"] = requests.id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        content, content_type = self.words(environ)
        more = {
            "Content-Type": content_type,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "Retry-After": str(RETRY_AFTER),
            "X-Request-Id": request_id,
        }
        secure = environ["wsgi.url_scheme"] == "https"
        start_response("503 Service Unavailable", [*headers.on_every_answer(secure=secure).items(), *more.items()])
        return [content]


def kind_of(method: str, path: str) -> Kind | None:
    """Return what somebody wants, by an address without its language; None: never turned away."""
    parts = path.split("/", 2)
    first = parts[1] if len(parts) > 1 else ""
    if first in ALWAYS:
        return None
    if first in GO_ON or (method not in SAFE and path.endswith("/checkout")):
        return "go on"
    return "begin" if first == "cart" or method not in SAFE else "look"


def install(app: Flask) -> Shedding:
    """Stand before an app. Whoever serves it says how long the queue is; until then there is none."""
    app.extensions[NAME] = standing = Shedding(app.wsgi_app)
    app.wsgi_app = standing  # type: ignore[method-assign] # Flask's documented way
    return standing


def of(app: Flask) -> Shedding:
    """Return what stands before an app."""
    return cast(Shedding, app.extensions[NAME])
