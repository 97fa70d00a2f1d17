"""The words of a campaign: one text for each language, a few words in braces, links that say where somebody came from.

No database, no clock. What a name is filled in for was split into words and links before, so that nobody's name is a link.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from babel import negotiate_locale

from backoffice.public.errors import BadInput

LONGEST_NAME, LONGEST_SUBJECT, LONGEST_BODY = 100, 150, 5_000
PLACEHOLDERS = ("first_name", "shop", "link")
SOURCE, MEDIUM = "newsletter", "email"  # utm_source and utm_medium of every link; utm_campaign is the campaign's code
_WORD = re.compile(r"\{([^{}\n]*)\}")
_LINK = re.compile(r"(\{link\}|https?://[^\s<>\"{}]*[^\s<>\"{}.,;:!?)'])")
Texts = Mapping[str, Mapping[str, str]]
Parts = list[list[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A text with everything filled in. paragraphs: of each its parts, words and the address that they lead to or ""."""

    subject: str
    paragraphs: Parts

    @property
    def plain(self) -> str:
        """Return the letter as plain text: a link is its address."""
        return "\n\n".join("".join(address or words for words, address in one) for one in self.paragraphs)


def code_of(name: str) -> str:
    """Return the utm_campaign of a name: small letters and digits with hyphens between, empty if there are none."""
    return re.sub(r"[\W_]+", "-", name.lower()).strip("-")


def checked(name: str, texts: Texts, *, own: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the name and the texts as they are kept; a language without any words is left out.

    own: the company's language, in which there must be a text. Raises BadInput(invalid_form, name | subject-… | body-…).
    """
    wrong, kept = {}, {}
    words = " ".join(name.split())
    if not code_of(words):
        wrong["name"] = "required"
    elif len(words) > LONGEST_NAME or not words.isprintable():
        wrong["name"] = "shorten" if len(words) > LONGEST_NAME else "bad_character"
    for language, text in texts.items():
        subject, body = " ".join(text["subject"].split()), text["body"].strip().replace("\r\n", "\n")
        if subject or body or language == own:
            kept[language] = {"subject": subject, "body": body}
            wrong |= {
                f"{part}-{language}": code
                for part, code in (("subject", _wrong(subject, LONGEST_SUBJECT)), ("body", _wrong(body, LONGEST_BODY)))
                if code
            }
            if "{link}" in subject:
                wrong[f"subject-{language}"] = "placeholder_left"
    if wrong:
        raise BadInput("invalid_form", wrong)
    return words, kept


def choose(languages: Sequence[str], wanted: str, own: str) -> str:
    """Return the language that somebody is written to in: theirs if there is a text, else the company's, else the first."""
    return _nearest(languages, wanted) or _nearest(languages, own) or languages[0]


def fill(text: Mapping[str, str], *, name: str, shop: str, address: str, code: str) -> Letter:
    """Return a text for somebody. address: of the shop in this language; code: the campaign's, for links that lead there."""
    values = {"first_name": first_name(name), "shop": shop}
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", text["body"]):
        parts = []
        for number, part in enumerate(_LINK.split(paragraph)):
            if number % 2:
                told = address if part == "{link}" else part
                parts.append((told, _traced(told, address, code)))
            elif part:
                parts.append((_filled(part, values), ""))
        paragraphs.append(parts)
    return Letter(_filled(text["subject"], values), paragraphs)


def first_name(name: str) -> str:
    """Return the first word of a name, if it is one that a person may be called by, else nothing: not part of an address."""
    word = name.split()[0] if name.split() else ""
    return word if re.fullmatch(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*", word) and len(word) > 1 else ""


def _nearest(languages: Sequence[str], wanted: str) -> str:
    tags = {one.replace("-", "_"): one for one in languages}
    return tags.get(negotiate_locale([wanted.replace("-", "_")], list(tags)) or "", "")


def _wrong(text: str, longest: int) -> str:
    if not text:
        return "required"
    if len(text) > longest:
        return "shorten"
    if not text.replace("\n", " ").replace("\t", " ").isprintable():
        return "bad_character"
    return "placeholder_left" if set(_WORD.findall(text)) - set(PLACEHOLDERS) else ""


def _filled(text: str, values: Mapping[str, str]) -> str:
    """Fill words in; where we know no name, the space before it goes too: "Hello {first_name}," becomes "Hello,"."""
    if not values["first_name"]:
        text = text.replace(" {first_name}", "")
    return _WORD.sub(lambda word: values.get(word[1], word[0]), text)


def _traced(link: str, address: str, code: str) -> str:
    """Return a link with the campaign's words, if it leads to the shop; others are left alone."""
    parts, ours = urlsplit(link), urlsplit(address)
    if (parts.scheme, parts.netloc) != (ours.scheme, ours.netloc):
        return link
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if not name.startswith("utm_")]
    traced = [*kept, ("utm_source", SOURCE), ("utm_medium", MEDIUM), ("utm_campaign", code)]
    return urlunsplit(parts._replace(path=parts.path or "/", query=urlencode(traced)))
