"""Translation with types: the library ships none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, wraps
from gettext import NullTranslations
from pathlib import Path
from typing import TypeVar
from weakref import WeakKeyDictionary

import flask_babel
from babel import Locale
from flask import Response, g, request

T = TypeVar("T")
TRANSLATIONS = Path(__file__).parent.parent / "translations"
SOURCE = "en"  # the language the phrases are written in
COOKIE = "desk-language"
ONE_YEAR = 365 * 24 * 3600


def gettext(phrase: str, **values: object) -> str:
    """Return the phrase in the language of this request, with `%(name)s` filled in."""
    return str(flask_babel.gettext(phrase, **values))


def ngettext(one: str, many: str, num: int) -> str:
    """Return the phrase for one or for many, with `%(num)d` filled in."""
    return str(flask_babel.ngettext(one, many, num))


def once_for_each_language(build: Callable[[], T]) -> Callable[[], T]:
    """Make what `build` returns once for each catalogue of words; it is to say words only, and nothing of the request."""
    made: WeakKeyDictionary[NullTranslations, T] = WeakKeyDictionary()

    @wraps(build)
    def find() -> T:
        catalogue = flask_babel.get_domain().get_translations()
        if catalogue not in made:
            made[catalogue] = build()
        return made[catalogue]

    return find


@dataclass(frozen=True, slots=True)
class Language:
    """What a page says about itself. direction: ltr | rtl; name: as those call it who speak it."""

    code: str
    direction: str
    name: str = ""


def language() -> Language:
    """Return the language of this request."""
    locale = flask_babel.get_locale()
    return Language(str(locale).replace("_", "-"), locale.text_direction) if locale else Language("en", "ltr")


def N_(phrase: str) -> str:
    """Mark a phrase for the catalogue and return it as it is."""
    return phrase


@lru_cache(maxsize=1)
def languages() -> Sequence[Language]:
    """Return the languages that there are words in, in the order of their tags."""
    found = {SOURCE, *(path.parent.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo"))}
    return [_describe(Locale.parse(name)) for name in sorted(found)]


def _describe(locale: Locale) -> Language:
    name = str(locale.get_display_name(locale) or locale)
    return Language(str(locale).replace("_", "-"), locale.text_direction, name[:1].upper() + name[1:])


def follow_reader() -> None:
    """Speak the language that somebody chose in this browser, else the nearest that it prefers, else the company's."""
    codes = [one.code for one in languages()]
    chosen = request.cookies.get(COOKIE, "")
    found = chosen if chosen in codes else request.accept_languages.best_match(codes)
    if found:
        g.reader_language = found


def keep_language(response: Response, code: str) -> Response:
    """Remember the language that somebody chose; one there are no words in changes nothing."""
    if code in {one.code for one in languages()}:
        secure = request.is_secure
        response.set_cookie(COOKIE, code, max_age=ONE_YEAR, httponly=True, samesite="Lax", secure=secure, path="/desk/")
    return response
