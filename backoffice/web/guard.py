"""What is refused before any page sees it: too much, NUL bytes, and forms that another site sent."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Flask, abort, request, session

MOST_BYTES = 1024 * 1024
ACCOUNT_COOKIES = ("account", "__Host-account")  # of customers who are logged in; `_user_id` is Flask-Login's, of who works here
OWN_SECRET = frozenset(
    {"shop.unsubscribe_submit"}
)  # RFC 8058: mail programs send it from anywhere, and its address is the secret
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask) -> None:
    """Refuse bodies past 1 MB (413), NUL bytes in path, query or form (400), and cross-site changes (403)."""
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.before_request(_refuse_large_bodies)
    app.before_request(_refuse_cross_site)
    app.before_request(_refuse_nul)


def _refuse_large_bodies() -> None:
    """Refuse by the announced length, also where a view would never read the body."""
    if (request.content_length or 0) > MOST_BYTES:
        abort(413)


def _refuse_cross_site() -> None:
    """Refuse a change that a browser says came from elsewhere.

    Browsers send Sec-Fetch-Site to secure addresses and Origin with every POST. A request with neither comes from no
    browser's page, and one with `Origin: null` from a page that hides its address: both may do what an anonymous
    visitor may, but never act with the session of a customer or of somebody who works here.
    """
    if request.method in SAFE_METHODS or request.endpoint in OWN_SECRET:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin", "null")
    if site is not None:
        trusted = site in {"same-origin", "none"}
    elif origin != "null":
        trusted = urlsplit(origin).netloc.lower() == request.host.lower()
    else:
        trusted = not session.get("_user_id") and not any(name in request.cookies for name in ACCOUNT_COOKIES)
    if not trusted:
        abort(403)


def _refuse_nul() -> None:
    """Refuse what no database and no file system can hold."""
    if "\0" in request.path or _has_nul(request.args.items(multi=True)):
        abort(400)
    if request.method not in SAFE_METHODS and _has_nul(request.form.items(multi=True)):
        abort(400)


def _has_nul(pairs: Iterable[tuple[str, str]]) -> bool:
    return any("\0" in name or "\0" in value for name, value in pairs)
