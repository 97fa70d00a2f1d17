"""What machines read of the shop: the same facts as people, in schema.org's words, and where all of it is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from backoffice.db import Database
from backoffice.erp import models as t
from tests.company import open_company
from tests.conftest import NOW


@pytest.fixture(autouse=True)
def company(db: Database) -> None:
    db.run(lambda session: open_company(session, now=NOW))


def said(client: FlaskClient, slug: str) -> list[Any]:
    page = client.get(f"/p/{slug}").text
    return [json.loads(text) for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)]


@pytest.mark.parametrize(
    ("slug", "price", "word"),
    [
        ("stool", "49.00", "InStock"),
        ("lamp", "79.00", "BackOrder"),
        ("table", "499.00", "BackOrder"),
        ("vase", "19.00", "OutOfStock"),
    ],
)
def test_a_product_and_its_offer(client: FlaskClient, slug: str, price: str, word: str) -> None:
    product, trail = said(client, slug)
    [offer] = product["offers"]
    assert (product["@type"], product["name"], product["url"]) == ("Product", slug.capitalize(), f"http://localhost/p/{slug}")
    assert (offer["sku"], offer["price"], offer["priceCurrency"]) == (slug.upper(), price, "EUR")
    assert offer["availability"] == f"https://schema.org/{word}"
    assert [(c["position"], c["name"], c["item"]) for c in trail["itemListElement"]] == [
        (1, "Furniture", "http://localhost/c/furniture")
    ]


def test_how_it_is_sent_and_may_come_back_is_what_the_page_says(client: FlaskClient) -> None:
    [offer] = said(client, "stool")[0]["offers"]
    # Tuesday 24 Nov, before the cut-off: leaves today, one day on the road
    assert offer == {
        "@type": "Offer",
        "sku": "STOOL",
        "url": "http://localhost/p/stool?sku=STOOL",
        "price": "49.00",
        "priceCurrency": "EUR",
        "availability": "https://schema.org/InStock",
        "shippingDetails": {
            "@type": "OfferShippingDetails",
            "shippingRate": {"@type": "MonetaryAmount", "value": "5.00", "currency": "EUR"},
            "shippingDestination": {"@type": "DefinedRegion", "addressCountry": "DE"},
            "deliveryTime": {
                "@type": "ShippingDeliveryTime",
                "handlingTime": {"@type": "QuantitativeValue", "minValue": 0, "maxValue": 0, "unitCode": "DAY"},
                "transitTime": {"@type": "QuantitativeValue", "minValue": 1, "maxValue": 1, "unitCode": "DAY"},
            },
        },
        "hasMerchantReturnPolicy": {
            "@type": "MerchantReturnPolicy",
            "applicableCountry": "DE",
            "returnPolicyCategory": "https://schema.org/MerchantReturnFiniteReturnWindow",
            "merchantReturnDays": 14,
        },
    }
    page = client.get("/p/stool").text
    assert "plus €5.00 delivery" in page
    assert "14 days to change your mind." in page
    assert 'datetime="2026-11-25"' in page


def test_where_no_day_is_shown_none_is_told(client: FlaskClient) -> None:
    [offer] = said(client, "vase")[0]["offers"]
    assert "deliveryTime" not in offer["shippingDetails"]
    [offer] = said(client, "stool?quantity=6")[0]["offers"]
    assert "deliveryTime" not in offer["shippingDetails"]


def test_what_was_typed_into_a_name_stays_text(client: FlaskClient, db: Database) -> None:
    bad = '</script><script>alert("1")</script>'
    db.run(lambda session: session.execute(sa.update(t.Product).where(t.Product.slug == "stool").values(name=bad)))
    page = client.get("/p/stool").text
    assert "<script>alert" not in page
    assert said(client, "stool")[0]["name"] == bad


def test_the_sitemap_lists_what_can_be_had(client: FlaskClient) -> None:
    robots = client.get("/robots.txt").text
    assert robots.endswith("Sitemap: http://localhost/sitemap.xml\n")
    answer = client.get("/sitemap.xml")
    assert answer.mimetype == "application/xml"
    places = re.findall(r"<loc>(.*?)</loc>", answer.text)
    assert places == [
        f"http://localhost{path}"
        for path in (
            "/",
            "/c/furniture",
            "/p/lamp",
            "/p/stool",
            "/p/table",
            "/about",
            "/delivery",
            "/returns",
            "/privacy",
            "/imprint",
        )
    ]
    for place in places:
        assert client.get(place.removeprefix("http://localhost")).status_code == 200
