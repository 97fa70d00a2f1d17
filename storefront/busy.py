"""What somebody reads who is turned away because too many are here: made once for each language, and nothing is asked for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from flask import Flask, render_template
from flask_babel import force_locale

from storefront import languages, wording
from storefront.api import problems
from storefront.formats import direction_of
from storefront.phrases import N_, _

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

TITLE = N_("Many people are here right now")
STATUS = 503


def words(app: Flask) -> Callable[[WSGIEnvironment], tuple[bytes, str]]:
    """Return what says it: content and its type, by the address."""

    @cache
    def page(language: str) -> bytes:
        with app.app_context(), force_locale(language.replace("-", "_")):
            title, text = _(TITLE), wording.status_text(STATUS)
            named = {"language": language, "direction": direction_of(language), "title": title, "text": text}
            return render_template("storefront/busy.html", **named).encode()

    @cache
    def problem() -> Mapping[str, Any]:
        with app.app_context(), force_locale(languages.SOURCE):
            return problems.bare(STATUS)

    def say(environ: WSGIEnvironment) -> tuple[bytes, str]:
        if environ.get("PATH_INFO", "").startswith(problems.PREFIX):
            named = dict(problem()) | {"request_id": environ["HTTP_X_REQUEST_ID"]}
            return problems.written(named).encode(), problems.TYPE
        return page(environ.get(languages.KEY) or app.extensions.get(languages.OWN, languages.SOURCE)), "text/html; charset=utf-8"

    return say
