"""The cookies of the shop window: the cart's secret token, the place that days are named for, the language chosen."""

from __future__ import annotations

from flask import Response, request

CART = "cart"  # as ACCOUNT; one of before, without the prefix, is read on and given the new name the next time it is kept
PLACE = "place"
LANGUAGE = "language"
ORDERS = "orders"  # proofs of the orders that were placed here, or shown by a code: behind their links their address is read
ACCOUNT = "account"  # __Host-account where the connection is secure: no other host can set it then
CART_SECONDS = 60 * 24 * 3600
PLACE_SECONDS = 365 * 24 * 3600
ACCOUNT_SECONDS = 30 * 24 * 3600
LANGUAGE_SECONDS = 365 * 24 * 3600
ORDERS_SECONDS = 90 * 24 * 3600
MOST_ORDERS = 8  # the newest


def cart_token() -> str | None:
    """Return the secret of this browser's cart, as it sent it."""
    return request.cookies.get(_bound(CART)) or request.cookies.get(CART) or None


def keep_cart(response: Response, token: str) -> Response:
    """Give the browser its cart for 60 days, out of reach of scripts."""
    if request.is_secure and CART in request.cookies:
        response.delete_cookie(CART, path="/")
    response.set_cookie(
        _bound(CART), token, max_age=CART_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )
    return response


def keep_place(response: Response, postcode: str | None, country: str = "") -> Response:
    """Remember a postcode that we deliver to, in another country (`IT:00144`) or the shop's own; an emptied field forgets it."""
    place = f"{country}:{postcode or ''}" if country else postcode
    if place:
        response.set_cookie(
            PLACE, place, max_age=PLACE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
        )
    else:
        response.delete_cookie(PLACE, path="/")
    return response


def keep_language(response: Response, language: str) -> Response:
    """Remember the language that somebody chose; the page's script reads it too, to offer none that was turned down."""
    response.set_cookie(LANGUAGE, language, max_age=LANGUAGE_SECONDS, samesite="Lax", secure=request.is_secure, path="/")
    return response


def account_token() -> str | None:
    """Return the secret of this browser's log-in, as it sent it."""
    return request.cookies.get(_bound(ACCOUNT)) or None


def keep_account(response: Response, token: str) -> Response:
    """Keep a browser logged in for 30 days at most, out of reach of scripts."""
    response.set_cookie(
        _bound(ACCOUNT), token, max_age=ACCOUNT_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
    )
    return response


def forget_account(response: Response) -> Response:
    """Let a browser that logged out forget its log-in, the cart that is of the account, and the orders it may read."""
    response.delete_cookie(_bound(ACCOUNT), httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    for name in {CART, _bound(CART), _bound(ORDERS)}:
        response.delete_cookie(name, httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return response


def order_proofs() -> list[str]:
    """Return what this browser keeps of orders, the newest first."""
    kept = request.cookies.get(_bound(ORDERS), "")
    return [one for one in kept.split(".") if one][:MOST_ORDERS]


def keep_order(response: Response, proof: str) -> Response:
    """Let a browser read for 90 days where an order goes, out of reach of scripts."""
    kept = [proof, *(one for one in order_proofs() if one != proof)][:MOST_ORDERS]
    response.set_cookie(
        _bound(ORDERS),
        ".".join(kept),
        max_age=ORDERS_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path="/",
    )
    return response


def _bound(name: str) -> str:
    """Return a cookie's name where the connection is secure with the prefix that binds it to this host."""
    return f"__Host-{name}" if request.is_secure else name
