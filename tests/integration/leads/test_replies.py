"""Mails that come in: threaded by a secret that cannot be guessed, else by sender, else a new enquiry; each once, none lost.

Some are read from a real mail server on this machine (pymap); the others go in as bytes.
"""

from __future__ import annotations

import imaplib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backoffice.bridge.mailbox import Found, Mailbox, read_new
from backoffice.crm import incoming_mail, leads, links, replies
from backoffice.crm.models import Activity, Lead, MailTaken
from backoffice.crm.replies import Place
from backoffice.db import Database
from tests import need
from tests.integration.leads.conftest import Person

SECRET = "a key for tests only, 32 letters!"
Submit = Callable[..., Lead]


def mail(text: str = "In oak, please.", sender: str = "Anna <anna@example.test>", **headers: str) -> bytes:
    """Write a mail to us."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, "sales@werk.test", "Re: stool"
    for name, value in ({"Message-ID": f"<{hash(text)}@example.test>"} | headers).items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


def take(shop: Database, raw: bytes, uid: int, now: datetime) -> str:
    """Take a mail in and return what became of it."""
    read = incoming_mail.read(raw)
    row = shop.run(lambda s: replies.take_in(s, read, Place("box", 1, uid), secret_key=SECRET, now=now))
    return row.outcome if row else "taken before"


def entries(shop: Database, *kinds: str) -> list[tuple[int | None, str]]:
    """Return enquiry and words of the timeline's entries of these kinds."""
    with shop.read() as session:
        found = session.execute(sa.select(Activity.lead_id, Activity.text).where(Activity.kind.in_(kinds)).order_by(Activity.id))
        return [(row.lead_id, row.text) for row in found]


def state(shop: Database, lead_id: int = 1) -> tuple[str, datetime, int]:
    """Return state, deadline and version of an enquiry."""
    with shop.read() as session:
        lead = session.get_one(Lead, lead_id)
        return lead.state, lead.due_at, lead.version


def test_a_secret_names_its_enquiry_and_no_other_can_be_made_up() -> None:
    token = links.thread_token(SECRET, 7)
    for text in (f"<lead_answer.12.{token}@werk.test>", f"sales+{token.upper()}@werk.test", f"<x@y> <lead_answer.1.{token}@w>"):
        assert links.read_thread(SECRET, text) == 7
    for text in (
        "",
        "sales@werk.test",
        f"sales+8{token[1:]}@werk.test",
        f"sales+{token[:-1]}0@w",
        links.thread_token("other", 7),
    ):
        assert links.read_thread(SECRET, text) is None or (text.endswith("0@w") and token.endswith("0"))


def test_a_reply_waits_for_an_answer_again_whoever_sends_it(
    shop: Database, submit: Submit, bea: Person, now: datetime, mails: list[object]
) -> None:
    submit()
    shop.run(lambda s: leads.answer(s, 1, "In oak?", staff=bea, version=1, now=now))
    later = now + timedelta(days=1)
    answer = f"<lead_answer.1.{links.thread_token(SECRET, 1)}@werk.test>"
    raw = mail(sender="Assistant <office@example.test>", References=answer)
    assert take(shop, raw, 1, later) == "threaded"
    assert state(shop) == ("working", now + timedelta(days=1, hours=8), 3)
    assert take(shop, raw, 1, later) == "taken before"
    assert take(shop, raw, 2, later) == "repeated"  # as another copy, or under another validity
    assert entries(shop, "reply") == [(1, "Assistant <office@example.test>\nIn oak, please.")]
    assert state(shop)[2] == 3


def test_a_machines_mail_is_kept_and_asks_for_nothing(
    shop: Database, submit: Submit, bea: Person, now: datetime, mails: list[object]
) -> None:
    submit()
    shop.run(lambda s: leads.answer(s, 1, "In oak?", staff=bea, version=1, now=now))
    before = state(shop)
    raw = mail("I am away.", Auto_Submitted="auto-replied", Delivered_To=f"sales+{links.thread_token(SECRET, 1)}@werk.test")
    assert take(shop, raw, 1, now) == "threaded"
    assert (state(shop), entries(shop, "automatic")) == (before, [(1, "I am away.")])


def test_without_a_secret_the_sender_decides_and_a_stranger_is_a_new_enquiry(
    shop: Database, submit: Submit, bea: Person, now: datetime
) -> None:
    submit()
    assert (
        take(shop, mail("By the way", References="<lead_answer.1.1-00000000000000000000000000000000@werk.test>"), 1, now)
        == "threaded"
    )
    assert take(shop, mail("Do you ship abroad?", sender="new@example.test"), 2, now) == "new"
    assert (
        take(shop, mail("Delivery failed", sender="mailer-daemon@example.test", Auto_Submitted="auto-replied"), 3, now)
        == "doubtful"
    )
    assert take(shop, mail("Cheap!", sender="win@example.test", X_Spam_Flag="YES"), 4, now) == "doubtful"
    assert take(shop, mail("Our own", sender="hello@werk.test"), 5, now) == "set_aside"
    shop.run(lambda s: leads.take(s, 1, staff_id=bea.id, version=2, now=now))
    shop.run(lambda s: leads.done(s, 1, staff=bea, version=3, now=now))
    closed = f"<lead_answer.1.{links.thread_token(SECRET, 1)}@werk.test>"
    assert take(shop, mail("One more thing", In_Reply_To=closed), 6, now) == "new"
    with shop.read() as session:
        found = session.execute(sa.select(Lead.state, Lead.owner_id, Lead.party_id, Lead.source).order_by(Lead.id)).all()
    assert [tuple(one) for one in found] == [
        ("done", 1, 1, "web"),
        ("new", None, 2, "mail"),
        ("quarantined", None, 3, "mail"),
        ("quarantined", None, 4, "mail"),
        ("new", 1, 1, "mail"),  # of the same person, with the same colleague
    ]


def test_html_becomes_text_and_attachments_are_named_with_their_size(now: datetime) -> None:
    made = EmailMessage()
    made["From"] = "=?utf-8?q?J=C3=BCrgen?= <J@Example.test>"
    made.set_content(
        "<style>p{}</style><p>Two&nbsp;stools<br>in oak</p><script>alert(1)</script><ul><li>one</ul>", subtype="html"
    )
    made.add_attachment(b"x" * 14_200, maintype="application", subtype="pdf", filename="plan.pdf")
    read = incoming_mail.read(made.as_bytes())
    assert (read.sender, read.name) == ("j@example.test", "Jürgen")
    assert read.text == "Two stools\nin oak\n\none"
    assert incoming_mail.told(read).splitlines()[-1] == "📎 plan.pdf (14 kB)"


@pytest.mark.parametrize("raw", [b"", b"\x00\xff\xfe", b"Subject: no sender\r\n\r\nHello"])
def test_what_is_no_mail_is_said_to_be_none(raw: bytes) -> None:
    with pytest.raises(incoming_mail.NoMail):
        incoming_mail.read(raw)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A mail server with one empty mailbox; yields its address for `Mailbox`."""
    program = shutil.which("pymap", path=str(Path(sys.executable).parent))
    if program is None:
        need.lacks("imap", "no mail server")
    port = need.free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--no-tls", "--no-service", "admin", "--no-service", "managesieve"]
    with (tmp_path / "pymap.log").open("wb") as log:
        process = subprocess.Popen([program, *options, "dict", "--demo-data"], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                imaplib.IMAP4("127.0.0.1", port, timeout=5).shutdown()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError((tmp_path / "pymap.log").read_text()) from None
                time.sleep(0.05)  # until it listens
        yield f"imap://demouser:demopass@127.0.0.1:{port}/INBOX"
    finally:
        process.terminate()
        process.wait(10)


def deliver(server: str, *mails: bytes) -> None:
    """Put mails into the mailbox."""
    with imaplib.IMAP4("127.0.0.1", int(server.split(":")[-1].split("/")[0]), timeout=10) as client:
        client.login("demouser", "demopass")
        for raw in mails:
            assert client.append("INBOX", "", None, raw.replace(b"\n", b"\r\n"))[0] == "OK"  # type: ignore[arg-type] # no flags, no date


def test_a_mailbox_is_read_once_each_and_a_bad_mail_stops_nothing(
    shop: Database, submit: Submit, server: str, now: datetime
) -> None:
    submit()
    box = Mailbox(server)
    assert read_new(shop, box, secret_key=SECRET, now=now) == 0  # what lies there already is old
    plain = mail("First")
    deliver(server, plain, b"Subject: poison\n\nwho wrote this?", mail("Last", sender="new@example.test"), plain)
    assert read_new(shop, box, secret_key=SECRET, now=now) == 4
    assert read_new(shop, box, secret_key=SECRET, now=now) == 0
    with shop.read() as session:
        found = session.execute(sa.select(MailTaken.outcome, MailTaken.problem).order_by(MailTaken.uid)).all()
    assert [tuple(one) for one in found] == [
        ("set_aside", replies.BEFORE_US),
        ("threaded", ""),
        ("set_aside", "NoMail"),
        ("new", ""),
        ("repeated", ""),
    ]
    assert entries(shop, "reply") == [(1, "First")]
    with imaplib.IMAP4("127.0.0.1", int(server.split(":")[-1].split("/")[0]), timeout=10) as client:
        client.login("demouser", "demopass")
        client.select("INBOX", readonly=True)
        unread = client.search(None, "UNSEEN")[1][0]
        assert len(unread.split()) >= 4  # nothing in it was marked


class Pile:
    """Mails without a server: a double of `Mailbox` and of what it opens."""

    name, validity, next_uid = "demo@pile", 1, 1

    def __init__(self, *mails: bytes) -> None:
        self._mails = mails

    @contextmanager
    def open(self) -> Iterator[Pile]:
        yield self

    def after(self, uid: int) -> list[Found]:
        return [Found(at, len(raw)) for at, raw in enumerate(self._mails, 1) if at > uid]

    def fetch(self, uid: int) -> bytes:
        return self._mails[uid - 1]


@pytest.mark.parametrize("times", [1, 2])
def test_a_mail_that_the_database_refuses_is_tried_again_then_set_aside_never_passed_over(
    shop: Database, now: datetime, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """The next mail's number would hide it for ever. Refused once: another worker was at the same moment."""
    pile = Pile(mail("First", sender="first@example.test"), mail("Last", sender="last@example.test"))
    empty = Pile()
    assert read_new(shop, empty, secret_key=SECRET, now=now) == 0  # type: ignore[arg-type] # the double
    take_in, left = replies.take_in, [times]

    def refusing(session: Session, **given: Any) -> MailTaken | None:
        if given["mail"].sender == "first@example.test" and left[0]:
            left[0] -= 1
            raise IntegrityError("INSERT", {}, Exception("no room for it"))
        return take_in(session, **given)

    monkeypatch.setattr(replies, "take_in", refusing)
    assert read_new(shop, pile, secret_key=SECRET, now=now) == 2  # type: ignore[arg-type] # the double
    with shop.read() as session:
        found = session.execute(sa.select(MailTaken.outcome, MailTaken.problem).order_by(MailTaken.uid)).all()
    first = ("set_aside", "IntegrityError") if times == 2 else ("new", "")
    assert [tuple(one) for one in found] == [("set_aside", replies.BEFORE_US), first, ("new", "")]


@pytest.mark.parametrize("address", ["https://x", "imaps://host/INBOX", "imap://user:x@mail.example/INBOX", "imaps://u:p@"])
def test_a_wrong_address_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValueError, match="SHOPFLOOR_IMAP_URL"):
        Mailbox(address)
