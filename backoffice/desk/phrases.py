"""Translation with types: the library ships none."""

from __future__ import annotations

from dataclasses import dataclass

import flask_babel


def gettext(phrase: str, **values: object) -> str:
    """Return the phrase in the language of this request, with `%(name)s` filled in."""
    return str(flask_babel.gettext(phrase, **values))


def ngettext(one: str, many: str, num: int) -> str:
    """Return the phrase for one or for many, with `%(num)d` filled in."""
    return str(flask_babel.ngettext(one, many, num))


@dataclass(frozen=True, slots=True)
class Language:
    """What a page says about itself. direction: ltr | rtl."""

    code: str
    direction: str


def language() -> Language:
    """Return the language of this request."""
    locale = flask_babel.get_locale()
    return Language(str(locale).replace("_", "-"), locale.text_direction) if locale else Language("en", "ltr")
