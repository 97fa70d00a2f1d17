"""The shop window as one blueprint, and the error pages in its look."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

from flask import Blueprint, Flask, Response, g, request
from flask.blueprints import BlueprintSetupState
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable

from backoffice.public import Shop, ShopProfile
from backoffice.public.catalogue import Category
from backoffice.public.errors import ShopError
from storefront import forms, languages, page_cache, visits, wording
from storefront.api import problems
from storefront.assets import FOLDER, PREFIX
from storefront.front import Front
from storefront.views import (
    account,
    addresses,
    cart,
    cases,
    catalogue,
    checkout,
    leads,
    letters,
    orders,
    pages,
    product,
    quotations,
    showing,
    slips,
    withdrawals,
)
from storefront.views import visits as visits_page

TEMPLATES = Path(__file__).parent.parent / "templates"
PASSWORDS = ("password", "old", "closing")  # of a form
NOBODY = ShopProfile("", "", "EUR", "UTC", "en", "", "", (), ())
log = logging.getLogger("shopfloor.storefront")


def blueprint(shop: Shop, clock: Callable[[], datetime], *, media: Path, demo: bool) -> Blueprint:
    """Make the shop window over `shop`. `media`: the folder with pictures; `demo` labels what is not real.

    The blueprint brings its static files (/static/shop), its error pages and, where the app has none, its languages.
    """
    routes = Blueprint("shop", __name__, static_folder=str(FOLDER), static_url_path=PREFIX, template_folder=str(TEMPLATES))
    front = Front(shop, clock, Path(media).resolve(), demo)
    shown = (
        catalogue,
        product,
        cart,
        checkout,
        orders,
        cases,
        quotations,
        slips,
        showing,
        withdrawals,
        account,
        addresses,
        leads,
        letters,
        pages,
        visits_page,
    )
    for area in shown:
        area.register(routes, front)
    page_cache.install(routes, shop, clock)
    forms.install(routes)
    visits.install(routes, front)
    routes.register_error_handler(ShopError, lambda error: _explain(front, error))

    def wire(state: BlueprintSetupState) -> None:
        app = cast(Flask, state.app)
        languages.wire(app, front.profile)
        app.extensions["shopfloor-front"] = front

    routes.record_once(wire)
    return routes


def register_errors(app: Flask) -> None:
    """Give 400, 403, 404, 405, 413, 429, 500 and every other HTTP error of `app` the look of the shop."""
    front: Front = app.extensions["shopfloor-front"]
    app.register_error_handler(HTTPException, lambda error: _http_page(front, error))
    app.register_error_handler(ShopError, lambda error: _explain(front, error))
    app.register_error_handler(500, lambda _error: _broken_page(front))


def _explain(front: Front, error: ShopError) -> Response:
    if problems.is_ours():
        return problems.of_error(error)
    return _page(front, error.status, wording.say(error), again=_sent() if error.code == "unknown_field" else [])


def _http_page(front: Front, error: HTTPException) -> Response:
    if isinstance(error.response, Response):
        return error.response  # somebody already made an answer of their own
    if problems.is_ours():
        return problems.of_status(error)
    status = error.code or 500
    response = _page(front, status, wording.status_text(status), again=_sent() if status == ServiceUnavailable.code else [])
    for name, value in error.get_headers():
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value  # Allow on 405, Location on a redirect, Retry-After
    return response


def _broken_page(front: Front) -> Response:
    if problems.is_ours():
        return problems.of_status(InternalServerError())
    return _page(front, 500, wording.status_text(500))


def _page(front: Front, status: int, text: str, again: Sequence[tuple[str, str]] = ()) -> Response:
    now = front.clock()
    profile, categories = _face(front)
    values = {"title": wording.status_title(status), "text": text, "again": again, "number": g.get("request_id", "")}
    return front.draw("storefront/error.html", profile, categories, now, status=status, **values)


def _sent() -> list[tuple[str, str]]:
    """Return what is ours of the form that was not acted on, to be sent again; nothing where a password is in it, which no page
    repeats."""
    if request.method != "POST" or any(name in PASSWORDS for name in request.form):
        return []
    return [(name, value) for name, value in request.form.items(multi=True) if forms.known(name)]


def _face(front: Front) -> tuple[ShopProfile, list[Category]]:
    """Return header and footer; without them where the database is what broke."""
    try:
        return front.profile(), list(front.shop.catalogue.find_categories(language=front.language()))
    except Exception:  # the error page must stand when everything below it has fallen
        log.exception("error page drawn without the shop's face")
        return NOBODY, []
