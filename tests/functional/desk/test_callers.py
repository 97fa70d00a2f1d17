"""Who calls from IPv6 has a whole /64 to call from: at every door that counts tries it is one caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from backoffice import passwords, throttle
from backoffice.crm import accounts, links
from backoffice.crm.models import Account, AccountLink, Party
from backoffice.db import Database
from storefront.views.account import form_token
from tests.conftest import NOW
from tests.functional.desk.conftest import Colleague
from tests.integration.chain.conftest import Workshop

ADDRESS = "eve@example.test"
LINK = "a-link-of-a-mail"


@dataclass
class Caller:
    """Somebody at the doors: a browser, an account's session, a cart."""

    who: Colleague
    session: str
    cart: str

    def of_account(self, path: str, **form: str) -> TestResponse:
        """Post a form of the account's pages."""
        self.who.client.set_cookie("account", self.session)
        return self.who.client.post(path, data={"form_token": form_token(self.session)} | form)

    def code(self, number: int) -> TestResponse:
        """Try a code through the API."""
        path, headers = f"/api/v1/carts/{self.cart}/coupon", {"Idempotency-Key": f"k{number}"}
        return self.who.client.put(path, json={"code": f"guess-{number}"}, headers=headers)

    def page_code(self, number: int) -> TestResponse:
        """Try a code on the cart page."""
        self.who.client.set_cookie("cart", self.cart)
        return self.who.client.post("/cart/coupon", data={"coupon": f"guess-{number}"})


Door = Callable[[Caller, int], TestResponse]
NEW = {"email": ADDRESS, "name": "Eve", "password": "engines of 1843"}
DOORS: dict[str, tuple[int, Door]] = {
    "desk": (10, lambda c, _n: c.who.post("/desk/login", email="bea@werk.test", password="x")),
    "once more at the desk": (10, lambda c, _n: c.who.post("/desk/sure", proof="x")),
    "log in": (10, lambda c, _n: c.who.client.post("/account/login", data={"email": ADDRESS, "password": "x"})),
    "forgotten": (5, lambda c, _n: c.who.client.post("/account/forgot", data={"email": ADDRESS})),
    "register": (10, lambda c, _n: c.who.client.post("/account/register", data=NEW)),
    "confirm": (10, lambda c, _n: c.who.client.post(f"/account/confirm/{LINK}", data={"password": "x"})),
    "prove": (10, lambda c, _n: c.of_account("/account/close", closing="x")),
    "code": (10, lambda c, n: c.page_code(n)),
    "code by the API": (10, lambda c, n: c.code(n)),
}


@pytest.fixture
def caller(at_desk: Callable[[str], Colleague], workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Somebody whose every password is wrong from now on."""
    colleague = at_desk("Bea")

    def fill(session: Session) -> str:
        party = Party(name="Eve", email=ADDRESS, created_at=NOW)
        session.add(party)
        session.flush()
        eve = Account(party_id=party.id, email=ADDRESS, name="Eve", password_hash="x", created_at=NOW, confirmed_at=NOW)
        session.add(eve)
        session.flush()
        hashed = links.hash_token(LINK)
        until = NOW + accounts.LINK_GOOD_FOR["confirm"]
        session.add(AccountLink(account_id=eve.id, purpose="confirm", token_hash=hashed, created_at=NOW, expires_at=until))
        return accounts.begin_session(session, eve, device="", now=NOW)

    token = workshop.db.run(fill)
    monkeypatch.setattr(passwords, "is_right", lambda _typed, _stored: False)
    monkeypatch.setattr(passwords, "make_hash", lambda _typed: "hash")
    return Caller(colleague, token, workshop.cart(STOOL=1).token)


@pytest.mark.parametrize("door", list(DOORS))
def test_one_of_a_whole_64_is_one_caller(caller: Caller, door: str) -> None:
    most, knock = DOORS[door]

    def come_from(address: str, number: int) -> int:
        caller.who.client.environ_base["REMOTE_ADDR"] = address
        return knock(caller, number).status_code

    tries = [come_from(f"2001:db8:0:1:{number:x}::7", number) for number in range(most + 1)]
    assert [status == 429 for status in tries] == [False] * most + [True], tries
    assert come_from("2001:db8:0:2::7", most + 2) != 429  # a neighbour is another


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("2001:db8::1", "2001:db8::ffff:1:2:3", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("no address", "no address", True),
        ("no address", "another", False),
    ],
)
def test_who_is_one_caller(sqlite_db: Database, one: str, other: str, together: bool) -> None:
    def count(address: str) -> bool:
        return sqlite_db.run(lambda session: throttle.may_try(session, address, "x", tries=1, now=NOW))

    assert count(one)
    assert count(other) != together


def test_the_network_of_a_mapped_address_is_that_of_the_address() -> None:
    asked = ("::ffff:192.0.2.1", "192.0.2.9", "2001:db8::1:2:3:4")
    assert [throttle.network_of(one) for one in asked] == ["192.0.2.0/24", "192.0.2.0/24", "2001:db8::/64"]
