"""Mails by SMTP. A server that says no for good (5xx) makes a dead letter; anything else is tried again.

The Message-ID is the outbox message's own, so that a mail which was handed in twice, because its answer was lost, can be told
from two mails.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from email.policy import SMTP, SMTPUTF8
from urllib.parse import unquote, urlsplit

from backoffice.bridge.mail import compose
from backoffice.bridge.outbox import Away, Message, Undeliverable

SECONDS_TO_ANSWER = 15
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


# of a connection that was not made; SMTPConnectError: of a greeting that sends us away
AWAY = (ConnectionError, TimeoutError, socket.gaierror, smtplib.SMTPServerDisconnected, smtplib.SMTPConnectError)


class NotNow(Exception):
    """Say that the mail server may take the mail later. Without the server's own words: they may hold an address."""


class MailServer:
    """Deliver messages of target "mail" to a mail server.

    url: smtp://host:25 | smtp+starttls://user:password@host:587 | smtps://user:password@host:465, user and password
    percent-encoded. Raises ValueError for any other address, so that a wrong setting is seen at the start.
    """

    def __init__(self, url: str, sender: Callable[[], str], *, trust: ssl.SSLContext | None = None) -> None:
        """Hand mails in at `url`. trust: whose certificates count; none: those the machine trusts."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("SHOPFLOOR_SMTP_URL must be smtp://, smtp+starttls:// or smtps:// and a host")
        self._kind, self._host = parts.scheme, parts.hostname
        self._port = parts.port or PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._sender = sender
        self._trust = trust

    def __call__(self, message: Message) -> None:
        """Hand one mail in. Raises Undeliverable for one that no further try can make right, Away, else smtplib's errors."""
        mail = compose(message, self._sender())
        addresses = [header.addresses[0].addr_spec for header in (mail["From"], mail["To"])]
        plain = "".join(addresses).isascii()
        try:
            server = self._connected()
        except AWAY as error:
            raise Away(f"the mail server is not there: {type(error).__name__}") from error
        try:
            with server:
                server.sendmail(
                    addresses[0],
                    [addresses[1]],
                    mail.as_bytes(policy=SMTP if plain else SMTPUTF8),
                    mail_options=[] if plain else ["SMTPUTF8"],
                )
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = error.recipients[addresses[1]]
            if code >= 500:
                raise Undeliverable(f"the mail server refused the recipient: {code}") from error
            raise NotNow(f"the mail server will not take the recipient now: {code}") from None
        except smtplib.SMTPAuthenticationError:
            raise  # a wrong password is put right in the settings, and the mails are still wanted then
        except smtplib.SMTPResponseException as error:
            if error.smtp_code >= 500:
                raise Undeliverable(f"the mail server refused the mail: {error.smtp_code}") from error
            raise NotNow(f"the mail server will not take the mail now: {error.smtp_code}") from None

    def _connected(self) -> smtplib.SMTP:
        trust = self._trust or ssl.create_default_context()
        if self._kind == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(self._host, self._port, timeout=SECONDS_TO_ANSWER, context=trust)
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=SECONDS_TO_ANSWER)
        try:
            if self._kind == "smtp+starttls":
                server.starttls(context=trust)
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server
