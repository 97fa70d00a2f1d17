"""What people type, read strictly in one place. Nothing is dropped silently: taken as typed, or refused by name."""

from __future__ import annotations

import hashlib

from backoffice.public.errors import BadInput, NotFound

MOST = 9999  # pieces in one line: more is a conversation, not a cart
LONGEST_QUERY = 200
LONGEST_POSTCODE = 16
LONGEST_PAGE = 6  # digits


def parse_quantity(text: str | None, *, least: int = 1) -> int:
    """Return the pieces that were typed: decimal digits of any script, `least`..9999. Raises BadInput(bad_quantity)."""
    typed = (text or "").strip()
    if not typed.isdecimal() or len(typed.lstrip("0")) > len(str(MOST)):
        raise BadInput("bad_quantity", {"quantity": "bad_quantity"}, typed=typed)
    quantity = int(typed)
    if not least <= quantity <= MOST:
        raise BadInput("bad_quantity", {"quantity": "bad_quantity"}, typed=typed)
    return quantity


def parse_postcode(text: str | None) -> str | None:
    """Return the postcode without outer blanks, None when nothing was typed. Raises BadInput(unknown_postcode)."""
    typed = (text or "").strip()
    if not typed:
        return None
    if len(typed) > LONGEST_POSTCODE or not typed.isprintable():
        raise BadInput("unknown_postcode", {"postcode": "unknown_postcode"}, typed=typed)
    return typed


def parse_page(text: str | None) -> int:
    """Return the page of a list, from 1; a missing one is the first. Raises NotFound(unknown_page)."""
    if text is None:
        return 1
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_PAGE) or int(text) < 1:
        raise NotFound("unknown_page")
    return int(text)


def parse_query(text: str | None) -> str:
    """Return the words to search for. Raises BadInput(long_query) past 200 characters."""
    typed = (text or "").strip()
    if len(typed) > LONGEST_QUERY:
        raise BadInput("long_query", {"q": "long_query"}, most=LONGEST_QUERY)
    return typed


def parse_hidden_int(text: str | None) -> int:
    """Return a number the page itself had set; -1 when it was tampered with, which no cart ever matches."""
    typed = text or ""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= 15 else -1


def is_local_path(path: str) -> bool:
    """Tell whether `path` leads back into this shop and nowhere else."""
    return path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()


def content_key(*parts: str) -> str:
    """Return a key made of what was typed, for forms on pages without a token: the same text is the same message."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(f"{len(raw)}:".encode())
        digest.update(raw)
    return "c-" + digest.hexdigest()[:40]
