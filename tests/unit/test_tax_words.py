"""The words beside a price, country by country."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import Babel

from storefront.tax_words import NEUTRAL, WORDS, tax_words


@pytest.mark.parametrize(
    ("country", "words"),
    [
        ("DE", "incl. VAT"),
        ("AT", "incl. VAT (USt.)"),
        ("CH", "incl. VAT (MWST)"),
        ("FR", "incl. VAT (TTC)"),
        ("NL", "incl. VAT"),
        ("GB", "incl. VAT"),
        ("IN", "incl. GST"),
        ("AU", "incl. GST"),
        ("US", "plus sales tax"),
        ("CA", "plus sales tax"),
        ("JP", "incl. consumption tax"),
        ("us", "plus sales tax"),
        ("BD", "incl. taxes"),
        ("XX", "incl. taxes"),
        ("", "incl. taxes"),
    ],
)
def test_each_country_has_its_words(country: str, words: str) -> None:
    app = Flask("words")
    Babel(app)
    with app.test_request_context():
        assert tax_words(country) == words


def test_every_country_of_the_union_is_looked_up() -> None:
    union = set("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())  # noqa: SIM905 - one line one can read
    assert [country for country in sorted(union) if "VAT" not in WORDS.get(country, NEUTRAL)] == []
