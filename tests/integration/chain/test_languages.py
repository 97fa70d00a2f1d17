"""A customer's language all the way: names in the shop, links that lead back into it, mails in it."""

from __future__ import annotations

import email
from email.policy import default

import pytest

from backoffice.bridge import mail, outbox
from backoffice.bridge.models import OutboxMessage
from backoffice.crm.models import Checkout
from backoffice.erp import models as t
from backoffice.erp import purchasing
from backoffice.local.checkout import public_address
from tests.company import at


@pytest.fixture
def german(workshop):
    """Give the shop words in German, and one of them in Austrian."""

    def words(session):
        [category] = session.query(t.Category).all()
        stool = session.query(t.Product).filter_by(slug="stool").one()
        stool.facts = {"Height": "45 cm"}
        session.add_all(
            [
                t.CategoryText(category_id=category.id, language="de", name="Möbel"),
                t.ProductText(product_id=stool.id, language="de", name="Hocker", description="Sitz.", facts={"Höhe": "45 cm"}),
                t.ProductText(product_id=stool.id, language="de-AT", name="Stockerl", description="Zum Hinsetzen."),
            ]
        )

    workshop.db.run(words)
    return workshop


@pytest.mark.parametrize(
    ("language", "names", "facts"),
    [
        ("en", ("Furniture", "Stool"), {"Height": "45 cm"}),
        ("de", ("Möbel", "Hocker"), {"Höhe": "45 cm"}),
        ("de-AT", ("Möbel", "Stockerl"), {"Height": "45 cm"}),
        ("fr", ("Furniture", "Stool"), {"Height": "45 cm"}),
    ],
)
def test_names_and_facts_come_in_the_nearest_language(german, language, names, facts):
    catalogue, now = german.shop.catalogue, german.now
    page = catalogue.get_product("stool", language=language, now=now)
    assert ((page.path[0].name, page.name), page.facts) == (names, facts)
    [top] = catalogue.find_categories(language=language)
    listing = catalogue.list_products(category="furniture", query=None, page=1, postcode=None, language=language, now=now)
    assert (top.name, listing.category.name, listing.path[0].name) == (names[0],) * 3
    assert names[1] in [card.name for card in listing.cards]


def test_a_german_customer_gets_german_mails_with_links_to_german_pages(workshop):
    cart = workshop.cart(LAMP=10)
    form = workshop.form(cart, language="de")
    start = workshop.shop.checkout.start(cart.token, form, base_url="http://localhost/de", now=workshop.now)
    workshop.pay(start)
    line = workshop.rows(t.PurchaseOrderLine)[0]
    workshop.do(purchasing.move_due, line.id, at(30, 8), version=line.version)
    said = []
    for row in workshop.rows(OutboxMessage):
        message = outbox.Message(
            row.id, row.target, row.aggregate, row.kind, workshop.letter(row), 1, row.created_at, row.created_at
        )
        letter = email.message_from_bytes(mail.compose(message, "shop@example.test").as_bytes(), policy=default)
        said.append((letter["Subject"], letter.get_body(("plain",)).get_content()))
    number = workshop.orders()[0].number
    assert [subject for subject, _ in said] == [
        f"Ihre Bestellung {number} kommt am Mo., 30. Nov.",
        f"Ihre Bestellung {number}: Der neue Tag ist Di., 1. Dez.",
    ]
    link = f"http://localhost/de/o/{start.order_token}"
    assert all(link in text for _, text in said)
    assert "Der Grund: Lamp: kommt erst am Mo., 30. Nov." in said[1][1]
    assert "kommt jetzt am Dienstag, 1. Dezember 2026 an. Zugesagt hatten wir Montag, 30. November 2026." in said[1][1]
    assert [row.base_url for row in workshop.rows(Checkout)] == ["http://localhost/de"]


@pytest.mark.parametrize(
    ("configured", "seen", "public"),
    [
        ("", "http://10.0.0.1:8000/de", "http://10.0.0.1:8000/de"),
        ("https://shop.example", "http://10.0.0.1:8000/de", "https://shop.example/de"),
        ("https://shop.example/", "http://10.0.0.1:8000", "https://shop.example"),
        ("https://shop.example/store/", "http://10.0.0.1:8000/store/de", "https://shop.example/store/de"),
    ],
)
def test_the_public_address_keeps_the_language(configured, seen, public):
    assert public_address(configured, seen) == public


def test_the_sandbox_s_page_follows_the_language_that_was_chosen(workshop, app):
    start = workshop.start(workshop.cart(STOOL=1))
    client = app.test_client()
    english = client.get(start.pay_url)
    client.set_cookie("language", "de")
    german = client.get(start.pay_url)
    assert ('<html lang="en" dir="ltr">' in english.text, "Es fließt kein Geld" in english.text) == (True, False)
    assert ('<html lang="de" dir="ltr">' in german.text, "Es fließt kein Geld" in german.text) == (True, True)
