"""Codes: written down by an administrator, typed in the cart and through the API, the same words whatever is wrong."""

from __future__ import annotations

from collections.abc import Callable

from backoffice.audit import AuditEntry
from backoffice.crm.models import Coupon
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

AtDesk = Callable[[str], Colleague]
Visitor = Callable[[], Colleague]
PAGE = "/desk/admin/coupons"
RULE = {"code": "Welcome-10", "kind": "percent", "value": "10", "from_quantity": "1", "minimum": "0", "per_customer": "1"}
SAID = "This code cannot be used"


def test_an_administrator_writes_a_code_and_a_customer_uses_it(at_desk: AtDesk, visitor: Visitor, workshop: Workshop) -> None:
    ada, buyer = at_desk("Ada"), visitor()
    assert "No codes yet" in ada.get(PAGE)
    ada.refused(PAGE, 422, **RULE | {"value": "0"})
    ada.refused(PAGE, 422, **RULE | {"ends_on": "soon"})
    assert workshop.rows(Coupon) == []
    page = ada.send(PAGE, **RULE, active="yes", ends_on="2026-12-31", use_limit="2")
    for words in ("WELCOME-10", "10 %", "0 / 2", "Thu 31 Dec, 23:59" if "23:59" in page else "Fri 1 Jan 2027, 00:00"):
        assert words in page, words
    assert 'value="2026-12-31"' in ada.get(f"{PAGE}?edit=WELCOME-10")
    assert [one.action for one in workshop.rows(AuditEntry)] == ["coupon.save"]

    buyer.client.post("/cart/add", data={"sku": "STOOL", "slug": "stool", "quantity": "1", "postcode": "10115"})
    for typed in ("welcome-11", "", "x" * 300):
        answer = buyer.client.post("/cart/coupon", data={"coupon": typed})
        assert (answer.status_code, SAID in answer.text) == ((422, True) if typed else (303, False)), typed
    assert buyer.client.post("/cart/coupon", data={"coupon": " welcome-10"}).status_code == 303
    for page in (buyer.get("/cart"), buyer.get("/checkout")):
        for words in ("Discount: WELCOME-10", "−€4.90", "€49.10"):
            assert words in page, words
    buyer.client.post("/cart/coupon", data={"action": "remove", "coupon": "WELCOME-10"})
    assert "€54.00" in buyer.get("/cart")
    ada.refused(PAGE, 422, **RULE | {"value": "20"})
    many = {"code": "MANY", "kind": "volume", "value": "20", "from_quantity": "10", "minimum": "50.00"}
    page = ada.send(PAGE, **RULE | many, active="yes")
    assert "20 % of lines from 10 pieces, from €50.00" in page
    at_desk("Bea").get(PAGE, 403)


def test_the_same_through_the_api(at_desk: AtDesk, visitor: Visitor) -> None:
    at_desk("Ada").send(PAGE, **RULE, active="yes")
    client = visitor().client

    def send(method: str, path: str, body: object, key: str) -> tuple[int, dict[str, object]]:
        answer = client.open(f"/api/v1{path}", method=method, json=body, headers={"Idempotency-Key": key})
        return answer.status_code, answer.get_json()

    _, cart = send("POST", "/carts", {"sku": "STOOL"}, "one")
    path = f"/carts/{cart['token']}/coupon"
    status, problem = send("PUT", path, {"code": "GUESS"}, "two")
    assert (status, problem["code"]) == (422, "coupon_invalid")
    status, cart = send("PUT", path, {"code": "WELCOME-10"}, "three")
    assert (status, cart["coupon"], cart["discount"]["amount_minor"], cart["total"]["amount_minor"]) == (
        200,
        "WELCOME-10",
        490,
        4_910,
    )  # type: ignore[index] # as documented
    status, problem = send("PUT", path, {"code": "WELCOME-10", "price": 1}, "four")
    assert status == 422
    for number in range(10):  # the tenth wrong one in an hour is the last; right ones do not count
        status, problem = send("PUT", path, {"code": "GUESS"}, f"guess-{number}")
    assert (status, problem["code"]) == (429, "too_many_codes")
