"""Who is one person, and whose a visit was: rules over values, nothing else is asked.

Two parties are one person where their names agree and something else that few share does too: a telephone number, a postal
address, a browser, or an e-mail address with one slip of the finger. A name alone never is enough, nor is anything without a
name: a household shares its telephone, its address and its tablet. (Source: blocking and deterministic matching as in
Christen's Data Matching, chapters 4 and 6; rules rather than weights, so that each link can be explained and undone.)

A visit at which nobody said who they are is that of the only person known at this browser; of several, that of the only one who
was known there within half a day of it: who looks today orders today.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

LONG = 6  # letters that a name needs so that one of them may differ: Marie is not Maria
MOST_ALIKE = 60  # what more people share than this tells nobody apart
SAME_DAY = timedelta(hours=12)
PHONE_DIGITS = 8  # the last ones, by which numbers are compared: +49 30 and 030 are one


@dataclass(frozen=True, slots=True)
class Contact:
    """A party as it is written down. places: folded postal addresses; browsers: where they said who they are."""

    party_id: int
    email: str
    name: str
    phone: str
    places: frozenset[str]
    browsers: frozenset[int]


@dataclass(frozen=True, slots=True)
class Sitting:
    """A visit. person: whose it is known to be; None: nobody's."""

    visit_id: int
    browser: int
    began_at: datetime
    person: int | None


@dataclass(frozen=True, slots=True)
class Same:
    """Two parties that are one person, one < other. rule: phone | place | browser | email."""

    one: int
    other: int
    rule: str


@dataclass(frozen=True, slots=True)
class Belongs:
    """A visit that was somebody's. rule: only_one (known at this browser) | same_day."""

    visit_id: int
    party_id: int
    rule: str


def same_people(contacts: Iterable[Contact]) -> Sequence[Same]:
    """Return which parties are one person, in order; each pair by the first rule that says so."""
    found: dict[tuple[int, int], str] = {}
    known = [(one, _words(one.name)) for one in contacts]
    for rule, keys in _KEYS.items():
        for block in _blocks(known, keys):
            for (one, words), (other, others) in combinations(block, 2):
                pair = (min(one.party_id, other.party_id), max(one.party_id, other.party_id))
                if pair not in found and _RULES[rule](one, words, other, others):
                    found[pair] = rule
    return [Same(one, other, rule) for (one, other), rule in sorted(found.items())]


def whose(sittings: Iterable[Sitting]) -> Sequence[Belongs]:
    """Return whose the visits were at which nobody said who they are, where that can be told. Sittings of one person's several
    parties must come with one of them.
    """
    at_browser: dict[int, list[Sitting]] = defaultdict(list)
    for sitting in sittings:
        at_browser[sitting.browser].append(sitting)
    found = []
    for stay in at_browser.values():
        known = [one for one in stay if one.person is not None]
        people = {one.person for one in known}
        for sitting in stay:
            if sitting.person is None:
                about = people if len(people) == 1 else {one.person for one in known if _close(one, sitting)}
                if len(about) == 1 and (person := next(iter(about))) is not None:
                    found.append(Belongs(sitting.visit_id, person, "only_one" if len(people) == 1 else "same_day"))
    return sorted(found, key=lambda one: one.visit_id)


def fold(text: str) -> str:
    """Return letters and digits alone, in lower case without accents, words parted by one blank."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(letter for letter in plain if not unicodedata.combining(letter))))


def place_of(postcode: str, street: str) -> str:
    """Return a postal address as it is compared; empty where there is none."""
    street = re.sub(r"(strasse|str)\b", "str", fold(street)).replace(" ", "")
    return f"{fold(postcode).replace(' ', '')}|{street}" if postcode.strip() and street else ""


def near(one: str, other: str) -> bool:
    """Tell whether one slip makes one text of the other: a letter too many, missing, wrong, or two changed over."""
    if len(one) > len(other):
        one, other = other, one
    if len(other) - len(one) > 1 or one == other:
        return False
    at = next((place for place, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), len(one))
    if len(one) < len(other):
        return one[at:] == other[at + 1 :]
    turned = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
    return turned or one[at + 1 :] == other[at + 1 :]


def _close(one: Sitting, other: Sitting) -> bool:
    return abs(one.began_at - other.began_at) <= SAME_DAY


Named = tuple[Contact, tuple[str, ...]]


def _blocks(known: Sequence[Named], keys: Callable[[Contact, tuple[str, ...]], Iterable[str]]) -> Iterable[Sequence[Named]]:
    """Return those who share something, without what too many share."""
    blocks: dict[str, list[Named]] = defaultdict(list)
    for one in known:
        for key in keys(*one):
            blocks[key].append(one)
    return [block for block in blocks.values() if 1 < len(block) <= MOST_ALIKE]


def _words(name: str) -> tuple[str, ...]:
    return tuple(sorted(fold(name).split()))


def _digits(phone: str) -> str:
    digits = re.sub(r"\D", "", phone)
    return digits[-PHONE_DIGITS:] if len(digits) >= PHONE_DIGITS else ""


def _alike(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether two names may be one: all words equal but one, which is long and has one slip."""
    if len(one) < 2 or len(other) != len(one):
        return False
    left, right = set(one) - set(other), set(other) - set(one)
    if not left and not right:
        return True
    if len(left) != 1 or len(right) != 1:
        return False
    [mine], [theirs] = left, right
    return min(len(mine), len(theirs)) >= LONG and near(mine, theirs)


def _whole(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return len(one) > 1 and one == other


def _by_email(one: Contact, words: tuple[str, ...], other: Contact, others: tuple[str, ...]) -> bool:
    """A slip in the letters of an address, by somebody of the whole name; digits tell namesakes apart."""
    differs = re.sub(r"\D", "", one.email) != re.sub(r"\D", "", other.email)
    elsewhere = bool(one.places and other.places and not one.places & other.places)
    other_phone = bool(_digits(one.phone) and _digits(other.phone) and _digits(one.phone) != _digits(other.phone))
    return _whole(words, others) and not differs and not (elsewhere and other_phone) and near(one.email, other.email)


Rule = Callable[[Contact, tuple[str, ...], Contact, tuple[str, ...]], bool]
_KEYS: Mapping[str, Callable[[Contact, tuple[str, ...]], Iterable[str]]] = {
    "phone": lambda one, _: [_digits(one.phone)] if _digits(one.phone) else [],
    "place": lambda one, _: one.places,
    "browser": lambda one, _: [str(browser) for browser in one.browsers],
    "email": lambda _, words: [" ".join(words)] if len(words) > 1 else [],
}
_RULES: Mapping[str, Rule] = {
    "phone": lambda _, words, __, others: _alike(words, others),
    "place": lambda _, words, __, others: _alike(words, others),
    "browser": lambda _, words, __, others: _whole(words, others),
    "email": _by_email,
}
