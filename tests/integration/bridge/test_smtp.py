"""Mails handed in at a real mail server on this machine: taken, refused for good, refused for now, away, gone in between."""

from __future__ import annotations

import smtplib
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from backoffice.bridge.mail import compose
from backoffice.bridge.outbox import Away, Message, Undeliverable
from backoffice.bridge.smtp import MailServer, NotNow
from tests.mails import PAYLOADS

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
PAYLOAD = {
    "to": "ada@example.test",
    "name": "Ada Lovelace",
    "language": "en",
    "shop": "Werk",
    "number": "SF-1001",
    "link": "https://x.test/o/t",
    "tracking": "JD01",
    "deliver_on": "2026-12-08",
}


def message(**changes: Any) -> Message:
    return Message(7, "mail", "order:SF-1001", "order_shipped", PAYLOAD | changes, 1, AT, AT)


class Post:
    """What arrives, and what the server answers next."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.rcpt: list[str] = []
        self.data: list[str] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.rcpt:
            return self.rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.data:
            return self.data.pop(0)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 taken"


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def start(post: Post) -> Iterator[Callable[..., int]]:
    running: list[Controller] = []

    def begin(**options: Any) -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(post, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return int(port)

    yield begin
    for controller in running:
        controller.stop(no_assert=True)


def server(port: int, scheme: str = "smtp", who: str = "", **options: Any) -> MailServer:
    return MailServer(f"{scheme}://{who}127.0.0.1:{port}", lambda: "hello@werk.test", **options)


def test_a_mail_arrives_as_it_was_written(start: Callable[..., int], post: Post) -> None:
    server(start())(message())
    [(sender, to, mail)] = post.mails
    assert (sender, to) == ("hello@werk.test", ["ada@example.test"])
    assert mail["Subject"] == "Your order SF-1001 is on its way: arrives Tue 8 Dec"
    assert mail["Message-ID"] == f"<order_shipped.7.{AT:%Y%m%d%H%M%S%f}@werk.test>"
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for words in ("Tuesday 8 December", "JD01", "https://x.test/o/t"):
        assert words in text
        assert words in html


def test_a_mail_is_told_from_others_also_after_a_backup_came_back() -> None:
    def named(kind: str, number: int, at: datetime) -> str:
        payload = PAYLOAD | PAYLOADS[kind]
        return str(compose(Message(number, "mail", "order:SF-1001", kind, payload, 1, at, at), "hello@werk.test")["Message-ID"])

    later = AT + timedelta(minutes=5)  # numbers come again then
    assert named("order_shipped", 7, AT) != named("order_shipped", 7, later)
    assert named("order_shipped", 7, AT) != named("order_shipped", 8, AT)
    assert named("order_confirmed", 7, AT) == named("order_confirmed", 3, later) == "<order_confirmed.SF-1001@werk.test>"


def test_an_address_beyond_ascii_arrives(start: Callable[..., int], post: Post) -> None:
    server(start(enable_SMTPUTF8=True))(message(to="ada@münchen.test"))
    [(_, to, _)] = post.mails
    assert to == ["ada@münchen.test"]


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_a_no_for_good_is_not_tried_again_and_names_nobody(start: Callable[..., int], post: Post, where: str) -> None:
    getattr(post, where).append("550 no such person ada@example.test")
    with pytest.raises(Undeliverable) as refused:
        server(start())(message())
    assert "ada" not in str(refused.value)
    assert post.mails == []


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_a_no_for_now_may_be_tried_again(start: Callable[..., int], post: Post, where: str) -> None:
    getattr(post, where).append("451 come back later")
    carrier = server(start())
    with pytest.raises(NotNow, match="451"):
        carrier(message())
    carrier(message())
    assert len(post.mails) == 1


def test_a_server_that_is_away_is_waited_for(post: Post) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(Away, match="ConnectionRefusedError"):
        server(port)(message())


def test_a_password_goes_only_over_tls(start: Callable[..., int], post: Post, certificate: tuple[Path, Path]) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def check(_server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss word", handled=False)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    port = start(tls_context=context, require_starttls=True, auth_required=True, authenticator=check)
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    server(port, "smtp+starttls", "shop:p%40ss%20word@", trust=trust)(message())
    assert (seen, len(post.mails)) == ([(b"shop", b"p@ss word")], 1)
    with pytest.raises(smtplib.SMTPAuthenticationError):  # tried again once the setting is put right
        server(port, "smtp+starttls", "shop:wrong@", trust=trust)(message())
    with pytest.raises(ssl.SSLCertVerificationError):
        server(port, "smtp+starttls", "shop:p%40ss%20word@")(message())  # a certificate that this machine does not trust
    assert (set(seen[1:]), len(post.mails)) == ({(b"shop", b"wrong")}, 1)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1, made by openssl for this run."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


@pytest.mark.parametrize("url", ["http://x", "smtp://", "mail.example", "smtps:///x"])
def test_a_wrong_setting_is_said_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="SHOPFLOOR_SMTP_URL"):
        MailServer(url, lambda: "hello@werk.test")
