"""The planner's pages that follow pegs, suppose changes and count kept promises: what they say, who may open them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from backoffice.crm.models import OrderLine
from backoffice.erp.models import Item, ProductionOrder, PurchaseOrderLine, Residual, Supplier
from tests.company import item_id
from tests.functional.desk.conftest import Colleague, every_row
from tests.functional.desk.test_admin import COMPANY
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
TRACE, WHAT_IF, KEPT = "/desk/planning/trace", "/desk/planning/what-if", "/desk/planning/kept"


def plain(page: str) -> str:
    """Return a page's words."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_an_order_opens_into_all_that_it_stands_on_and_back(at_desk: AtDesk, workshop: Workshop) -> None:
    number = workshop.buy(TABLE=4).number
    ada = at_desk("Ada")
    sheet = f"/desk/sales/orders/{number}"
    assert f'href="{TRACE}/orders/{number}"' in ada.get(sheet)
    page = ada.get(f"{TRACE}/orders/{number}")
    words = plain(page)
    for said in (
        "4 × Table promised Tue 1 Dec",
        "8 × Board",
        "12 × Leg",
        "4 × Leg from Holz & Co",
        "to be ordered, needed Sun 29 Nov",
    ):
        assert said in words
    assert f'href="{sheet}"' in page
    # nested lists: the line's production order, below it the top's, below that its boards
    assert re.search(r'<ul class="tree">\s*<li>.*<ul class="tree">\s*<li>.*<ul class="tree">', page, re.S)
    top = workshop.rows(ProductionOrder, item_id=workshop.rows(Item, sku="TOP")[0].id)[0]
    made = plain(ada.get(f"{TRACE}/production/{top.id}"))
    assert "What it is for" in made
    assert f"{number} : 4 × Table" in made
    assert "Shelf, Main : 8 × Board" in made


def test_every_list_of_the_planner_leads_into_the_tree(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(LAMP=2, TABLE=1)
    petra = at_desk("Petra")
    for page in ("receipts", "production", "load/1", "lanes"):
        assert TRACE in petra.get(f"/desk/planning/{page}"), page
    item = workshop.rows(Item, sku="LAMP")[0]
    receipt = plain(petra.get(f"{TRACE}/receipts/1"))
    assert "2 × Lamp promised Mon 30 Nov" in receipt
    assert "Of it are free: 8" in receipt
    assert "PO-1 : 10 × Lamp" in plain(petra.get(f"{TRACE}/items/{item.id}"))
    assert "None is here, and none is coming" in petra.get(f"{TRACE}/items/{workshop.rows(Item, sku='VASE')[0].id}")
    assert "Nobody has been promised any of it." in petra.get(f"{TRACE}/items/{workshop.rows(Item, sku='STOOL')[0].id}")


@pytest.mark.parametrize("path", ["orders/SF-NONE", "production/99", "receipts/99", "items/99", "orders/%F0%9F%AA%91"])
def test_what_does_not_exist_is_said_calmly(at_desk: AtDesk, path: str) -> None:
    assert "There is no such" in (page := at_desk("Petra").get(f"{TRACE}/{path}", 404)) or "no item" in page


def test_sales_and_warehouse_may_follow_pegs_and_nothing_else_of_planning(at_desk: AtDesk, workshop: Workshop) -> None:
    number = workshop.buy(TABLE=1).number
    for name in ("Bea", "Wim"):
        colleague = at_desk(name)
        page = colleague.get(f"{TRACE}/orders/{number}")
        assert "Load and stops" not in page
        assert "Ada Lovelace" not in page
        for path in ("/desk/planning/lanes", WHAT_IF, KEPT, "/desk/planning/load"):
            colleague.get(path, 403)
    assert TRACE in at_desk("Wim").get("/desk/warehouse/stock?q=LEG")


def test_asking_what_if_says_who_moves_and_why_and_saves_nothing(site: Flask, at_desk: AtDesk, workshop: Workshop) -> None:
    number = workshop.buy(LAMP=2).number
    workshop.cart(LAMP=1)
    petra, db = at_desk("Petra"), site.extensions["shopfloor"].db

    with db.read() as session:
        before = every_row(session)
    words = plain(petra.get(f"{WHAT_IF}?ask=receipt&receipt=1&days=6"))
    for said in (
        "If Lamp from PO-1 came 6 days later, on Thu 3 Dec",
        "Nothing was saved, and nobody was told.",
        "1 line would be planned again, 1 cart would lose what it holds.",
        "1 promise would move",
        f"{number} 2 × Lamp Mon 30 Nov Mon 30 Nov Wed 2 Dec 2 days late Lamp: arrives only on Thu 3 Dec",
    ):
        assert said in words
    assert "No order's day would move." in petra.get(f"{WHAT_IF}?ask=stop&work_centre=1&starts_at=2026-11-24T09:00&hours=8")
    assert "It would leave on Tue 24 Nov and arrive on Wed 25 Nov" in plain(
        petra.get(f"{WHAT_IF}?ask=order&sku=table&quantity=1&postcode=10115")
    )
    assert f"If {number} were cancelled" in petra.get(f"{WHAT_IF}?ask=cancel&order={number}")
    with db.read() as session:
        assert every_row(session) == before


@pytest.mark.parametrize(
    ("asked", "status", "says"),
    [
        ("ask=receipt&receipt=1&days=soon", 422, "Write a number of days between 1 and 366."),
        ("ask=receipt&receipt=1&days=0", 422, "Write a number of days between 1 and 366."),
        ("ask=receipt&receipt=&days=2", 422, "Choose one of the list."),
        ("ask=receipt&receipt=99&days=2", 404, "There is no such delivery."),
        ("ask=stop&work_centre=1&starts_at=soon&hours=3", 422, "Choose a day and a time."),
        ("ask=stop&work_centre=1&starts_at=2026-11-20T09:00&hours=3", 422, "A stop must end after it starts and after now."),
        ("ask=stop&work_centre=99&starts_at=2026-11-24T09:00&hours=3", 404, "There is no such work centre."),
        ("ask=order&sku=NONE&quantity=1", 422, "We have no item with that number"),
        ("ask=order&sku=VASE&quantity=1", 409, "Nothing can be promised today."),
        ("ask=order&sku=STOOL&quantity=9", 409, "No day can be promised for that many, only for 5."),
        ("ask=order&sku=STOOL&quantity=1&postcode=99999", 422, "We do not deliver to that postcode."),
        ("ask=cancel&order=SF-NONE", 422, "There is no order with that number."),
        ("ask=cancel&order=", 422, "Fill this in."),
        ("ask=nonsense", 200, "Ask what a change would do"),
        ("receipt=1", 200, '<option value="1" selected>'),
    ],
)
def test_a_question_that_makes_no_sense_keeps_what_was_typed(at_desk: AtDesk, asked: str, status: int, says: str) -> None:
    page = at_desk("Petra").get(f"{WHAT_IF}?{asked}", status)
    assert says in page
    if "days=soon" in asked:
        assert 'value="soon"' in page


def test_a_late_promise_names_its_way_down_to_what_comes_last(at_desk: AtDesk, workshop: Workshop) -> None:
    workshop.buy(TABLE=4)  # waits for 4 legs
    petra = at_desk("Petra")
    petra.send(f"/desk/planning/purchase-orders/{workshop.rows(PurchaseOrderLine)[-1].purchase_order_id}/confirm", key="a")
    line = workshop.rows(PurchaseOrderLine)[-1]
    petra.send(f"/desk/planning/receipts/{line.id}/due", due_on="2026-12-02", version=str(line.version), key="b")
    words = plain(petra.get("/desk/planning"))
    # ordered anew the legs are here on Sun 29 Nov again: the promise of Tue 1 Dec stands
    assert "is late" not in words
    workshop.db.run(lambda session: session.execute(sa.update(OrderLine).values(promised_on=date(2026, 11, 26))))
    page = petra.get("/desk/planning")
    way = re.search(r'<ol class="path".*?</ol>', page, re.S)
    assert way
    assert re.findall(r">(PO-\d+|MO-\d+|SF-[\w-]+)<", way[0]) == [
        f"PO-{workshop.rows(PurchaseOrderLine)[-1].purchase_order_id:05d}",
        workshop.rows(ProductionOrder)[0].number,
        workshop.orders()[0].number,
    ]
    assert "Longest step: Leg: ordered from the supplier" in plain(page)
    assert "Thu 26 Nov Tue 1 Dec 5 days late" in plain(page)


def test_kept_promises_are_told_to_planner_and_administrator(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, ada = at_desk("Petra"), at_desk("Ada")
    assert "No promise has come due yet" in petra.get(KEPT)
    for _ in range(3):
        workshop.buy(STOOL=1)

    def arrive(session: Session) -> None:
        for line, day in zip(session.scalars(sa.select(OrderLine).order_by(OrderLine.id)), (23, 25, 27), strict=True):
            line.actual_on = date(2026, 11, day)  # promised for Wed 25 Nov, ordered the day before

    workshop.db.run(arrive)
    words = plain(petra.get(KEPT))
    assert "November 2026 all 66.7 % 2 / 3 1 4 – – 2 days before to 2 days after 0" in words
    for page in (petra.get("/desk/planning"), ada.get("/desk/admin")):
        assert "November 2026: 66.7 % 2 of 3 lines by the first promised day; days ahead, mean: 1" in plain(page)
    assert "Kept promises" in ada.get(KEPT)


def test_what_was_learnt_is_shown_and_switched_on_by_the_administrator(at_desk: AtDesk, workshop: Workshop) -> None:
    petra, ada = at_desk("Petra"), at_desk("Ada")
    assert "Nothing was learnt yet" in petra.get(KEPT)

    def learn(session: Session) -> None:
        supplier, lamp = session.scalars(sa.select(Supplier.id)).one(), item_id(session, "LAMP")
        day = date(2026, 11, 2)
        for number, late in enumerate((0, 0, 1, 2)):
            row = Residual(kind="receipt", source=f"receipt:item:{lamp}", supplier_id=supplier, ref=f"receipt:-{number}")
            row.first_on, row.came_on, row.days, row.at = day, day, late, workshop.now
            session.add(row)

    workshop.db.run(learn)
    words = plain(petra.get(KEPT))
    assert "No margin is added: the plan's own day is promised." in words
    assert "All deliveries to us 4 50 % 2 days – – Delivered: Lamp 4 50 % 2 days – – From Holz & Co 4 50 % 2 days – –" in words
    ada.send("/desk/admin/company", **(COMPANY | {"service_level": "80"}))
    assert "the margin that keeps 80 of 100" in plain(petra.get(KEPT))
    promise = workshop.shop.promises.quote("LAMP", 1, postcode=None, cart=None, now=workshop.now)
    assert (promise.earliest_on, promise.deliver_on) == (date(2026, 11, 30), date(2026, 12, 2))
