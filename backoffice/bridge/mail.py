"""Mails to customers: words from `templates/email`, written as .eml files that any mail program opens.

Each kind has two templates: `<kind>.txt`, with a block `subject` and a block `body`, and `<kind>.html`. Both are given
the message's payload; days and money come as filters that follow the customer's language.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, EmailPolicy
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.dates import format_time
from babel.numbers import format_currency, get_currency_precision
from babel.support import NullTranslations, Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.exceptions import TemplateNotFound, UndefinedError

from backoffice import causes, wording
from backoffice.bridge.outbox import Message, Undeliverable

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = ROOT / "templates" / "email"
TRANSLATIONS = ROOT / "backoffice" / "translations"
SOURCE = "en"  # the language the templates are written in
RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ps", "ug", "ur", "yi"})


class WholeLine(UnstructuredHeader):
    """A header of one long address: never parted. The library would write it as encoded words, which no mail program reads."""

    name: str

    def fold(self, *, policy: EmailPolicy) -> str:
        """Return the header as one line; up to 998 characters may stand there (RFC 5322, 2.1.1)."""
        return f"{self.name}: {self}{policy.linesep}"


HEADERS = HeaderRegistry()
HEADERS.map_to_type("list-unsubscribe", WholeLine)  # type: ignore[arg-type] # the registry itself puts BaseHeader behind it


class MailFolder:
    """Deliver messages of target "mail" into a folder, one .eml file each.

    sender: returns the shop's own address. Delivering the same message again writes the same file again.
    """

    def __init__(self, folder: Path, sender: Callable[[], str]) -> None:
        self._folder = folder
        self._sender = sender

    def __call__(self, message: Message) -> None:
        """Write the mail. Raises Undeliverable for one that no further try can make right."""
        mail = compose(message, self._sender())
        addresses = [header.addresses[0].addr_spec for header in (mail["From"], mail["To"])]
        policy = SMTP if "".join(addresses).isascii() else SMTPUTF8
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{message.created_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{message.id:08d}-{message.kind}.eml"
        _write_whole(self._folder / name, mail.as_bytes(policy=policy))


def compose(message: Message, sender: str) -> EmailMessage:
    """Return the mail of a message: plain text with an HTML twin. Raises Undeliverable."""
    values = dict(message.payload)
    try:
        subject, text, html = _render(message.kind, values)
        mail = EmailMessage(EmailPolicy(header_factory=HEADERS))
        mail["From"] = _address(str(values["shop"]), sender)
        mail["To"] = _address(str(values["name"]), str(values["to"]))
        if values.get("reply_to"):
            mail["Reply-To"] = _address(str(values["shop"]), str(values["reply_to"]))
        mail["Subject"] = _one_line(subject)
        if values.get("unsubscribe"):
            mail["List-Unsubscribe"] = f"<{_one_line(str(values['unsubscribe']))}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    except (KeyError, UndefinedError, TemplateNotFound, ValueError) as error:
        raise Undeliverable(f"{type(error).__name__}: {error}") from error
    mail["Date"] = format_datetime(message.created_at.astimezone(UTC))
    thread = f".{values['thread']}" if values.get("thread") else ""  # its secret comes back in the References of a reply
    mail["Message-ID"] = f"<{message.kind}.{_named(message)}{thread}@{sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    return mail


def _named(message: Message) -> str:
    """Return what tells a mail from every other of its kind, also from those that left before a backup was brought back.

    Numbers of messages come again then. An order's confirmation is one, also when the order is written again: programs that read
    mail show it once.
    """
    if message.kind == "order_confirmed":
        return str(message.payload["number"])
    return f"{message.id}.{message.created_at.astimezone(UTC):%Y%m%d%H%M%S%f}"


def _render(kind: str, values: Mapping[str, Any]) -> tuple[str, str, str]:
    locale = locale_of(str(values.get("language") or SOURCE))
    templates = environment(locale, TEMPLATES)
    plain = templates.get_template(f"{kind}.txt")
    context = plain.new_context(dict(values))
    subject, body = ("".join(plain.blocks[block](context)) for block in ("subject", "body"))
    direction = "rtl" if locale.language in RIGHT_TO_LEFT else "ltr"
    html = templates.get_template(f"{kind}.html").render(
        values, lang=str(locale).replace("_", "-"), dir=direction, subject=subject.strip()
    )
    return subject.strip(), body.strip() + "\n", html


def environment(locale: Locale, folder: Path) -> Environment:
    """Return Jinja with the customer's language; a name that is missing in the payload is an error."""
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    translations: NullTranslations = Translations.load(str(TRANSLATIONS), [str(locale)])
    made.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined] # added by the extension
    made.filters["day"] = lambda iso: wording.day(date.fromisoformat(iso), locale)
    made.filters["long_day"] = lambda iso: wording.long_day(date.fromisoformat(iso), locale)
    made.filters["moment"] = lambda iso: _moment(datetime.fromisoformat(iso), locale)
    made.filters["country"] = lambda code: str(locale.territories.get(code, code))
    made.filters["money"] = lambda amount: _money(amount, locale)
    made.filters["cause"] = lambda kept: _cause(kept, locale, translations)
    made.filters["chain"] = lambda kept: _chain(kept, translations)
    return made


def _cause(kept: Mapping[str, Any] | str | None, locale: Locale, translations: NullTranslations) -> str:
    """Return why a day moved; a message from before there were codes brings its sentence along."""
    if kept is None or isinstance(kept, str):
        return kept or ""
    cause = causes.read(kept)
    return causes.say(cause, translations.gettext, lambda on: wording.day(on, locale)) if cause else ""


def _chain(kept: Mapping[str, Any] | str | None, translations: NullTranslations) -> str:
    """Return how a change came to the line, where that was kept."""
    cause = causes.read(kept) if isinstance(kept, Mapping) else None
    return causes.say_chain(cause.chain, translations.ngettext) if cause and len(cause.chain) > 1 else ""


def locale_of(language: str) -> Locale:
    """Return the nearest language that there are words in: days follow the words, not the other way round."""
    spoken = [path.parent.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo")]
    chosen = negotiate_locale([language.replace("-", "_")], [SOURCE, *spoken])
    try:
        return Locale.parse(chosen or SOURCE)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(SOURCE)


def _moment(local: datetime, locale: Locale) -> str:
    """Write an instant that comes in the company's own zone: `Tue 8 Dec, 14:31`."""
    clock = format_time(local, "HH:mm" if locale.language == "en" else "short", tzinfo=local.tzinfo, locale=locale)
    return f"{wording.day(local.date(), locale)}, {clock}"


def _money(amount: Mapping[str, Any], locale: Locale) -> str:
    currency = str(amount["currency"])
    value = Decimal(int(amount["amount_minor"])).scaleb(-get_currency_precision(currency))
    return format_currency(value, currency, locale=locale)


def _address(name: str, address: str) -> Address:
    """Return an address for a header. Raises ValueError for what is none or could start a header of its own."""
    name, address = _one_line(name), _one_line(address)
    try:
        return Address(display_name=name, addr_spec=address)
    except (ValueError, MessageError, IndexError) as error:  # the standard library's parser, for what is no address
        raise ValueError("not an e-mail address") from error


def _one_line(text: str) -> str:
    if any(unicodedata.category(letter) in {"Cc", "Zl", "Zp"} for letter in text):
        raise ValueError("a control character or line break in a header")
    return text


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file that nobody ever sees in part, also after a power cut."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
