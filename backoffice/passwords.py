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
# which no list of leaks has: rows of one letter, German words, what a guesser tries at a shop
OURS = """
!@#$%^&* 00000000 000000000 0000000000 0123456789 0987654321 10101010 111111111 1111111111 12121212 123123123 12341234
19901990 20002000 20202020 20242024 20252025 20262026 22222222 27182818 33333333 44444444 5201314520 55555555 66666666
77777777 87654321 88888888 987654321 9876543210 99999999 aa12345678 abcdabcd abcdefgh abcdefghi abcdefghij account123
admin1234 bailey123 banana123 barcelona1 bayern123 bmw12345 changeme123 cheese123 correcthorsebatterystaple customer1
einkaufen facebook1 fortnite freedom123 fruehling geheim123 guest123 hallo1234 hallohallo hellohello herbst2025 hunter2000
ichliebedich iphone123 januar2026 jetaime1 kunde123 kundenkonto letmein123 login123 lovelove maggie123 minecraft1 myaccount
mylove123 mypass123 nokia1234 orange123 p@ssword pass12345 passpass password1! passwort1 passwort123 qwerty!@# roblox123
root1234 shopfloor shopfloor1 snoopy123 sommer123 sommer2023 sommer2024 sommer2025 sommer2026 summer123 summer2024 summer2025
summer2026 teamo123 test12345 testtest tigger123 twitter1 welcome1! willkommen winter123 winter2024 winter2025 winter2026
woaini1314 xbox3600 youtube1 zaq1zaq1
"""
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


def find_fault(password: str, *, email: str = "") -> str | None:
    """Return the code of what is wrong with a new password: bad_length | common_password; None: nothing."""
    if not SHORTEST <= len(password) <= LONGEST:
        return "bad_length"
    folded = password.casefold()
    return "common_password" if folded in common() or folded == email.casefold() else None


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """Return passwords that guessers try first, eight letters or more, in lower case: zxcvbn's lists of leaked passwords,
    names and words (Wheeler, USENIX Security 2016), and those that a guesser tries here.
    """
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # 14 MB and a tenth of a second: only where a password is chosen

    listed = (word for words in FREQUENCY_LISTS.values() for word in words if len(word) >= SHORTEST)
    return frozenset(listed).union(OURS.split())


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
