"""When a letter's page was opened: said by the key that its form carries, signed, and stored nowhere."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta

SOONEST = timedelta(seconds=2)  # nobody reads and writes faster
LATEST = timedelta(hours=12)  # a page that was open all day
LETTERS_OF_A_FORM = 3  # somebody mends what they wrote and sends it again; a machine goes on


def make(secret_key: str, *, now: datetime) -> str:
    """Return the key of a form that is shown now."""
    told = f"{int(now.timestamp() * 1000):x}.{secrets.token_urlsafe(12)}"
    return f"{told}.{_sign(secret_key, told)}"


def is_unhurried(secret_key: str, key: str, *, now: datetime) -> bool:
    """Tell whether a form of ours was open for as long as a person needs, and not for days."""
    told, _, signature = key.rpartition(".")
    if not hmac.compare_digest(signature.encode(errors="replace"), _sign(secret_key, told).encode()):
        return False
    opened_at = datetime.fromtimestamp(int(told.partition(".")[0], 16) / 1000, UTC)
    return SOONEST <= now - opened_at <= LATEST


def _sign(secret_key: str, told: str) -> str:
    return hmac.new(secret_key.encode(), b"letter:" + told.encode(errors="replace"), hashlib.sha256).hexdigest()[:40]
