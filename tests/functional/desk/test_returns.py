"""Withdrawing on the order's page in two steps, and the warehouse that takes the goods in."""

from __future__ import annotations

import re
from collections.abc import Callable

from backoffice.crm.models import Withdrawal
from backoffice.erp.models import GoodsReturn, GoodsReturnLine, Item
from backoffice.payments.models import Refund
from tests.buyers import hidden
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop
from tests.integration.chain.test_withdrawing import sent

AtDesk = Callable[[str], Colleague]
Visitor = Callable[[], Colleague]
RETURNS = "/desk/warehouse/returns"


def test_two_steps_and_a_proof(visitor: Visitor, at_desk: AtDesk, workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(STOOL=2))
    workshop.pay(start)
    sent(workshop)
    buyer, link = visitor(), f"/o/{start.order_token}"
    assert f'href="{link}/withdraw"' in buyer.get(link)
    page = buyer.get(f"{link}/withdraw")
    assert "Until Tue 8 Dec you may take back what you bought" in page
    [line] = re.findall(r'name="(take-\d+)"', page)
    page = buyer.get(f"{link}/withdraw?chosen=1&{line}=1")
    for words in ("Confirm your withdrawal", "1 × Stool", "A… L…, a…@example.test", "Send it back to us"):
        assert words.casefold() in re.sub(r"<[^>]+>", "", page).casefold(), words
    assert workshop.rows(Withdrawal) == []  # looking is not doing
    form = {"key": hidden(page, "key"), line: hidden(page, line)}
    for _ in range(2):
        assert buyer.client.post(f"{link}/withdraw", data=form).location == f"{link}?withdrawn=1"
    assert len(workshop.rows(Withdrawal)) == 1
    assert "You withdrew from the contract" in buyer.get(f"{link}?withdrawn=1")

    wim, [expected] = at_desk("Wim"), workshop.rows(GoodsReturn)
    page = wim.get(RETURNS)
    assert expected.number in page
    one = workshop.rows(GoodsReturnLine)[0].id
    wim.refused(f"{RETURNS}/{expected.id}", 409, version="7", **{f"came-{one}": "1"})
    wim.refused(f"{RETURNS}/{expected.id}", 422, version="1", **{f"came-{one}": "2"})
    assert workshop.rows(Refund) == []
    page = wim.send(f"{RETURNS}/{expected.id}", version="1", **{f"came-{one}": "1", f"shelf-{one}": "1"})
    assert "Taken in." in page
    assert "Nothing is expected back" in page
    assert workshop.stock("STOOL") == (4, 0, 0)
    assert [one.amount_minor for one in workshop.rows(Refund)] == [4_900]


def test_nonsense_in_the_address_is_said_and_does_nothing(visitor: Visitor, workshop: Workshop) -> None:
    start = workshop.start(workshop.cart(STOOL=2))
    workshop.pay(start)
    link = f"/o/{start.order_token}/withdraw"
    buyer = visitor()
    for query in ("chosen=1", "chosen=1&take-1=9", "chosen=1&take-1=x", "chosen=1&take-x=1", "chosen=1&take-7=1"):
        assert buyer.client.get(f"{link}?{query}").status_code == 422, query
    assert buyer.client.post(link, data={"take-1": "-1"}).status_code == 422
    buyer.get("/o/unknown/withdraw", 404)
    assert workshop.rows(Withdrawal) == []


def test_the_planner_says_what_nobody_may_take_back(visitor: Visitor, at_desk: AtDesk, workshop: Workshop) -> None:
    before = workshop.start(workshop.cart(TABLE=1))
    workshop.pay(before)
    petra, item = at_desk("Petra"), workshop.rows(Item, sku="TABLE")[0]
    page = f"/desk/planning/items/{item.id}"
    petra.refused(f"{page}/withdrawal", 422, why="because")
    assert 'value="made_for_you" selected' in petra.send(f"{page}/withdrawal", why="made_for_you")
    after = workshop.start(workshop.cart(TABLE=1))
    workshop.pay(after)
    page = visitor().get(f"/o/{after.order_token}/withdraw")
    assert "Made to your own wishes: the law knows no withdrawal for it." in page
    assert 'name="take-' not in page
    assert 'name="take-' in visitor().get(f"/o/{before.order_token}/withdraw")  # what was sold before keeps its right
