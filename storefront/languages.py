"""Languages: a further one is only a catalogue below `translations`, and then an address of its own: /de/….

The shop's own language has the addresses without a prefix. A page under one address is the same bytes for everybody, so
nothing is chosen by what a browser prefers; what somebody chose themselves leads them from one address to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from babel import Locale, negotiate_locale
from babel.support import NullTranslations
from flask import Flask, Response, abort, current_app, g, has_app_context, make_response, redirect, request, url_for
from flask_babel import Babel, Domain, force_locale
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from backoffice.public import ShopProfile
from storefront import cookies
from storefront.phrases import _, say

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

TRANSLATIONS = Path(__file__).parent / "translations"
SOURCE = "en"  # the language the phrases are written in
KEY = "shopfloor.language"  # where the prefix of this request is noted
OWN = "shopfloor-own-language"  # where the app notes which is the shop's own, for words that must ask nobody
UNRESERVED = "/:@!$&'()*+,;=~"  # what a path may hold as it is
SHOP = "shop"  # the blueprint whose pages have languages
API, API_PAGE = "api", "api.home"  # answers to machines, for which cookies count for nothing; its page is for people
LISTED = frozenset({"shop.home", "shop.category", "shop.product", "shop.page", "shop.contact"})  # whose twins search engines want
ONE_FOR_ALL = frozenset({"shop.robots", "shop.sitemap"})  # which speak of every language under their one address
# what has no words of its own, or is asked for by a page that has its language already
SAME_FOR_ALL = ONE_FOR_ALL | {"shop.static", "shop.media", "shop.language", "shop.cart_count"}


def offered(folder: Path = TRANSLATIONS) -> frozenset[str]:
    """Return the languages there are catalogues for, as tags (`de`, `pt-BR`), and the source language."""
    catalogues = (path.parent.parent.name.replace("_", "-") for path in folder.glob("*/LC_MESSAGES/messages.mo"))
    return frozenset({SOURCE, *catalogues})


@dataclass(frozen=True, slots=True)
class Speech:
    """What a shop speaks: its own language, and the others in the order of their tags."""

    own: str
    others: tuple[str, ...]

    def __contains__(self, language: str) -> bool:
        """Tell whether the shop speaks `language`."""
        return language == self.own or language in self.others

    def prefix(self, language: str) -> str:
        """Return what stands before every address in `language`: `/de`; empty for the shop's own."""
        return "" if language == self.own else f"/{language}"


def speech(profile: ShopProfile, there_are: Iterable[str]) -> Speech:
    """Return what the shop of `profile` speaks, of the languages that `there_are` words in."""
    return _speech(profile.language, tuple(profile.languages), tuple(sorted(there_are)))


@lru_cache(maxsize=64)
def _speech(language: str, languages: tuple[str, ...], there_are: tuple[str, ...]) -> Speech:
    own = nearest(language, there_are)
    chosen = {nearest(tag, there_are) for tag in languages} or set(there_are)
    return Speech(own, tuple(tag for tag in there_are if tag in chosen and tag != own))


def nearest(language: str, there_are: Iterable[str]) -> str:
    """Return the language of `there_are` that is nearest to a tag; the source language where none is near."""
    tags = {tag.replace("-", "_"): tag for tag in there_are}
    found = negotiate_locale([language.replace("-", "_")], list(tags))
    return tags.get(found or "", SOURCE)


class Prefix:
    """Take a language off the front of an address (`/de/p/stool`), so that every route and every link stays as it is.

    Links made within the request carry the prefix on by themselves: for them it is where the application is mounted.
    """

    def __init__(self, wrapped: WSGIApplication, languages: Iterable[str]) -> None:
        """Pass requests on to `wrapped`; `languages`: the tags that are prefixes."""
        self._wrapped = wrapped
        self._languages = frozenset(languages)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        first, _slash, rest = environ.get("PATH_INFO", "").removeprefix("/").partition("/")
        if first in self._languages:
            environ[KEY] = first
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/{first}"
            environ["PATH_INFO"] = f"/{rest}"
        return self._wrapped(environ, start_response)


@dataclass(frozen=True, slots=True)
class Twin:
    """This page in another language. address: absolute; switch: where the choice is remembered on the way there."""

    language: str
    name: str
    direction: str
    address: str
    switch: str
    offer: str  # to read it in that language, in that language


def wire(app: Flask, profile: Callable[[], ShopProfile], folder: Path = TRANSLATIONS) -> None:
    """Set up translation on `app` unless it already is: by the address for pages of the shop, else by what was chosen.

    Whoever knows the reader better (a desk with a log-in) sets `g.reader_language` before the first word.
    """
    if "babel" in app.extensions:
        return
    there_are = offered(folder)
    app.extensions["shopfloor-speech"] = lambda: speech(profile(), there_are)
    app.extensions["shopfloor-faces"] = {}  # said once: `_twin`
    app.wsgi_app = Prefix(app.wsgi_app, there_are)  # type: ignore[method-assign] # Flask's documented way
    app.before_request(_send_to_own_address)
    babel = Babel(app, default_locale=SOURCE, default_translation_directories=str(folder), locale_selector=_select)
    babel.domain_instance = _Words(domain="messages")
    app.jinja_env.globals |= {"_": say, "gettext": say}


class _Words(Domain):  # type: ignore[misc]  # Flask-Babel carries no types
    """The catalogues, looked up by language once in a page and not for each of its hundred phrases.

    It is noted where Flask-Babel itself forgets it when the language changes (`refresh`, `force_locale`).
    """

    def get_translations(self) -> NullTranslations:
        """Return the reader's catalogue."""
        noted = g.get("_flask_babel") if has_app_context() else None
        found: NullTranslations | None = getattr(noted, "babel_translations", None)
        if found is None:
            found = super().get_translations()
            if noted is not None:
                noted.babel_translations = found
        return found


def spoken() -> Speech:
    """Return what this shop speaks, asked once in a request."""
    if "shop_speech" not in g:
        g.shop_speech = current_app.extensions["shopfloor-speech"]()
        current_app.extensions[OWN] = g.shop_speech.own
    found: Speech = g.shop_speech
    return found


def _select() -> str:
    return str(_choose()).replace("-", "_")


def _choose() -> str:
    known = g.get("reader_language") or request.environ.get(KEY)
    if known:
        return str(known)
    try:
        shop = spoken()
    except Exception:  # the error page must stand when everything below it has fallen
        return SOURCE
    chosen = request.cookies.get(cookies.LANGUAGE, "")
    by_cookie = request.blueprint != SHOP and (request.blueprint != API or request.endpoint == API_PAGE)
    return chosen if by_cookie and chosen in shop else shop.own


def _send_to_own_address() -> Response | None:
    """Keep prefixes to pages of the shop and to languages it speaks; follow what this browser's person chose."""
    prefix = request.environ.get(KEY)
    if prefix and request.endpoint and (request.blueprint != SHOP or request.endpoint in ONE_FOR_ALL):
        abort(404)
    if request.blueprint != SHOP or request.method not in {"GET", "HEAD"} or request.endpoint in SAME_FOR_ALL:
        return None
    chosen = request.cookies.get(cookies.LANGUAGE, "")
    if prefix:
        shop = spoken()
        return _move(shop.own) if prefix == shop.own or prefix not in shop else None
    if not chosen:
        return None
    shop = spoken()
    return _move(chosen) if chosen in shop.others else None


def _move(language: str) -> Response:
    response = make_response(redirect(address_in(language, _here()), 302))
    response.headers["Cache-Control"] = "private, no-store"
    response.vary.add("Cookie")
    return response


def address_in(language: str, path: str, *, absolute: bool = False) -> str:
    """Return the address of a path of the shop (`/p/stool`) in a language."""
    prefix = request.environ.get(KEY)
    mounted = request.script_root.removesuffix(f"/{prefix}") if prefix else request.script_root
    host = request.host_url.rstrip("/") if absolute else ""
    return f"{host}{mounted}{spoken().prefix(language)}{path}"


def twins(*, found: bool = True) -> Sequence[Twin]:
    """Return this page in every language of the shop, its own first; none where there is only one.

    found: False where there is no such page, whose place the first one takes.
    """
    with suppress(Exception):  # an error page without a database offers no choice
        shop = spoken()
        if shop.others:
            path = _path_to_come_back_to() if found and request.blueprint == SHOP else "/"
            return [_twin(language, path) for language in (shop.own, *shop.others)]
    return []


def is_listed() -> bool:
    """Tell whether search engines are to know this page's twins."""
    return request.endpoint in LISTED and request.method in {"GET", "HEAD"}


def _twin(language: str, path: str) -> Twin:
    faces = current_app.extensions["shopfloor-faces"]
    if language not in faces:
        faces[language] = _face(language)
    name, direction, offer = faces[language]
    number = request.args.get("page", "")
    listed = path.partition("?")[0] + (
        f"?page={int(number)}" if number.isascii() and number.isdecimal() and len(number) < 7 else ""
    )
    return Twin(
        language=language,
        name=name,
        direction=direction,
        address=address_in(language, listed, absolute=True),
        switch=url_for("shop.language", code=language, back=path),
        offer=offer,
    )


def _face(language: str) -> tuple[str, str, str]:
    """Return a language's own name, its direction, and the offer to read in it."""
    locale = Locale.parse(language, sep="-")
    name = str(locale.get_display_name(locale) or language)
    with force_locale(str(locale)):
        # Translators: name your own language here
        offer = _("Read this page in English")
    return name[:1].upper() + name[1:], str(locale.text_direction), offer


def _path_to_come_back_to() -> str:
    """Return path and query of this page; of a refused form, where it stands; the first page where that cannot be got."""
    if request.method in {"GET", "HEAD"}:
        return _here()
    try:
        current_app.create_url_adapter(request).match(request.path, method="GET")  # type: ignore[union-attr] # there is a request
    except RequestRedirect:
        pass
    except HTTPException:
        return "/"
    return quote(request.path, UNRESERVED)


def _here() -> str:
    """Return path and query of this request as they were sent, without the prefix."""
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    return quote(request.path, UNRESERVED) + query
