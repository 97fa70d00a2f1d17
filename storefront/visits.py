"""Visits of those who allowed it: a cookie of our own with a random number, set only by a click that says so.

Pages know nothing of it: they are the same bytes for everybody and stay cached. What is looked at is noted after the page is
answered, in memory.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, request

from backoffice.public.visits import Kind, Look
from storefront import cookies
from storefront.front import Front

COOKIE = "visits"
SECONDS = 180 * 24 * 3600
NO = "no"  # who said no is not asked again
KINDS: Mapping[str, Kind] = {
    "shop.home": "page",
    "shop.category": "page",
    "shop.product": "page",
    "shop.page": "page",
    "shop.search": "search",
    "shop.cart_add": "cart",
    "shop.contact_submit": "said",
    "shop.lead_submit": "said",
}


def token() -> str:
    """Return the random number that this browser carries; empty: nothing may be noted."""
    kept = request.cookies.get(COOKIE, "")
    return "" if kept == NO or len(kept) > 100 else kept


def keep(response: Response, value: str) -> Response:
    """Let the browser remember what its owner chose, for half a year."""
    response.set_cookie(COOKIE, value, max_age=SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return response


def install(routes: Blueprint, front: Front) -> None:
    """Note the looks at pages of `routes`."""

    def note(response: Response) -> Response:
        kind = KINDS.get(request.endpoint or "")
        if kind is None or COOKIE not in request.cookies or response.status_code not in (200, 303, 304):
            return response
        if (kept := token()) and request.method != "HEAD":
            about = request.args.get("q", "") if kind == "search" else request.path
            said = request.form.get("email", "") if kind == "said" and response.status_code == 303 else ""
            if kind != "said" or said:
                cart, account = front.cart_token() or "", cookies.account_token() or ""
                front.shop.visits.note(Look(kept, kind, about, front.clock(), cart, account, said))
        return response

    routes.after_request(note)
