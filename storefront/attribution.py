"""What brought a visitor here: the first campaign link they followed, kept in their own browser.

The page's script writes the cookie, and only where the address carries a campaign: pages stay the same for everybody and
caches keep them. Without a script a campaign link to the contact page still counts: its form carries the words along.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, unquote

from flask import request

COOKIE = "source"
NAMES = ("source", "medium", "campaign", "landing")
LONGEST = 200
MOST_FIELDS = 20


def read() -> dict[str, str]:
    """Return source, medium, campaign and landing page of this visitor: the first visit's, else this address's; or nothing."""
    return _from_cookie() or _from_address()


def of_post(typed: Mapping[str, str]) -> dict[str, str]:
    """Return the same where a form is sent: the browser's memory first, then what the form brought along."""
    return _from_cookie() or {name: typed.get(name, "")[:LONGEST] for name in NAMES}


def _from_cookie() -> dict[str, str]:
    return _pick(unquote(request.cookies.get(COOKIE, "")))


def _from_address() -> dict[str, str]:
    found = _pick(request.query_string.decode("utf-8", "replace"))
    return found | {"landing": request.path[:LONGEST]} if found else {}


def _pick(query: str) -> dict[str, str]:
    """Return what a query string says; an empty dict if it names no source and no campaign, or is nonsense."""
    try:
        pairs = parse_qs(query[:2_000], max_num_fields=MOST_FIELDS)
    except ValueError:  # more fields than anybody's campaign has
        return {}
    values = {name: pairs.get(f"utm_{name}", [""])[0].replace("\x00", "")[:LONGEST] for name in ("source", "medium", "campaign")}
    if not values["source"] and not values["campaign"]:
        return {}
    return values | {"landing": pairs.get("landing", [""])[0].replace("\x00", "")[:LONGEST]}
