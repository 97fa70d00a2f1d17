"""Phrases for people: translated now (`_`, `plural`), or marked for the catalogue and translated later (`N_`)."""

from __future__ import annotations

from babel import Locale
from flask_babel import get_locale, get_translations, gettext, ngettext
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

WORDS = "reader_catalogue"  # where a page carries its reader's catalogue, looked up once
READY = 5_000  # phrases of one language that are kept as markup: more than the templates have


def _(text: str, **values: object) -> str:
    """Return `text` in the reader's language, with `%(name)s` filled in."""
    return str(gettext(text, **values))


def plural(one: str, many: str, num: int, **values: object) -> str:
    """Return the form that fits `num` in the reader's language; `%(num)d` is filled in."""
    return str(ngettext(one, many, num, **values))


@pass_context
def say(context: Context, text: str, /, **values: object) -> str:
    """Translate within a template, as Jinja's own `gettext` of the new style does; a page says a hundred phrases.

    One without anything to fill in is made markup once for each catalogue, which carries it on. Source: `jinja2.ext`.
    """
    catalogue = context.parent.get(WORDS) or get_translations()
    if not context.eval_ctx.autoescape:
        return str(catalogue.ugettext(text)) % values
    ready: dict[str, Markup] = catalogue.__dict__.setdefault("ready", {})
    found = ready.get(text)
    if found is None:
        found = Markup(catalogue.ugettext(text))  # noqa: S704 - words of the catalogue, as Jinja's own takes them
        if "%" in found:
            return found % values
        if len(ready) < READY:
            ready[text] = found
    return found


def N_(text: str) -> str:
    """Mark a phrase for the catalogue and return it as it is."""
    return text


def locale() -> Locale:
    """Return the reader's locale; English outside a request."""
    found = get_locale()
    return found if isinstance(found, Locale) else Locale("en")
