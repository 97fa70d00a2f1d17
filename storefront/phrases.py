"""Phrases for people: translated now (`_`, `plural`), or marked for the catalogue and translated later (`N_`)."""

from __future__ import annotations

from babel import Locale
from flask_babel import get_locale, gettext, ngettext


def _(text: str, **values: object) -> str:
    """Return `text` in the reader's language, with `%(name)s` filled in."""
    return str(gettext(text, **values))


def plural(one: str, many: str, num: int, **values: object) -> str:
    """Return the form that fits `num` in the reader's language; `%(num)d` is filled in."""
    return str(ngettext(one, many, num, **values))


def N_(text: str) -> str:
    """Mark a phrase for the catalogue and return it as it is."""
    return text


def locale() -> Locale:
    """Return the reader's locale; English outside a request."""
    found = get_locale()
    return found if isinstance(found, Locale) else Locale("en")
