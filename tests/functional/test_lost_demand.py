"""Pages that cannot sell count who asked, kept pages too; nothing of it is a write of the page's."""

from __future__ import annotations

from flask import Flask

from backoffice.crm import lost_demand
from tests.company import open_company
from tests.conftest import NOW
from tests.statements import sent


def counted(app: Flask) -> list[tuple[str, str, int, int]]:
    """Return sku, kind, people and pieces of this week."""
    services = app.extensions["shopfloor"]
    services.shop.lost_demand.write()
    with services.db.read() as session:
        return [row[1:] for row in lost_demand.find_weeks(session, now=NOW)]


def test_a_kept_page_counts_each_visitor_and_asks_the_database_nothing_more(app: Flask) -> None:
    services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=NOW))
    client = app.test_client(use_cookies=False)
    client.get("/p/stool"), client.get("/p/vase", headers={"User-Agent": "A"})
    with sent(services.db) as of_stool:
        client.get("/p/stool")
    for who in ("A", "A", "B"):
        with sent(services.db) as said:
            assert client.get("/p/vase", headers={"User-Agent": who}).status_code == 200
        assert len(said) == len(of_stool)
    client.get("/p/stool?quantity=9", headers={"User-Agent": "C"})
    assert counted(app) == [("STOOL", "quantity", 1, 4), ("VASE", "viewed", 2, 2)]


def test_searches_that_find_nothing_count_and_what_is_found_does_not(app: Flask) -> None:
    services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=NOW))
    for who in ("A", "B"):
        for words in ("Wardrobe", "stool"):
            app.test_client().get("/search", query_string={"q": words}, headers={"User-Agent": who})
    services.shop.lost_demand.write()
    with services.db.read() as session:
        assert lost_demand.find_searches(session, now=NOW) == [("wardrobe", 2)]


def test_a_day_that_is_not_met_and_a_line_that_is_refused_count(app: Flask) -> None:
    services = app.extensions["shopfloor"]
    services.db.run(lambda session: open_company(session, now=NOW))
    client = app.test_client()
    client.environ_base["HTTP_ORIGIN"] = "http://localhost"
    assert client.post("/cart/add", data={"sku": "TABLE", "slug": "table", "quantity": "2"}).status_code == 303
    assert client.post("/cart/day", data={"requested_on": NOW.date().isoformat()}).status_code == 303
    assert "Arrives Wed 25 Nov" in client.get("/cart").get_data(as_text=True)
    assert counted(app) == [("TABLE", "day", 1, 2)]
    client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1"})
    assert client.post("/cart/line", data={"sku": "STOOL", "quantity": "7"}).status_code == 409
    assert ("STOOL", "quantity", 1, 2) in counted(app)
