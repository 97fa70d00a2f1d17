"""The search fold: one spelling for texts and queries, in any script, the same on every database.

Diacritics are dropped only where readers take them as optional (Latin, Greek, Cyrillic). In Bengali, Hindi, Arabic or
Thai a mark is a letter's other half: dropping it would make different words equal.
"""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans(
    {"đ": "d", "ð": "d", "ł": "l", "ø": "o", "æ": "ae", "œ": "oe", "þ": "th", "ħ": "h", "ŧ": "t", "ı": "i", "ŋ": "n"}
)
_STRIPPED_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")


def fold(text: str) -> str:
    """Return `text` as it is searched: letters without case, marks of Latin, Greek and Cyrillic dropped, single spaces.

    Punctuation and symbols separate words; digits of every script become 0-9. Folding twice changes nothing.
    """
    kept: list[str] = []
    stripping = False
    for char in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold()):
        category = unicodedata.category(char)
        if category == "Cf":  # joiners and direction marks: typed or not, the word is the same
            continue
        if category.startswith("M"):
            if not stripping:
                kept.append(char)
            continue
        stripping = unicodedata.name(char, "").startswith(_STRIPPED_SCRIPTS)
        if category == "Nd":
            kept.append(str(unicodedata.digit(char)))
        elif category[0] in "LN":
            kept.append(char.translate(_LETTERS))
        else:
            kept.append(" ")
    return unicodedata.normalize("NFC", " ".join("".join(kept).split()))
