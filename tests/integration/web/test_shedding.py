"""When too many wait, who looks around is told to come back first, who is buying last; the database is not asked for it."""

from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from backoffice.bootstrap import Services
from backoffice.erp import models as t
from backoffice.erp import plan
from backoffice.web import headers, shedding
from storefront import languages
from tests.company import open_company
from tests.statements import sent

THREADS = 8


def crowd(app: Flask, waiting: int) -> None:
    standing = shedding.of(app)
    standing.threads, standing.waiting = THREADS, lambda: waiting


ROOM = [  # method, path, how many may wait for each thread
    ("GET", "/", 8),
    ("GET", "/p/stool", 8),
    ("GET", "/api/v1/products", 8),
    ("GET", "/cart", 32),
    ("POST", "/cart/add", 32),
    ("POST", "/contact", 32),
    ("POST", "/api/v1/carts", 32),
    ("GET", "/checkout", 64),
    ("POST", "/checkout", 64),
    ("POST", "/api/v1/carts/abc/checkout", 64),
    ("GET", "/o/abc", 64),
    ("GET", "/desk/login", 64),
    ("GET", "/static/shop/shop.css", 64),
]
IN_GERMAN = [(method, f"/de{path}", most) for method, path, most in ROOM if not path.startswith(("/api", "/desk", "/static"))]


@pytest.mark.parametrize(("method", "path", "most"), [*ROOM, *IN_GERMAN])
def test_each_kind_is_turned_away_only_when_its_room_is_full(
    app: Flask, client: FlaskClient, method: str, path: str, most: int
) -> None:
    crowd(app, most * THREADS)
    assert "Retry-After" not in client.open(path, method=method).headers
    crowd(app, most * THREADS + 1)
    refused = client.open(path, method=method)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_who_watches_us_is_never_turned_away(app: Flask, client: FlaskClient, path: str) -> None:
    crowd(app, 100_000)
    assert client.get(path).status_code == 200


def test_it_costs_no_statement_and_says_it_in_the_language_of_the_address(app: Flask, client: FlaskClient) -> None:
    crowd(app, 100_000)
    services: Services = app.extensions["shopfloor"]
    with sent(services.db) as seen:
        page, other = client.get("/p/stool"), client.get("/de/p/stool")
        problem = client.get("/api/v1/products")
    assert seen == []
    assert '<html lang="en" dir="ltr">' in page.text
    assert "Many people are here right now" in page.text
    assert '<html lang="de" dir="ltr">' in other.text
    assert problem.content_type == "application/problem+json"
    assert (problem.json["status"], problem.json["code"]) == (503, "unavailable")
    assert problem.json["request_id"] == problem.headers["X-Request-Id"] != ""


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("de", "ltr")])
def test_it_is_written_in_the_direction_of_its_language(app: Flask, language: str, direction: str) -> None:
    content, _ = shedding.of(app).words({"PATH_INFO": "/p/stool", languages.KEY: language})
    assert f'<html lang="{language}" dir="{direction}">' in content.decode()


def test_its_headers_are_those_of_every_answer(app: Flask, client: FlaskClient) -> None:
    crowd(app, 100_000)
    answer = client.get("/", headers={"X-Request-Id": "abcdefgh"})
    assert {name: answer.headers[name] for name in headers.DEFAULTS} == headers.DEFAULTS
    assert (answer.headers["X-Request-Id"], answer.headers["Cache-Control"]) == ("abcdefgh", "no-store")


def test_it_is_counted_by_kind(app: Flask, client: FlaskClient) -> None:
    crowd(app, 17 * THREADS)
    before = shedding._turned_away.labels("look")._value.get()
    client.get("/")
    assert shedding._turned_away.labels("look")._value.get() == before + 1


def test_without_a_prefix_it_is_in_the_shops_own_language(app: Flask, client: FlaskClient, now: datetime) -> None:
    services: Services = app.extensions["shopfloor"]

    def speak_german(session: Session) -> None:
        open_company(session, now=now)
        session.execute(sa.update(t.Company).values(language="de"))
        plan.bump(session, master=True)

    services.db.run(speak_german)
    assert client.get("/").status_code == 200
    crowd(app, 100_000)
    assert '<html lang="de" dir="ltr">' in client.get("/p/stool").text
    assert '<html lang="en" dir="ltr">' in client.get("/en/p/stool").text
