"""Every kind of mail in every language: a subject, a plain text and an HTML twin that say the same."""

from __future__ import annotations

import re

import pytest

from backoffice.bridge.mail import TEMPLATES, TRANSLATIONS, compose
from tests.mails import PAYLOADS, message

LANGUAGES = ("en", *sorted(path.parent.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES/messages.mo")))


def test_every_kind_of_mail_is_tried_here() -> None:
    assert {path.stem for path in TEMPLATES.glob("*.txt")} == PAYLOADS.keys()


@pytest.mark.parametrize("kind", PAYLOADS)
def test_each_kind_in_each_language(kind: str) -> None:
    said = {}
    for language in LANGUAGES:
        mail = compose(message(kind, language), "shop@example.test")
        plain, rich = (mail.get_body((form,)).get_content() for form in ("plain", "html"))  # type: ignore[union-attr] # it has both
        assert f'<html lang="{language}" dir="ltr">' in rich
        assert ("https://shop.test/o/token" in plain) == ("https://shop.test/o/token" in rich) == (kind != "lead_answer")
        for text in (plain, rich, mail["Subject"]):
            assert not re.search(r"%\(|\{\{|\bNone\b", text)
        days = set(re.findall(r"8\.? (?:Dec|Dez)\w*", plain))
        assert bool(days) == ("2026-12-08" in str(PAYLOADS[kind]))
        said[language] = plain.splitlines()
    english, german = (set(said[one]) - {""} for one in ("en", "de"))
    same = english & german - {
        "Holzwerk",
        "https://shop.test/o/token",
        "https://shop.test/o/token/moved/1",
        "Yes, in oak.",
        "Shall we?",
        "> In oak?",
        "> By May?",
        "It is found.",
        "> Where is it?",
        "> It is late.",
        *(f"{score}: https://shop.test/o/token?score={score}" for score in (2, 3, 4)),
        "> Write to me now and then about new things.",
        *PAYLOADS["order_confirmed"]["address"],
        PAYLOADS["order_code"]["code"],
        "2 × Stool, Oak",
        "Werk",
        "Werkstr. 1",
        "10115 Berlin",
        "4 × Stool",
        "1 × Bench (ash)",
        "1 × Long table, oak (180 cm)",
        "2 × Long table, oak (180 cm)",
        "As we said by telephone.",
        "With the lamp.",
    }
    assert same == set()


def test_money_days_and_reasons_in_german() -> None:
    text = compose(message("order_confirmed", "de-AT"), "shop@example.test").get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has one
    assert "danke für Ihre Bestellung SF-4K7P-Q2MN. Sie kommt am Dienstag, 8. Dezember 2026 an." in text
    assert "    Kommt am Di., 8. Dez. · 1.290,00\xa0€\n" in text
    assert "Summe mit Lieferung: 1.695,00\xa0€" in text
    moved = compose(message("day_moved", "de"), "shop@example.test").get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has one
    assert "Der Grund: Oak board: kommt erst am Do., 3. Dez." in moved


def test_a_day_that_comes_back_is_not_called_another_day() -> None:
    again = message("day_moved", "en", expected_on="2026-12-08", cause={"code": "found_again"})
    text = compose(again, "shop@example.test").get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has one
    assert "Long table, oak of your order SF-4K7P-Q2MN arrives on Tuesday 8 December, the day we had promised." in text
    assert "We had promised" not in text
    assert "The reason: we have found a way to make it or to get it" in text


@pytest.mark.parametrize("cause", ["The saw stood still on Monday.", {"code": "of_a_later_version"}, "", None])
def test_causes_from_before_there_were_codes_or_from_later_ones(cause: object) -> None:
    text = compose(message("day_moved", "de", cause=cause), "shop@example.test").get_body(("plain",)).get_content()  # type: ignore[union-attr] # it has one
    assert ("The saw stood still on Monday." in text) == (cause == "The saw stood still on Monday.")
    assert "Der Grund:" not in text or cause == "The saw stood still on Monday."


@pytest.mark.parametrize("kind", ["order_cancelled", "withdrawal_noted", "choice_noted"])
@pytest.mark.parametrize(
    ("charge", "minor", "en", "de"),
    [
        ("", 4_900, "€49.00 goes back to where you paid from.", "49,00\xa0€ gehen dorthin zurück, von wo Sie bezahlt haben."),
        ("account", 4_900, "Your company owes €49.00 less for it.", "Ihre Firma schuldet dafür 49,00\xa0€ weniger."),
        ("later", 4_900, "You are charged €49.00 less for it.", "Ihnen werden dafür 49,00\xa0€ weniger abgebucht."),
    ],
)
def test_what_an_order_costs_less_is_said_as_it_is_paid(kind: str, charge: str, minor: int, en: str, de: str) -> None:
    amount = {"amount_minor": minor, "currency": "EUR"}
    for language, words in (("en", en), ("de", de)):
        mail = compose(message(kind, language, charge=charge, amount=amount), "shop@example.test")
        for form in ("plain", "html"):
            text = mail.get_body((form,)).get_content()  # type: ignore[union-attr] # it has both
            assert words in text.replace("&nbsp;", "\xa0")
            assert ("where you paid from" in text or "von wo Sie bezahlt" in text) == (charge == "")
