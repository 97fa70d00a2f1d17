"""A mail that came in, read: who wrote, what they wrote as plain text, what hangs on it, which thread it belongs to. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from html.parser import HTMLParser

LONGEST_TEXT = 20_000
LONGEST_NAME = 200
_SILENT = frozenset({"script", "style", "head", "title", "template"})
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "table", "ul", "ol", "hr", "pre"})


class NoMail(ValueError):
    """Say that bytes are no mail that anybody could answer."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One mail. key: the hash of its Message-ID, of all of it where it has none. threads: what may name our thread.

    attachments: name and size in bytes. automatic: a machine wrote it (out of office, a bounce, a list). doubtful: whoever
    received it for us takes it for spam.
    """

    key: str
    sender: str
    name: str
    subject: str
    text: str
    threads: tuple[str, ...] = ()
    attachments: tuple[tuple[str, int], ...] = ()
    automatic: bool = False
    doubtful: bool = False


def read(raw: bytes) -> Incoming:
    """Return what a mail says. Raises NoMail for one without a sender, and whatever the standard library's parser raises."""
    mail = message_from_bytes(raw, policy=default)
    senders = [pair for pair in getaddresses([str(mail.get("From", ""))]) if "@" in pair[1]]
    if not senders:
        raise NoMail("no sender")
    name, sender = senders[0]
    message_id = str(mail.get("Message-ID", "")).strip()
    places = [str(mail.get(header, "")) for header in ("In-Reply-To", "References")]
    for header in ("To", "Cc", "Delivered-To", "X-Original-To"):
        places += [address for _, address in getaddresses([str(one) for one in mail.get_all(header, [])])]
    return Incoming(
        key=hashlib.sha256(message_id.encode("utf-8", "replace") or raw).hexdigest(),
        sender=sender.strip().lower(),
        name=" ".join(_clean(name).split())[:LONGEST_NAME],
        subject=" ".join(_clean(str(mail.get("Subject", ""))).split())[:LONGEST_NAME],
        text=_text(mail),
        threads=tuple(one for one in places if one),
        attachments=tuple(_attachments(mail)),
        automatic=_is_automatic(mail),
        doubtful=str(mail.get("X-Spam-Flag", "")).strip().upper() == "YES",
    )


def told(mail: Incoming, *, of: str | None = None) -> str:
    """Return its words for a timeline: the text, then each attachment with its size; who wrote, where that is not `of`."""
    lines = [mail.text or mail.subject or "–"]
    if of is not None and of != mail.sender:
        lines.insert(0, f"{mail.name} <{mail.sender}>")
    lines += [f"📎 {name} ({size_of(size)})" for name, size in mail.attachments]
    return "\n".join(lines)


def size_of(size: int) -> str:
    """Write a number of bytes: 812 B, 14 kB, 2.3 MB."""
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1_000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def as_text(html: str) -> str:
    """Return what a reader of HTML sees: its text, a line for each block."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's signature
        self._silent += tag in _SILENT
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data.replace("\n", " "))


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain", "html"))
    if body is None:
        return ""
    content = str(body.get_content())
    plain = as_text(content) if body.get_content_subtype() == "html" else content
    return _clean(plain.replace("\r\n", "\n")).strip()[:LONGEST_TEXT]


def _attachments(mail: EmailMessage) -> list[tuple[str, int]]:
    found = []
    for part in mail.iter_attachments():
        payload = part.get_payload(decode=True)
        name = " ".join(_clean(part.get_filename() or part.get_content_type()).split())
        found.append((name[:LONGEST_NAME], len(payload) if isinstance(payload, bytes) else len(part.as_bytes())))
    return found


def _is_automatic(mail: EmailMessage) -> bool:
    auto = str(mail.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    listed = str(mail.get("Precedence", "")).strip().lower() in {"bulk", "junk", "list", "auto_reply"}
    return auto != "no" or listed or mail.get_content_type() == "multipart/report"


def _clean(text: str) -> str:
    """Return the text without what a database cannot store: NUL, halves of surrogate pairs."""
    return "".join(letter for letter in text if letter != "\x00" and unicodedata.category(letter) != "Cs")
