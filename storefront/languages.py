"""Languages: a second one is only a catalogue below `storefront/translations`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flask import Flask
from flask_babel import Babel

TRANSLATIONS = Path(__file__).parent / "translations"
SOURCE = "en"  # the language the phrases are written in


def offered(folder: Path = TRANSLATIONS) -> frozenset[str]:
    """Return the languages there are catalogues for, and the source language."""
    catalogues = (path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/messages.mo"))
    return frozenset({SOURCE, *catalogues})


def wire(app: Flask, shop_language: Callable[[], str], folder: Path = TRANSLATIONS) -> None:
    """Set up translation on `app` unless it already is. Pages are in the shop's language where there is a catalogue.

    The language does not follow the browser: a page under one address is the same bytes for everybody.
    """
    if "babel" in app.extensions:
        return
    languages = offered(folder)

    def select() -> str:
        if len(languages) == 1:
            return SOURCE  # nothing to choose from: do not ask the database
        language = shop_language()
        return language if language in languages else SOURCE

    Babel(app, default_locale=SOURCE, default_translation_directories=str(folder), locale_selector=select)
