"""Passwords: hashed with Argon2, a few at a time, so that many who log in at once do not take all memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from backoffice.public.errors import Refused

SHORTEST, LONGEST = 8, 128
MOST_READ = 1_000  # characters of what was typed that are looked at
AT_ONCE = 2  # hashes of one process at the same moment: each takes 64 MB
WAIT_SECONDS = 5.0
_hasher = PasswordHash.recommended()
_places = threading.BoundedSemaphore(AT_ONCE)


def make_hash(password: str) -> str:
    """Hash a password. Raises Refused(busy) when too many are hashed at this moment."""
    with _place():
        return _hasher.hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Compare with the stored hash; None (nobody) takes the same work and is never right. Raises Refused(busy)."""
    known = stored if stored is not None else nobodys_hash()
    with _place():
        try:
            right = _hasher.verify(password[:MOST_READ], known)
        except UnknownHashError:
            right = False
    return right and stored is not None


@lru_cache(maxsize=1)
def nobodys_hash() -> str:
    """Return a hash that stands in where there is nobody."""
    return _hasher.hash("nobody has this password")


@contextmanager
def _place() -> Iterator[None]:
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise Refused("busy")
    try:
        yield
    finally:
        _places.release()
