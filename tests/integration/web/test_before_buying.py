"""What the law wants said before somebody buys."""

from __future__ import annotations

from datetime import datetime

from flask import Flask
from flask.testing import FlaskClient

from backoffice.bootstrap import Services
from backoffice.erp import returning
from tests.company import item_id, open_company

WORDS = "Made to your own wishes: the law knows no withdrawal for it."


def test_what_cannot_be_taken_back_is_said_before_it_is_bought(client: FlaskClient, app: Flask, now: datetime) -> None:
    services: Services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=now))
    form = {"sku": "STOOL", "slug": "stool", "quantity": "1", "postcode": "10115"}
    client.post("/cart/add", data=form, headers={"Origin": "http://localhost"})
    assert [WORDS in client.get(page).text for page in ("/p/stool", "/checkout")] == [False, False]
    services.db.run(lambda s: returning.exempt(s, item_id(s, "STOOL"), "made_for_you", by="Petra", now=now))
    assert [WORDS in client.get(page).text for page in ("/p/stool", "/checkout")] == [True, True]
    [variant] = client.get("/api/v1/products/stool").json["variants"]
    assert variant["no_withdrawal"] == "made_for_you"
