"""Errors of desk pages, in the desk's look: never a bare line of the framework."""

from __future__ import annotations

from flask import Blueprint, g, render_template
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from backoffice.desk.phrases import gettext as _
from backoffice.desk.wording import explain
from backoffice.public.errors import ShopError

Answer = tuple[str, int]


def _shop_error(error: ShopError) -> Answer:
    return _page(_("That did not work"), explain(error)), error.status


def _csrf_error(_error: CSRFError) -> Answer:
    text = _("This page is from an earlier log-in. Go back, reload the page and send it again. Nothing was changed.")
    return _page(_("Please send it again"), text), 400


def _http_error(error: HTTPException) -> Answer:
    code = error.code or 500
    text = {
        403: _("This page belongs to another desk. Ask your administrator if you need it."),
        404: _("There is no such page."),
        405: _("This page cannot be opened that way. Nothing was changed."),
        413: _("That was too much at once. Nothing was changed."),
    }.get(code, _("The request could not be read. Nothing was changed."))
    return _page(_("That did not work"), text), code


def _page(title: str, text: str) -> str:
    return render_template("desk/error.html", title=title, text=text, number=g.get("request_id", ""))


def add_to(blueprint: Blueprint) -> None:
    """Answer this desk's errors."""
    blueprint.register_error_handler(ShopError, _shop_error)
    blueprint.register_error_handler(CSRFError, _csrf_error)
    for code in (400, 403, 404, 405, 413):
        blueprint.register_error_handler(code, _http_error)
