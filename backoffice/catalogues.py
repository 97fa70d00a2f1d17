"""Collect the phrases that people read, bring the catalogues up to them, and compile those: `make translations`.

There are two catalogues for a language: the shop's, and that of desks and mails. To add a language, make a folder for it
below both (`storefront/translations/fr/LC_MESSAGES`) and run this; what comes out has no dates and no line numbers, so
that it only changes when a phrase does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = DEFAULT_KEYWORDS | {"plural": (1, 2)}
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext.babel_extract"), ("**.txt", "jinja2.ext.babel_extract")]
COMMENTS = ("Translators:",)
NO_DATE = datetime(2026, 1, 1, tzinfo=UTC)  # a date would change with every run


@dataclass(frozen=True, slots=True)
class Area:
    """One catalogue: where its phrases are, and where its translations."""

    sources: tuple[str, ...]
    translations: Path


AREAS = (
    Area(("storefront", "templates/storefront", "templates/macros", "templates/sandbox"), ROOT / "storefront" / "translations"),
    Area(("backoffice", "templates/desk", "templates/email", "templates/papers"), ROOT / "backoffice" / "translations"),
)


def collect(area: Area) -> Catalog:
    """Return every phrase of an area, without translations."""
    catalog = _dateless(Catalog(project="Shopfloor", charset="utf-8"))
    for source in area.sources:
        found = extract_from_dir(ROOT / source, METHODS, keywords=KEYWORDS, comment_tags=COMMENTS, strip_comment_tags=True)
        for name, _line, phrase, comments, context in found:
            catalog.add(phrase, locations=[(f"{source}/{name}", 0)], auto_comments=comments, context=context)
    return catalog


def files(area: Area) -> Iterator[Path]:
    """Return the translation files (.po) of an area, also those that are still to be made."""
    for folder in sorted(area.translations.glob("*/LC_MESSAGES")):
        yield folder / "messages.po"


def read(path: Path) -> Catalog:
    """Read a translation file."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name)


def compiled(catalog: Catalog) -> bytes:
    """Return the catalogue as programs read it; the same words are always the same bytes."""
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def bring_up(path: Path, phrases: Catalog) -> Catalog:
    """Add what is new to a translation file, drop what is gone, guess nothing; compile it beside. Return it."""
    catalog = read(path) if path.exists() else Catalog(locale=path.parent.parent.name, charset="utf-8")
    catalog.update(phrases, no_fuzzy_matching=True)
    _dateless(catalog)
    out = BytesIO()
    write_po(out, catalog, width=120, sort_by_file=True, include_lineno=False, ignore_obsolete=True)
    path.write_bytes(out.getvalue())
    catalog = read(path)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return catalog


def missing(catalog: Catalog) -> list[str]:
    """Return the phrases of a catalogue that have no words in its language yet, or only guessed ones."""
    return [str(one.id) for one in catalog if one.id and (one.fuzzy or not _is_whole(one.string))]


def _is_whole(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(string) and (isinstance(string, str) or all(string or ()))


def _dateless(catalog: Catalog) -> Catalog:
    catalog.header_comment = "# The words of Shopfloor in one language; `make translations` keeps the list of phrases."
    catalog.project, catalog.version, catalog.msgid_bugs_address = "Shopfloor", "", ""
    catalog.last_translator = catalog.language_team = ""
    catalog.creation_date = catalog.revision_date = NO_DATE
    catalog.fuzzy = False
    return catalog


def main() -> None:
    """Bring every translation file up, and say what is still to be translated."""
    for area in AREAS:
        phrases = collect(area)
        for path in files(area):
            left = missing(bring_up(path, phrases))
            sys.stdout.write(f"{path.relative_to(ROOT)}: {len(phrases)} phrases, {len(left)} without words\n")
            for phrase in left:
                sys.stdout.write(f"  {phrase}\n")


if __name__ == "__main__":
    main()
