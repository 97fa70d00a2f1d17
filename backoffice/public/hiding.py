"""What is left of a name, an address or an e-mail address for whoever may not read it: enough for its owner to know it again."""

from __future__ import annotations

from itertools import takewhile
from unicodedata import category

REST = "…"


def hide_words(text: str) -> str:
    """Return each word's first letter, with the marks that belong to it: `A… O…` of Ada Okafor, `1… B…` of 10115 Berlin."""
    return " ".join(_hide(word) for word in text.split())


def hide_email(email: str) -> str:
    """Return an e-mail address without its name: `a…@mail.test`. The rest tells its owner which of their mailboxes it is."""
    name, at, host = email.rpartition("@")
    return f"{_hide(name)}{at}{host}" if name else ""


def _hide(word: str) -> str:
    marks = "".join(takewhile(lambda sign: category(sign).startswith("M"), word[1:]))
    return f"{word[:1]}{marks}{REST}"
