"""The cart's choice between one day for all and dated parcels, over the real workshop."""

from __future__ import annotations

from flask.testing import FlaskClient

from backoffice.db import Database
from tests.company import open_company
from tests.conftest import NOW


def test_the_choice_is_kept_and_an_unknown_one_is_refused(client: FlaskClient, db: Database) -> None:
    db.run(lambda session: open_company(session, now=NOW))
    client.post("/cart/add", data={"sku": "STOOL", "quantity": "1", "slug": "stool"})
    assert 'name="parcels"' not in client.get("/cart").text  # one parcel: nothing to choose
    client.post("/cart/add", data={"sku": "LAMP", "quantity": "1", "slug": "lamp"})
    page = client.get("/cart").text
    assert 'value="one" checked' in page
    assert "2 parcels:" in page
    assert page.index("Wed 25 Nov") < page.index("Mon 30 Nov")
    assert client.post("/cart/parcels", data={"parcels": "dated"}).status_code == 303
    page = client.get("/cart").text
    assert 'value="dated" checked' in page
    assert "Alone it would arrive" not in page
    assert "2 parcels:<br>" in client.get("/checkout").text
    assert client.post("/cart/parcels", data={"parcels": "three"}).status_code == 422
    assert 'value="dated" checked' in client.get("/cart").text


def test_without_a_cart_there_is_nothing_to_choose(client: FlaskClient, db: Database) -> None:
    db.run(lambda session: open_company(session, now=NOW))
    assert client.post("/cart/parcels", data={"parcels": "dated"}).status_code == 409
