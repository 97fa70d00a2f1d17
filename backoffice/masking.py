"""Secrets that are kept for a while to be said once more: kept masked, so that the database alone tells none of them.

Each letter of a token (base64url: six bits) is combined by exclusive-or with six bits of HMAC-SHA-256(secret key, place): a
one-time pad, as long as a place is used for one text only. Masked twice it is the text again.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import string
from itertools import count

_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
_TOKEN = re.compile(
    r'(?<=[/"])[A-Za-z0-9_-]{27}(?=["/?#]|$)'
)  # 160 bits as `crm.links` makes them: a value, or part of an address


def mask(secret_key: str, place: str, text: str) -> str:
    """Return a text with other letters in the place of its tokens; the rest, and how long it is, stays."""
    number = count()

    def combined(found: re.Match[str]) -> str:
        pad = hmac.new(secret_key.encode(), f"mask:{place}:{next(number)}".encode(), hashlib.sha256).digest()
        return "".join(_LETTERS[_LETTERS.index(letter) ^ (bits & 63)] for letter, bits in zip(found[0], pad, strict=False))

    return _TOKEN.sub(combined, text)
