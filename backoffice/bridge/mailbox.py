"""Our mailbox, read by IMAP. Nothing in it is changed: no mail is marked, moved or deleted, so people may work in it as well."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
from sqlalchemy.exc import IntegrityError, OperationalError

from backoffice.crm import incoming_mail, replies
from backoffice.crm.replies import Place
from backoffice.db import Database

SECONDS_TO_ANSWER = 30
LARGEST = 30_000_000  # bytes; what is larger is set aside unread
AT_ONCE = 200  # mails in one turn of the worker
PORTS = {"imap": 143, "imap+starttls": 143, "imaps": 993}
log = structlog.get_logger("shopfloor.mailbox")


@dataclass(frozen=True, slots=True)
class Found:
    """A mail in the mailbox, not fetched yet. size: in bytes."""

    uid: int
    size: int


class Mailbox:
    """One folder of a mail server.

    url: imaps://user:password@host:993/INBOX | imap+starttls://… | imap://… (this machine only), user and password
    percent-encoded, INBOX where none is named. Raises ValueError for any other address, so that a wrong setting is seen early.
    """

    def __init__(self, url: str, *, trust: ssl.SSLContext | None = None) -> None:
        """Read the mailbox at `url`. trust: whose certificates count; none: those the machine trusts."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname or not parts.username:
            raise ValueError("SHOPFLOOR_IMAP_URL must be imaps://, imap+starttls:// or imap://, a user and a host")
        if parts.scheme == "imap" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
            raise ValueError("SHOPFLOOR_IMAP_URL: without encryption (imap://) only a server on this machine is read")
        self._kind, self._host, self._port = parts.scheme, parts.hostname, parts.port or PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username), unquote(parts.password or "")
        self._folder = unquote(parts.path.strip("/")) or "INBOX"
        self._trust = trust

    @property
    def name(self) -> str:
        """Return what tells this mailbox from others: nothing secret."""
        return f"{self._user}@{self._host}/{self._folder}"

    def open(self) -> Reading:
        """Connect, log in, look. Raises OSError or imaplib's errors."""
        trust = self._trust or ssl.create_default_context()
        if self._kind == "imaps":
            server: imaplib.IMAP4 = imaplib.IMAP4_SSL(self._host, self._port, ssl_context=trust, timeout=SECONDS_TO_ANSWER)
        else:
            server = imaplib.IMAP4(self._host, self._port, timeout=SECONDS_TO_ANSWER)
        try:
            if self._kind == "imap+starttls":
                server.starttls(trust)
            server.login(self._user, self._password)
            _require(server.select(f'"{self._folder}"', readonly=True))
        except BaseException:
            server.shutdown()
            raise
        return Reading(server)


class Reading:
    """An open connection: which mails there are, and each as it was sent."""

    def __init__(self, server: imaplib.IMAP4) -> None:
        self._server = server
        self.validity = self._number("UIDVALIDITY")
        self.next_uid = self._number("UIDNEXT")

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            self._server.logout()
        except (OSError, imaplib.IMAP4.error):
            self._server.shutdown()

    def after(self, uid: int) -> list[Found]:
        """Return the mails above a number, the oldest first."""
        answer = _require(self._server.uid("FETCH", f"{uid + 1}:*", "(UID RFC822.SIZE)"))
        found = []
        for line in answer:
            text = (line[0] if isinstance(line, tuple) else line or b"").decode("ascii", "replace")
            number, size = re.search(r"\bUID (\d+)", text), re.search(r"RFC822\.SIZE (\d+)", text)
            if number and size and int(number[1]) > uid:  # "n:*" also names the last one where it is below n
                found.append(Found(int(number[1]), int(size[1])))
        return sorted(found, key=lambda one: one.uid)

    def fetch(self, uid: int) -> bytes | None:
        """Return a mail as it was sent, without marking it; None if somebody deleted it meanwhile."""
        answer = _require(self._server.uid("FETCH", str(uid), "(BODY.PEEK[])"))
        return next((part[1] for part in answer if isinstance(part, tuple)), None)

    def _number(self, name: str) -> int:
        told = self._server.response(name)[1][0]
        if not isinstance(told, bytes):
            raise imaplib.IMAP4.error(f"the mail server does not say its {name}")
        return int(told)


def read_new(db: Database, mailbox: Mailbox, *, secret_key: str, now: datetime) -> int:
    """Take in what came since the last time; return how many. What cannot be read is set aside and stops nothing.

    The first time only notes where to begin: what lies in a mailbox already is old. Mails are fetched outside transactions.
    """
    with mailbox.open() as reading:
        with db.read() as session:
            begun = replies.last_read(session, mailbox.name, reading.validity)
        if begun is None:
            start = Place(mailbox.name, reading.validity, reading.next_uid - 1)
            db.run(lambda session: replies.set_aside(session, start, replies.BEFORE_US, now=now))
            return 0
        return sum(1 for one in _places(mailbox, reading, begun) if _take(db, reading, *one, secret_key=secret_key, now=now))


def _places(mailbox: Mailbox, reading: Reading, begun: int) -> Iterator[tuple[Place, Found]]:
    for found in reading.after(begun)[:AT_ONCE]:
        yield Place(mailbox.name, reading.validity, found.uid), found


def _take(db: Database, reading: Reading, place: Place, found: Found, *, secret_key: str, now: datetime) -> bool:
    if found.size > LARGEST:
        return _set_aside(db, place, "too large", now)
    raw = reading.fetch(found.uid)
    if raw is None:
        return _set_aside(db, place, "deleted before it was read", now)
    try:
        mail = incoming_mail.read(raw)
        take_in = partial(replies.take_in, mail=mail, place=place, secret_key=secret_key, now=now)
        try:
            taken = db.run(take_in)
        except IntegrityError:  # another worker took it this very moment: now it is seen as taken
            taken = db.run(take_in)
    except OperationalError:  # the database is away: the mail is still there the next time
        raise
    except Exception as error:  # whatever is wrong with this mail is no reason to lose those after it
        log.warning("a mail cannot be read", uid=found.uid, reason=type(error).__name__)
        return _set_aside(db, place, type(error).__name__, now)
    return taken is not None


def _set_aside(db: Database, place: Place, problem: str, now: datetime) -> bool:
    return db.run(lambda session: replies.set_aside(session, place, problem, now=now)) is not None


def _require(answer: tuple[str, Sequence[Any]]) -> Sequence[Any]:
    """Return what the server said. Raises imaplib's error where it said no."""
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(f"the mail server said {answer[0]}")
    return answer[1]
