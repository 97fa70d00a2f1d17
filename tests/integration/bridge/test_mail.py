"""Mails: a plain-text twin, escaped words, days and money by language, no header out of a name."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

from backoffice.bridge.mail import MailFolder, compose
from backoffice.bridge.outbox import Message, Undeliverable

AT = datetime(2026, 11, 24, 8, 0, 0, 250_000, tzinfo=UTC)
COMMON = {"to": "ada@example.test", "name": "Ada Okafor", "language": "en", "shop": "Holzwerk"}
CONFIRMED = COMMON | {
    "number": "SF-1001",
    "link": "https://shop.test/o/token",
    "lines": [
        {
            "name": "Table",
            "options": "Oak, 160 cm",
            "quantity": 2,
            "total": {"amount_minor": 129_900, "currency": "EUR"},
            "deliver_on": "2026-12-08",
        }
    ],
    "total": {"amount_minor": 134_850, "currency": "EUR"},
    "deliver_on": "2026-12-08",
}
SHIPPED = COMMON | {"number": "SF-1001", "link": "https://x.test/o/t", "tracking": "JD01", "deliver_on": "2026-12-08"}
MOVED = COMMON | {
    "number": "SF-1001",
    "link": "https://x.test/o/t",
    "item": "Table",
    "promised_on": "2026-12-08",
    "expected_on": "2026-12-11",
    "cause": "The saw stood still on Monday.",
}
ANSWER = COMMON | {"text": "Yes, in oak.\nShall we?", "subject": "Your question", "asked": "In oak?\nBy May?"}


def message(kind: str, payload: dict[str, Any], number: int = 7) -> Message:
    return Message(number, "mail", "order:1", kind, payload, 1, AT + timedelta(seconds=120), AT)


def parts(mail: EmailMessage) -> tuple[str, str]:
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert rich is not None
    return plain.get_content(), rich.get_content()


def test_a_confirmed_order_says_what_arrives_when() -> None:
    mail = compose(message("order_confirmed", CONFIRMED), "shop@example.test")
    assert mail["Subject"] == "Your order SF-1001 arrives Tue 8 Dec"
    assert mail["From"] == "Holzwerk <shop@example.test>"
    assert mail["To"] == "Ada Okafor <ada@example.test>"
    assert mail["Date"] == "Tue, 24 Nov 2026 08:00:00 +0000"
    text, html = parts(mail)
    assert text == (
        "Hello Ada Okafor,\n\n"
        "thank you for your order SF-1001. It arrives on Tuesday 8 December.\n\n"
        "2 × Table (Oak, 160 cm)\n    Arrives Tue 8 Dec · €1,299.00\n\n"
        "Total, with delivery: €1,348.50\n\n"
        "Follow your order, or ask us something about it:\nhttps://shop.test/o/token\n\n"
        "Should the day move, we write to you at once.\n\nHolzwerk\n"
    )
    for words in ("Arrives Tuesday 8 December", "2 × Table", "€1,299.00", "€1,348.50", 'href="https://shop.test/o/token"'):
        assert words in html


@pytest.mark.parametrize(
    ("kind", "payload", "subject", "words"),
    [
        (
            "order_shipped",
            SHIPPED,
            "Your order SF-1001 is on its way: arrives Tue 8 Dec",
            ["Tuesday 8 December", "JD01", "https://x.test/o/t"],
        ),
        (
            "day_moved",
            MOVED,
            "Your order SF-1001: the new day is Fri 11 Dec",
            ["Friday 11 December", "Tuesday 8 December", "The saw stood still on Monday.", "https://x.test/o/t"],
        ),
        ("lead_answer", ANSWER, "Your question", ["Yes, in oak.\nShall we?", "By May?"]),
    ],
)
def test_each_kind_says_the_same_in_text_and_html(kind: str, payload: dict[str, Any], subject: str, words: list[str]) -> None:
    mail = compose(message(kind, payload), "shop@example.test")
    assert mail["Subject"] == subject
    for body in parts(mail):
        assert [said for said in words if said not in body] == []


def test_what_a_person_typed_is_escaped_in_html_and_kept_in_text() -> None:
    typed = '<script>alert("1")</script> & more'
    text, html = parts(compose(message("lead_answer", ANSWER | {"text": typed, "name": "<b>Ada</b>"}), "shop@example.test"))
    assert typed in text
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; more" in html


@pytest.mark.parametrize("field", ["name", "to", "shop", "subject"])
@pytest.mark.parametrize("breaks", ["\r\nBcc: all@evil.test", "\nBcc: all@evil.test", "\rx", "\0", "\x85x", "\u2028x"])
def test_no_header_comes_out_of_a_value(field: str, breaks: str, tmp_path: Path) -> None:
    payload = ANSWER | {field: f"{ANSWER[field]}{breaks}"}
    with pytest.raises(Undeliverable):
        MailFolder(tmp_path, lambda: "shop@example.test")(message("lead_answer", payload))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", ["", "nobody", "a@b@c", "a b@example.test"])
def test_an_address_that_is_none_is_refused(to: str) -> None:
    with pytest.raises(Undeliverable):
        compose(message("lead_answer", ANSWER | {"to": to}), "shop@example.test")


def test_an_unknown_kind_or_a_missing_value_is_refused_for_good() -> None:
    with pytest.raises(Undeliverable, match="nonsense"):
        compose(message("nonsense", ANSWER), "shop@example.test")
    with pytest.raises(Undeliverable, match="tracking"):
        compose(message("order_shipped", {k: v for k, v in SHIPPED.items() if k != "tracking"}), "shop@example.test")


@pytest.mark.parametrize("language", ["", "xx", "../../etc", "ka", "!"])
def test_a_language_without_words_of_ours_gets_days_in_the_language_of_the_words(language: str) -> None:
    mail = compose(message("order_confirmed", CONFIRMED | {"language": language}), "shop@example.test")
    assert "Tue 8 Dec" in mail["Subject"]


def test_currencies_without_cents_are_not_rounded() -> None:
    total = {"amount_minor": 12_345, "currency": "VND"}
    text, _ = parts(compose(message("order_confirmed", CONFIRMED | {"total": total}), "shop@example.test"))
    assert "₫12,345" in text


@pytest.mark.parametrize("name", ["সুমাইয়া রহমান", "ნინო", "Łukasz, Jr.", "x" * 200])
def test_names_in_any_script_survive_the_file(name: str, tmp_path: Path) -> None:
    deliver = MailFolder(tmp_path / "mail", lambda: "shop@example.test")
    deliver(message("order_confirmed", CONFIRMED | {"name": name}))
    deliver(message("order_confirmed", CONFIRMED | {"name": name}))  # a second delivery is the same file
    [path] = (tmp_path / "mail").iterdir()
    assert path.name == "20261124T080000.250000Z-00000007-order_confirmed.eml"
    read = email.message_from_bytes(path.read_bytes(), policy=default)
    assert read["To"].addresses[0].display_name == name
    assert name in read.get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has one
    assert path.read_bytes().count(b"\r\n\r\n") >= 3
