"""Every phrase has words in every language, with the same gaps to fill, and programs read what the sources say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog, Message

from backoffice import catalogues as words

GAP = re.compile(r"%(?:\((\w+)\))?[sd%]")
FILES = [
    pytest.param(area, path, id=f"{area.sources[0]}-{path.parent.parent.name}")
    for area in words.AREAS
    for path in words.files(area)
]
each = pytest.mark.parametrize(("area", "path"), FILES)


def forms(message: Message) -> Iterator[tuple[str, str]]:
    """Return (phrase, translation) of a message, each of its plural forms."""
    if isinstance(message.id, str):
        yield message.id, str(message.string)
        return
    for number, string in enumerate(message.string):
        yield message.id[min(number, 1)], string


def gaps(text: str) -> set[str]:
    """Return what is filled in at `%(name)s`."""
    return {found.group(0) for found in GAP.finditer(text)}


@pytest.fixture(scope="module")
def phrases() -> dict[Path, Catalog]:
    """What there is to translate, by the folder of its translations."""
    return {area.translations: words.collect(area) for area in words.AREAS}


def test_there_are_languages() -> None:
    shop, office = ({path.parent.parent.name for path in words.files(area)} for area in words.AREAS)
    assert shop == office >= {"de"}


@pytest.mark.parametrize(
    ("area", "path"), FILES, ids=lambda one: one.parent.parent.name if isinstance(one, Path) else one.sources[0]
)
def test_every_phrase_has_words(area: words.Area, path: Path, phrases: dict[Path, Catalog]) -> None:
    """Mend with `make translations`, then fill in what it says has no words."""
    catalog = words.read(path)
    wanted, found = ({(one.id, one.context) for one in many if one.id} for many in (phrases[area.translations], catalog))
    assert (sorted(map(str, wanted - found)), sorted(map(str, found - wanted))) == ([], [])
    assert words.missing(catalog) == []


@pytest.mark.parametrize(
    ("area", "path"), FILES, ids=lambda one: one.parent.parent.name if isinstance(one, Path) else one.sources[0]
)
def test_translations_fill_in_the_same(area: words.Area, path: Path) -> None:
    wrong = []
    for message in words.read(path):
        every = {gap for phrase in ([message.id] if isinstance(message.id, str) else message.id) for gap in gaps(phrase)}
        for phrase, translation in forms(message) if message.id and message.string else ():
            one_of_several = not isinstance(message.id, str)  # "one day" may leave the number out
            got = gaps(translation)
            if not (got <= every and (one_of_several or got == gaps(phrase))):
                wrong.append((phrase, translation))
            if translation.strip() != translation and phrase.strip() == phrase:
                wrong.append((phrase, translation))
    assert wrong == []


@pytest.mark.parametrize(
    ("area", "path"), FILES, ids=lambda one: one.parent.parent.name if isinstance(one, Path) else one.sources[0]
)
def test_programs_read_what_the_sources_say(area: words.Area, path: Path) -> None:
    """Mend with `make translations`."""
    assert path.with_suffix(".mo").read_bytes() == words.compiled(words.read(path))


def test_what_was_only_guessed_or_is_half_said_counts_as_missing() -> None:
    catalog = Catalog(locale="de")
    catalog.add("sure", "sicher")
    catalog.add("guessed", "geraten", flags=["fuzzy"])
    catalog.add("empty", "")
    catalog.add(("one day", "%(num)d days"), ("ein Tag", ""))
    assert words.missing(catalog) == ["guessed", "empty", "('one day', '%(num)d days')"]


def test_a_new_language_is_only_a_folder(tmp_path: Path) -> None:
    area = words.Area(("templates/macros",), tmp_path)
    (tmp_path / "fr" / "LC_MESSAGES").mkdir(parents=True)
    [path] = words.files(area)
    first = words.bring_up(path, words.collect(area))
    assert "Next page" in words.missing(first)
    said = path.read_text().replace('msgid "Next page"\nmsgstr ""', 'msgid "Next page"\nmsgstr "Page suivante"')
    path.write_text(said)
    again = words.bring_up(path, words.collect(area))
    assert again["Next page"].string == "Page suivante"  # type: ignore[union-attr] # it is there
    assert path.read_text() == said  # run twice, nothing changes
