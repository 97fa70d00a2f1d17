"""The cookies of the shop window: the cart's secret token, the place that days are named for, the language chosen."""

from __future__ import annotations

from flask import Response, request

CART = "cart"
PLACE = "place"
LANGUAGE = "language"
CART_SECONDS = 60 * 24 * 3600
PLACE_SECONDS = 365 * 24 * 3600
LANGUAGE_SECONDS = 365 * 24 * 3600


def keep_cart(response: Response, token: str) -> Response:
    """Give the browser its cart for 60 days, out of reach of scripts."""
    response.set_cookie(CART, token, max_age=CART_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/")
    return response


def keep_place(response: Response, postcode: str | None) -> Response:
    """Remember a postcode that we deliver to; an emptied field forgets it."""
    if postcode:
        response.set_cookie(
            PLACE, postcode, max_age=PLACE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure, path="/"
        )
    else:
        response.delete_cookie(PLACE, path="/")
    return response


def keep_language(response: Response, language: str) -> Response:
    """Remember the language that somebody chose; the page's script reads it too, to offer none that was turned down."""
    response.set_cookie(LANGUAGE, language, max_age=LANGUAGE_SECONDS, samesite="Lax", secure=request.is_secure, path="/")
    return response
